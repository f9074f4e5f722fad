#include "oci/layer_apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "archive/stream.h"
#include "archive/tar_read.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/listing.h"
#include "oci/tree_writer.h"
#include "read_ahead_priv.h"
#include "store/blob.h"
#include "store/follow.h"
#include "store/record.h"

enum { BUF = 256 << 10 };

/*
 * blob -> SHA-256 (digest) -> decompress [-> a thread] -> SHA-256 (diffID) -> limit -> a thread -> tar -> listing
 *                                                                                                   -> tree
 */
struct apply {
	const struct layer_apply *a;
	char name[16 + DIGEST_TEXT]; /* "layer sha256:HEX", for messages */
	int blob_fd;                 /* owned; -1: a download is followed */
	struct sha blob_sha, diff_sha;
	uint64_t blob_size, tar_size;
	struct source *in;           /* owned */
	struct tar_reader *tar;      /* owned */
	struct tree_writer *tree;    /* owned; NULL = none */
	struct str listing;
	char *buf;                   /* owned; BUF bytes */
};

/* Also ends the thread that reads the blob and adds to the digests. */
static void read_end(struct apply *p)
{
	tar_reader_free(p->tar);
	source_free(p->in);
	p->tar = NULL;
	p->in = NULL;
}

static void apply_fini(struct apply *p)
{
	read_end(p);
	tree_writer_free(p->tree);
	sha_drop(&p->blob_sha);
	sha_drop(&p->diff_sha);
	fd_drop(&p->blob_fd);
	str_fini(&p->listing);
	free_drop(&p->buf);
}

static int apply_open(struct apply *p, struct err *e)
{
	snprintf(p->name, sizeof p->name, "layer %s", digest_text(&p->a->blob->digest).s);
	sha_init(&p->blob_sha);
	sha_init(&p->diff_sha);
	if (!p->a->follow && blob_open(p->a->store, &p->a->blob->digest, &p->blob_fd, e) < 0)
		return -1;
	struct source *s = p->a->follow ? source_follow(p->a->follow) : source_fd(p->blob_fd, "blob");
	s = source_digest(s, &p->blob_sha, &p->blob_size);
	s = source_decompress(s, "blob");
	/* Where no files are created, decompressing takes the most time: it gets a processor of its own. */
	if (p->a->tree_fd < 0)
		s = read_ahead(s);
	s = source_digest(s, &p->diff_sha, &p->tar_size);
	s = source_limit(s, LIMIT_LAYER_BYTES, "tar");
	p->in = read_ahead(s);
	p->tar = tar_reader_new(p->in, "tar");
	p->tree = p->a->tree_fd >= 0 ? tree_writer_new(p->a->tree_fd) : NULL;
	p->buf = x_alloc(BUF);
	return 0;
}

static int apply_content(struct apply *p, struct list_entry *entry, struct err *e)
{
	struct sha sha = { 0 };
	ssize_t n;
	if (p->a->digest_files)
		sha_init(&sha);
	while ((n = tar_reader_read(p->tar, p->buf, BUF, e)) > 0) {
		if (p->a->digest_files)
			sha_add(&sha, p->buf, (size_t)n);
		if (p->tree && tree_writer_data(p->tree, p->buf, (size_t)n, e) < 0) {
			n = -1;
			break;
		}
	}
	if (n < 0) {
		sha_drop(&sha);
		return -1;
	}
	entry->has_digest = p->a->digest_files;
	if (p->a->digest_files)
		entry->digest = sha_end(&sha);
	return 0;
}

static int apply_entry(struct apply *p, const struct tar_entry *tar, struct err *e)
{
	struct list_entry entry = { .kind = LIST_ENTRY, .tar = *tar }; /* borrows the reader's strings */
	if (p->tree && tree_writer_add(p->tree, tar, e) < 0)
		return -1;
	if (tar->type == TAR_FILE && apply_content(p, &entry, e) < 0)
		return -1;
	listing_add_text(&p->listing, &entry);
	return 0;
}

static int apply_mark(struct apply *p, enum list_kind kind, char *path, struct err *e)
{
	struct list_entry entry = { .kind = kind, .tar = { .path = path } };
	listing_add_text(&p->listing, &entry);
	if (!p->tree)
		return 0;
	return kind == LIST_WHITEOUT ? tree_writer_whiteout(p->tree, path, e) : tree_writer_opaque(p->tree, path, e);
}

