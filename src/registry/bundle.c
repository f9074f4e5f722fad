#include "bundle_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/foreign.h"
#include "archive/tar_read.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "store/blob.h"

enum { BUF = 128 << 10, NUMBER = 24 };

void bundle_free(struct bundle *b)
{
	if (!b)
		return;
	if (b->id[0])
		store_tmp_discard(b->store, b->id);
	fd_drop(&b->dir);
	for (size_t i = 0; i < b->files.n; i++) {
		free(b->files.v[i].path);
		free(b->files.v[i].link);
	}
	vec_fini(&b->files);
	free(b->name);
	free(b);
}

void bundle_drop(struct bundle **b)
{
	bundle_free(*b);
}

static const struct bundle_file *find_exactly(const struct bundle *b, const char *path)
{
	for (size_t i = 0; i < b->files.n; i++)
		if (str_eq(b->files.v[i].path, path))
			return &b->files.v[i];
	return NULL;
}

const struct bundle_file *bundle_find(const struct bundle *b, const char *path)
{
	const struct bundle_file *f = find_exactly(b, path);
	for (unsigned i = 0; f && f->link; i++)
		f = i < LIMIT_SYMLINKS ? find_exactly(b, f->link) : NULL;
	return f;
}

/* ---- reading the archive ---- */

/* Whether the member is a blob of a layout that the store has already, so that it need not be written again. */
static bool store_has(struct bundle *b, const struct tar_entry *t, struct digest *ret)
{
	static const char blobs[] = "blobs/sha256/";
	struct err ignored;
	uint64_t size;
	if (!str_starts(t->path, blobs))
		return false;
	AUTO(free_drop) char *text = x_asprintf("sha256:%s", t->path + sizeof blobs - 1);
	return digest_parse(text, ret, &ignored) == 0 && blob_exists(b->store, ret, &size) && size == t->size;
}

static int copy_member(struct tar_reader *r, int to /* -1: digest only */, struct digest *ret, struct err *e)
{
	AUTO(free_drop) char *buf = x_alloc(BUF);
	AUTO(sha_drop) struct sha sha = { 0 };
	ssize_t n;
	sha_init(&sha);
	while ((n = tar_reader_read(r, buf, BUF, e)) > 0) {
		sha_add(&sha, buf, (size_t)n);
		if (to >= 0 && fd_write_all(to, buf, (size_t)n, "a file of the archive", e) < 0)
			return -1;
	}
	if (n < 0)
		return -1;
	*ret = sha_end(&sha);
	return 0;
}

static int keep_file(struct bundle *b, struct tar_reader *r, const struct tar_entry *t, struct bundle_file *f,
		     struct err *e)
{
	char number[NUMBER];
	struct digest named;
	AUTO(fd_drop) int to = -1;
	snprintf(number, sizeof number, "%zu", b->files.n);
	f->size = t->size;
	f->is_blob = store_has(b, t, &named);
	if (!f->is_blob) {
		to = openat(b->dir, number, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (to < 0 || fchmod(to, 0644) < 0) /* an odd umask must not make it unreadable */
			return err_sys(e, "create a file in %s/tmp", b->store->path);
	}
	if (copy_member(r, to, &f->digest, e) < 0)
		return -1;
	if (f->is_blob && !digest_eq(&f->digest, &named))
		return err_set(e, ERR_INTEGRITY, "%s: its bytes have digest %s", t->path, digest_text(&f->digest).s);
	return 0;
}

/* Where a link leads in the archive. Docker's older archives have one for a layer that several images share. */
static char *link_target(const struct tar_entry *t)
{
	if (t->type == TAR_HARDLINK)
		return x_strdup(t->link);
	AUTO(free_drop) char *dir = path_dir(t->path);
	AUTO(free_drop) char *joined = x_asprintf("%s/%s", t->link[0] == '/' ? "" : dir, t->link);
	AUTO(free_drop) char *rooted = path_rooted(joined);
	return x_strdup(rooted + 1);
}

static int keep_entry(struct bundle *b, struct tar_reader *r, const struct tar_entry *t, struct err *e)
{
	struct bundle_file f = { 0 };
	if (t->type == TAR_DIR)
		return 0;
	if (t->type != TAR_FILE && t->type != TAR_SYMLINK && t->type != TAR_HARDLINK)
		return err_set(e, ERR_SPEC, "%s is a device or pipe", t->path);
	if (strlen(t->path) > LIMIT_ARCHIVE_PATH || (t->link && strlen(t->link) > LIMIT_ARCHIVE_PATH))
		return err_set(e, ERR_LIMIT, "%.60s...: the path has more than %u bytes", t->path, LIMIT_ARCHIVE_PATH);
	if (find_exactly(b, t->path))
		return err_set(e, ERR_SPEC, "%s is there twice", t->path);
	if (b->files.n == LIMIT_ARCHIVE_FILES)
		return err_set(e, ERR_LIMIT, "there are more than %u files", LIMIT_ARCHIVE_FILES);
	if (t->type == TAR_FILE && keep_file(b, r, t, &f, e) < 0)
		return -1;
	if (t->type != TAR_FILE)
		f.link = link_target(t);
	f.path = x_strdup(t->path);
	vec_push(&b->files, f);
	return 0;
}

static int read_tar(struct bundle *b, int fd, struct err *e)
{
	AUTO(source_drop) struct source *in = NULL;
	const struct tar_entry *t;
	int more;
	if (source_decompress_any(source_fd(fd, b->name), b->name, &in, e) < 0)
		return -1;
	in = source_limit(in, LIMIT_LAYER_BYTES, b->name);
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, b->name);
	while ((more = tar_reader_next(r, &t, e)) > 0)
		if (keep_entry(b, r, t, e) < 0)
			return err_in(e, "%s", b->name);
	/* Whether the compressed data is whole is known at its end only. */
	return more < 0 ? -1 : source_drain(in, e);
}

int bundle_read(struct store *s, int fd, const char *name, struct bundle **ret, struct err *e)
{
	AUTO(bundle_drop) struct bundle *b = x_alloc(sizeof *b);
	*b = (struct bundle){ .store = s, .name = x_strdup(name), .dir = -1 };
	if (store_tmp_new(s, b->id, &b->dir, e) < 0)
		return -1;
	if (read_tar(b, fd, e) < 0)
		return -1;
	*ret = ptr_take(&b);
	return 0;
}

/* ---- what was read ---- */

bool bundle_is_empty(const struct bundle *b)
{
	return b->files.n == 0;
}

int bundle_text(struct bundle *b, const struct bundle_file *f, size_t limit, struct str *out, struct err *e)
{
	char number[NUMBER];
	if (f->is_blob)
		return blob_read(b->store, &f->digest, limit, out, e);
	if (f->size > limit)
		return err_set(e, ERR_LIMIT, "%s: %s has %llu bytes, the limit is %zu", b->name, f->path,
			       (unsigned long long)f->size, limit);
	/* An image that came before took it. */
	snprintf(number, sizeof number, "%zu", (size_t)(f - b->files.v));
	if (faccessat(b->dir, number, F_OK, 0) < 0)
		return blob_read(b->store, &f->digest, limit, out, e);
	return file_read(b->dir, number, limit, out, e);
}

int bundle_publish(struct bundle *b, const struct bundle_file *f, struct err *e)
{
	uint64_t size;
	if (blob_exists(b->store, &f->digest, &size) && size == f->size)
		return 0;
	AUTO(free_drop) char *file = x_asprintf("tmp/%s/%zu", b->id, (size_t)(f - b->files.v));
	return blob_adopt(b->store, file, &f->digest, e);
}
