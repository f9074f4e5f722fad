#include "oci/layer_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "archive/frames.h"
#include "archive/tar_write.h"
#include "base/cpus.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "oci/frame_cut.h"
#include "oci/layer_reuse.h"
#include "oci/listing.h"
#include "oci/media_type.h"
#include "oci/tree_writer.h"
#include "store/blob.h"
#include "store/store.h"
#include "store/record.h"

enum { BUFFER = 256 << 10 };

struct layer_writer {
	struct store *store;      /* borrowed */
	struct tree_writer *tree; /* borrowed, or NULL */
	enum compression how;
	bool plain;               /* a tar that is no layer */
	struct blob_writer blob;
	struct sink *tar;       /* owned: frames, digest, file */
	bool framed;            /* tar is of sink_frames */
	bool misfit;            /* the listing of an earlier layer */
	struct frame_cut cut;
	struct str head;        /* of the entry that is being added */
	struct sha diffid, digest;
	uint64_t tar_bytes, blob_bytes;
	struct str listing;
	struct list_entry file; /* the present FILE while its bytes come; owned */
	struct sha content;     /* of it */
	uint64_t left;          /* bytes of it still to come */
	char *buf;              /* owned; BUFFER bytes, for a tar without frames; NULL until needed */
	int64_t latest;          /* times after it become it */
};

int layer_writer_open(struct store *s, const struct layer_format *f, struct tree_writer *tree,
		      struct layer_writer **ret, struct err *e)
{
	struct blob_writer blob = { 0 };
	if (blob_writer_open(s, &blob, e) < 0)
		return -1;
	struct layer_writer *w = x_alloc(sizeof *w);
	w->store = s;
	w->tree = tree;
	w->how = f->how;
	w->latest = f->clamps ? f->latest : INT64_MAX;
	w->blob = blob;
	sha_init(&w->diffid);
	sha_init(&w->digest);
	AUTO(free_drop) char *name = x_asprintf("a layer into the store %s", s->path);
	struct sink *file = sink_digest(sink_fd(blob.fd, name), &w->digest, &w->blob_bytes);
	unsigned threads = f->threads ? f->threads : cpus_usable();
	w->tar = sink_frames(f->how, f->level, threads, &w->diffid, file);
	w->framed = true;
	*ret = w;
	return 0;
}

struct layer_writer *layer_writer_for_tree(struct tree_writer *tree)
{
	struct layer_writer *w = x_alloc(sizeof *w);
	w->tree = tree;
	w->latest = INT64_MAX;
	w->tar = sink_null();
	return w;
}

struct layer_writer *layer_writer_for_tar(struct sink *out)
{
	struct layer_writer *w = x_alloc(sizeof *w);
	w->plain = true;
	w->latest = INT64_MAX;
	w->tar = out;
	return w;
}

int layer_writer_end(struct layer_writer *w, struct err *e)
{
	assert(w->left == 0);
	/* The end has a frame of its own, so that the last files of two layers can be equal. */
	if (w->framed && frames_cut(w->tar, e) < 0)
		return -1;
	return tar_write_end(w->tar, e) < 0 ? -1 : sink_finish(w->tar, e);
}

void layer_writer_free(struct layer_writer *w)
{
	if (!w)
		return;
	sink_free(w->tar); /* first: its threads still use what follows */
	blob_writer_drop(&w->blob);
	sha_drop(&w->diffid);
	sha_drop(&w->digest);
	sha_drop(&w->content);
	str_fini(&w->head);
	str_fini(&w->listing);
	tar_entry_fini(&w->file.tar);
	free(w->buf);
	free(w);
}

void layer_writer_drop(struct layer_writer **w)
{
	layer_writer_free(ptr_take(w));
}

/* What path_base does not do: "." for the root has no name to look at, and needs none. */
static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int file_done(struct layer_writer *w, struct err *e)
{
	w->file.has_digest = true;
	w->file.digest = sha_next(&w->content);
	listing_add_text(&w->listing, &w->file);
	uint64_t size = w->file.tar.size;
	tar_entry_fini(&w->file.tar);
	return tar_write_pad(w->tar, size, e);
}

/* A layer that is larger could be written, but not be read again. */
static int check_room(const struct layer_writer *w, const struct tar_entry *entry, struct err *e)
{
	if (entry->size > LIMIT_LAYER_BYTES || w->tar_bytes + entry->size > LIMIT_LAYER_BYTES)
		return err_set(e, ERR_LIMIT, "%s: a layer can hold %llu bytes", entry->path,
			       (unsigned long long)LIMIT_LAYER_BYTES);
	if (w->listing.len > LIMIT_LISTING)
		return err_set(e, ERR_LIMIT, "%s: too many files for one layer", entry->path);
	return 0;
}