static int apply_members(struct apply *p, struct err *e)
{
	const struct tar_entry *tar;
	int r;
	while ((r = tar_reader_next(p->tar, &tar, e)) > 0) {
		enum list_kind kind = LIST_ENTRY;
		AUTO(free_drop) char *marked = NULL;
		bool skip = false;
		if (whiteout_parse(tar->path, &kind, &marked, &skip, e) < 0)
			return -1;
		if (skip)
			continue;
		if (p->listing.len > LIMIT_LISTING)
			return err_set(e, ERR_LIMIT, "more members than a layer may have");
		if ((kind == LIST_ENTRY ? apply_entry(p, tar, e) : apply_mark(p, kind, marked, e)) < 0)
			return -1;
	}
	return r;
}

/* Everything up to the last byte was read, so that both digests speak of all of the blob (T-A15, T-H5). */
static int check_digests(struct apply *p, struct diffid *ret, struct err *e)
{
	const struct descriptor *blob = p->a->blob;
	struct digest got = sha_end(&p->blob_sha);
	ret->d = sha_end(&p->diff_sha);
	if (!digest_eq(&got, &blob->digest) || p->blob_size != blob->size)
		return err_set(e, ERR_INTEGRITY,
			       "%s of %" PRIu64 " bytes is damaged: it has digest %s and %" PRIu64 " bytes", p->name,
			       blob->size, digest_text(&got).s, p->blob_size);
	if (p->a->want && !digest_eq(&p->a->want->d, &ret->d))
		return err_set(e, ERR_INTEGRITY, "%s unpacks to diffID %s, but the image's config says %s", p->name,
			       digest_text(&ret->d).s, digest_text(&p->a->want->d).s);
	return 0;
}

/*
 * Broken content may be no fault of the image: a blob that is not what its digest says shall be fetched again, and the
 * error must tell the two apart. Hashes the blob from its start.
 */
static int unpack_failed(struct apply *p, struct err *e)
{
	struct err ignored;
	struct sha sha;
	ssize_t n;
	if (p->a->follow || (e->kind != ERR_SPEC && e->kind != ERR_LIMIT) || lseek(p->blob_fd, 0, SEEK_SET) < 0)
		return err_in(e, "unpack %s", p->name);
	sha_init(&sha);
	AUTO(source_drop) struct source *s = source_digest(source_fd(p->blob_fd, "blob"), &sha, NULL);
	while ((n = source_read(s, p->buf, BUF, &ignored)) > 0)
		;
	struct digest got = sha_end(&sha);
	if (n == 0 && !digest_eq(&got, &p->a->blob->digest))
		return err_set(e, ERR_INTEGRITY, "%s is damaged: it has digest %s", p->name, digest_text(&got).s);
	return err_in(e, "unpack %s", p->name);
}

/* Without the digests of files, a listing is not to replace one that may have them. */
static int publish_listing(struct apply *p, const struct diffid *diffid, struct err *e)
{
	struct listing there = { 0 };
	int r = p->a->digest_files ? 1 : listing_load(p->a->store, diffid, &there, e);
	listing_fini(&there);
	return r == 1 ? listing_save(p->a->store, diffid, &p->listing, e) : r;
}

static int publish(struct apply *p, const struct diffid *diffid, struct err *e)
{
	char name[16 + DIGEST_TEXT];
	struct json_out out;
	if (publish_listing(p, diffid, e) < 0)
		return -1;
	json_out_init(&out);
	descriptor_write(&out, p->a->blob);
	AUTO(free_drop) char *text = json_out_take(&out);
	snprintf(name, sizeof name, "layer/%s.json", digest_hex(&diffid->d).s);
	return store_json_put(p->a->store, name, text, e);
}

int layer_apply(const struct layer_apply *a, struct diffid *ret, struct err *e)
{
	AUTO(apply_fini) struct apply p = { .a = a, .blob_fd = -1 };
	struct diffid diffid;
	if (apply_open(&p, e) < 0)
		return -1;
	if (apply_members(&p, e) < 0 || source_drain(p.in, e) < 0) {
		read_end(&p);
		return unpack_failed(&p, e);
	}
	if (check_digests(&p, &diffid, e) < 0)
		return -1;
	if (p.tree && tree_writer_finish(p.tree, a->implied, e) < 0)
		return err_in(e, "unpack %s", p.name);
	if (a->follow && blob_follow_wait(a->follow, e) < 0)
		return err_in(e, "unpack %s", p.name);
	if (publish(&p, &diffid, e) < 0)
		return -1;
	*ret = diffid;
	if (a->ret_size)
		*a->ret_size = p.tar_size;
	return 0;
}
