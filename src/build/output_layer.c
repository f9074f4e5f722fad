/*
 * A layer of the store written once more: compressed otherwise, or with times that are no later than SOURCE_DATE_EPOCH. The
 * new one lies in the store, too, where nothing but the image of an output leads to it.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/tar_read.h"
#include "archive/tar_write.h"
#include "base/cpus.h"
#include "base/fd.h"
#include "base/mem.h"
#include "oci/layer_tar.h"
#include "oci/media_type.h"
#include "output_form_priv.h"
#include "store/blob.h"

enum { BUFFER = 256 << 10 };

struct recode {
	struct blob_writer blob;
	struct sha was, diffid, digest;
	uint64_t size;
	char *buf;             /* owned */
};

static void recode_fini(struct recode *r)
{
	blob_writer_drop(&r->blob);
	sha_drop(&r->was);
	sha_drop(&r->diffid);
	sha_drop(&r->digest);
	free(r->buf);
}

/* The same tar. */
static int copy_tar(struct recode *r, struct source *in, struct sink *out, struct err *e)
{
	ssize_t n;
	while ((n = source_read(in, r->buf, BUFFER, e)) > 0)
		if (sink_write(out, r->buf, (size_t)n, e) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

static int copy_content(struct recode *r, struct tar_reader *tar, uint64_t size, struct sink *out, struct err *e)
{
	ssize_t n;
	while ((n = tar_reader_read(tar, r->buf, BUFFER, e)) > 0)
		if (sink_write(out, r->buf, (size_t)n, e) < 0)
			return -1;
	return n < 0 ? -1 : tar_write_pad(out, size, e);
}

/* The same members; marks of deletions are files like others here. */
static int clamp_tar(struct recode *r, struct source *in, int64_t latest, struct sink *out, const char *name,
		     struct err *e)
{
	AUTO(tar_reader_drop) struct tar_reader *tar = tar_reader_new(in, name);
	const struct tar_entry *entry;
	int more;
	while ((more = tar_reader_next(tar, &entry, e)) == 1) {
		struct tar_entry t = *entry; /* borrows all strings */
		if (t.mtime >= latest) {
			t.mtime = latest;
			t.mtime_ns = 0;
		}
		if (tar_write_entry(out, &t, e) < 0 ||
		    (t.type == TAR_FILE && copy_content(r, tar, t.size, out, e) < 0))
			return -1;
	}
	if (more < 0 || tar_write_end(out, e) < 0)
		return -1;
	return source_drain(in, e);
}

static int write_blob(struct recode *r, struct source *in, const struct layer_format *f, const int64_t *latest,
		      const char *name, struct err *e)
{
	unsigned threads = f->threads ? f->threads : cpus_usable();
	struct sink *file = sink_digest(sink_fd(r->blob.fd, name), &r->digest, &r->size);
	AUTO(sink_drop) struct sink *out =
		sink_digest(sink_compress(f->how, f->level, threads, file), &r->diffid, NULL);
	int done = latest ? clamp_tar(r, in, *latest, out, name, e) : copy_tar(r, in, out, e);
	return done < 0 ? -1 : sink_finish(out, e);
}

int layer_recode(struct store *s, const struct layer *from, const struct layer_format *f, const int64_t *latest,
		 struct layer *ret, struct err *e)
{
	AUTO(free_drop) char *name = x_asprintf("layer %s", digest_text(&from->blob.digest).s);
	AUTO(recode_fini) struct recode r = { .buf = x_alloc(BUFFER) };
	AUTO(fd_drop) int fd = -1;
	AUTO(source_drop) struct source *in = NULL;
	if (layer_tar_open(s, &from->blob, &fd, &in, e) < 0 || blob_writer_open(s, &r.blob, e) < 0)
		return -1;
	sha_init(&r.was);
	sha_init(&r.diffid);
	sha_init(&r.digest);
	in = source_digest(ptr_take(&in), &r.was, NULL);
	if (write_blob(&r, in, f, latest, name, e) < 0)
		return -1;
	struct digest was = sha_end(&r.was);
	if (!digest_eq(&was, &from->diffid.d))
		return err_set(e, ERR_INTEGRITY, "%s of the store is damaged: its content has another digest", name);
	struct layer made = {
		.diffid.d = sha_end(&r.diffid),
		.blob = { .digest = sha_end(&r.digest), .size = r.size },
	};
	if (blob_writer_commit(&r.blob, &made.blob.digest, e) < 0)
		return -1;
	made.blob.media_type = x_strdup(media_type_layer(f->how));
	*ret = made;
	return 0;
}

int layer_make_lazy(struct store *s, const struct layer *from, const struct output_form *f, struct layer *ret,
		    struct strv *annotations, struct err *e)
{
	const struct lazy_options o = {
		.format = f->lazy_format,
		.level = f->format.level,
		.threads = f->format.threads ? f->format.threads : cpus_usable(),
	};
	AUTO(free_drop) char *name = x_asprintf("layer %s", digest_text(&from->blob.digest).s);
	AUTO(blob_writer_drop) struct blob_writer blob = { .fd = -1 };
	AUTO(lazy_layer_fini) struct lazy_layer made = { 0 };
	AUTO(fd_drop) int fd = -1;
	AUTO(source_drop) struct source *in = NULL;
	struct sha was;
	if (layer_tar_open(s, &from->blob, &fd, &in, e) < 0 || blob_writer_open(s, &blob, e) < 0)
		return -1;
	sha_init(&was);
	in = source_digest(ptr_take(&in), &was, NULL);
	int r = lazy_layer_write(&o, in, name, blob.fd, &made, e);
	struct digest got = sha_end(&was);
	if (r < 0)
		return -1;
	if (!digest_eq(&got, &from->diffid.d))
		return err_set(e, ERR_INTEGRITY, "%s of the store is damaged: its content has another digest", name);
	if (blob_writer_commit(&blob, &made.digest, e) < 0)
		return -1;
	*ret = (struct layer){ .diffid = made.diffid, .blob = { .digest = made.digest, .size = made.size } };
	ret->blob.media_type = x_strdup(media_type_layer(f->format.how));
	*annotations = made.annotations;
	made.annotations = (struct strv){ 0 };
	return 0;
}