static int write_header(struct layer_writer *w, const struct tar_entry *t, struct err *e)
{
	str_clear(&w->head);
	if (tar_header_add(&w->head, t, e) < 0)
		return -1;
	uint64_t size = w->head.len + tar_padded(t->type == TAR_FILE ? t->size : 0);
	if (w->framed && frame_cut_before(&w->cut, t->path, size) && frames_cut(w->tar, e) < 0)
		return -1;
	w->tar_bytes += w->plain ? 0 : size;
	return sink_write(w->tar, w->head.buf, w->head.len, e);
}

/* A layer has whole seconds; its listing and tree must be the same as when it is read back. */
void layer_writer_times(const struct layer_writer *w, struct tar_entry *t)
{
	t->mtime_ns = 0;
	if (t->mtime > w->latest)
		t->mtime = w->latest;
}

int layer_writer_add(struct layer_writer *w, const struct tar_entry *entry, struct err *e)
{
	struct tar_entry t = *entry; /* borrows all strings */
	layer_writer_times(w, &t);
	assert(w->left == 0);
	if (!w->plain && str_starts(last_name(t.path), ".wh."))
		return err_set(e, ERR_SPEC, "%s: a layer can not hold names that begin with \".wh.\"", t.path);
	if (check_room(w, &t, e) < 0 || write_header(w, &t, e) < 0)
		return -1;
	if (w->tree && tree_writer_add(w->tree, &t, e) < 0)
		return -1;
	if (t.type != TAR_FILE) {
		listing_add_text(&w->listing, &(struct list_entry){ .tar = t });
		return 0;
	}
	w->file = (struct list_entry){ 0 };
	tar_entry_copy(&w->file.tar, &t);
	if (!w->content.ctx)
		sha_init(&w->content);
	w->left = t.size;
	return w->left ? 0 : file_done(w, e);
}

/* Bytes that are in the tar already. */
static int data_done(struct layer_writer *w, const void *bytes, size_t n, struct err *e)
{
	sha_add(&w->content, bytes, n);
	if (w->tree && tree_writer_data(w->tree, bytes, n, e) < 0)
		return -1;
	w->left -= n;
	return w->left ? 0 : file_done(w, e);
}

int layer_writer_data(struct layer_writer *w, const void *bytes, size_t n, struct err *e)
{
	assert(n <= w->left);
	if (!n)
		return 0;
	return sink_write(w->tar, bytes, n, e) < 0 ? -1 : data_done(w, bytes, n, e);
}

/* Reads up to `room` bytes of what is left of the FILE. */
static ssize_t read_some(struct layer_writer *w, int fd, void *to, size_t room, const char *name, struct err *e)
{
	size_t n = room < BUFFER ? room : BUFFER; /* what is hashed next is still in the processor's cache */
	ssize_t got = fd_read(fd, to, w->left < n ? (size_t)w->left : n);
	if (got < 0)
		return err_sys(e, "read %s", name);
	if (got == 0)
		return err_set(e, ERR_BUILD, "%s became shorter while it was read", name);
	return got;
}

/* Straight into the frame. */
static int copy_to_frames(struct layer_writer *w, int fd, const char *name, struct err *e)
{
	size_t room;
	char *to = frames_room(w->tar, &room, e);
	ssize_t got = to ? read_some(w, fd, to, room, name, e) : -1;
	if (got < 0)
		return -1;
	frames_filled(w->tar, (size_t)got);
	return data_done(w, to, (size_t)got, e);
}

int layer_writer_fd(struct layer_writer *w, int fd, const char *name, struct err *e)
{
	if (!w->framed && !w->buf)
		w->buf = x_alloc(BUFFER);
	while (w->left) {
		if (w->framed) {
			if (copy_to_frames(w, fd, name, e) < 0)
				return -1;
			continue;
		}
		ssize_t got = read_some(w, fd, w->buf, BUFFER, name, e);
		if (got < 0 || layer_writer_data(w, w->buf, (size_t)got, e) < 0)
			return -1;
	}
	return 0;
}

const struct digest *layer_writer_content(const struct layer_writer *w)
{
	assert(w->left == 0);
	return &w->file.digest;
}

/* As check_room, of all entries of a run. */
static int check_run(struct layer_writer *w, const struct frame_run *run, const struct list_entry *entries, struct err *e)
{
	for (size_t i = 0; i < run->n; i++)
		if (check_room(w, &entries[i].tar, e) < 0)
			return -1;
	return 0;
}

int layer_writer_reuse(struct layer_writer *w, struct layer_reuse *r, const struct frame_run *run, struct err *e)
{
	const struct frame_span *frames = layer_reuse_frames(r, run);
	struct reused_run old;
	uint64_t left = run->bytes;
	assert(w->left == 0 && w->framed && !w->tree);
	if (layer_reuse_load(r, run, &old, e) < 0) {
		w->misfit = true;
		return -1;
	}
	listing_add_lines(&w->listing, old.lines.buf, old.lines.len);
	str_fini(&old.lines);
	if (check_run(w, run, old.entries, e) < 0)
		return -1;
	for (size_t i = 0; i < run->n_frames; i++) {
		size_t n = left < FRAME_MAX ? (size_t)left : FRAME_MAX;
		if (frames_put(w->tar, layer_reuse_fd(r), &frames[i], n, &old.check, e) < 0)
			return -1;
		left -= n;
	}
	w->tar_bytes += run->bytes;
	w->cut = (struct frame_cut){ 0 }; /* what follows begins a frame in any case */
	return 0;
}

bool layer_writer_misfit(struct layer_writer *w)
{
	return w->misfit || (w->framed && frames_misfit(w->tar));
}

/* An empty file with a name that says what it means; nothing in it may differ between two builds. */
static int write_mark(struct layer_writer *w, const char *mark, struct err *e)
{
	const struct tar_entry t = { .type = TAR_FILE, .path = (char *)(uintptr_t)mark };
	assert(w->left == 0);
	if (check_room(w, &t, e) < 0)
		return -1;
	return write_header(w, &t, e);
}

int layer_writer_whiteout(struct layer_writer *w, const char *path, struct err *e)
{
	const char *name = last_name(path);
	if (w->plain)
		return 0;
	AUTO(free_drop) char *mark = x_asprintf("%.*s.wh.%s", (int)(name - path), path, name);
	if (str_starts(name, ".wh."))
		return err_set(e, ERR_SPEC, "%s: a layer can not delete names that begin with \".wh.\"", path);
	if (write_mark(w, mark, e) < 0)
		return -1;
	struct list_entry entry = { .kind = LIST_WHITEOUT, .tar = { .path = (char *)(uintptr_t)path } };
	listing_add_text(&w->listing, &entry);
	return w->tree ? tree_writer_whiteout(w->tree, path, e) : 0;
}

int layer_writer_opaque(struct layer_writer *w, const char *dir, struct err *e)
{
	bool root = str_eq(dir, ".");
	if (w->plain)
		return 0;
	AUTO(free_drop) char *mark = x_asprintf("%s%s.wh..wh..opq", root ? "" : dir, root ? "" : "/");
	if (write_mark(w, mark, e) < 0)
		return -1;
	struct list_entry entry = { .kind = LIST_OPAQUE, .tar = { .path = (char *)(uintptr_t)dir } };
	listing_add_text(&w->listing, &entry);
	return w->tree ? tree_writer_opaque(w->tree, dir, e) : 0;
}

static int publish(struct layer_writer *w, const struct layer *l, struct err *e)
{
	struct json_out o;
	if (blob_writer_commit(&w->blob, &l->blob.digest, e) < 0)
		return -1;
	if (listing_save(w->store, &l->diffid, &w->listing, e) < 0)
		return -1;
	json_out_init(&o);
	descriptor_write(&o, &l->blob);
	AUTO(free_drop) char *text = json_out_take(&o);
	AUTO(free_drop) char *name = x_asprintf("layer/%s.json", digest_hex(&l->diffid.d).s);
	return store_json_put(w->store, name, text, e);
}

int layer_writer_finish(struct layer_writer *w, struct layer *ret, struct err *e)
{
	if (layer_writer_end(w, e) < 0)
		return -1;
	struct layer l = {
		.diffid.d = sha_end(&w->diffid),
		.blob = {
			.media_type = (char *)(uintptr_t)media_type_layer(w->how),
			.digest = sha_end(&w->digest),
			.size = w->blob_bytes,
		},
	};
	if (publish(w, &l, e) < 0)
		return -1;
	l.blob.media_type = x_strdup(l.blob.media_type);
	*ret = l;
	return 0;
}
