#include "store/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/stream.h"
#include "base/fd.h"
#include "base/mem.h"
#include "store/store.h"
#include "store/use.h"
#include "store_priv.h"

struct blob_name blob_name(const struct digest *d)
{
	struct blob_name name;
	snprintf(name.s, sizeof name.s, "blobs/sha256/%s", digest_hex(d).s);
	return name;
}

bool blob_exists(struct store *s, const struct digest *d, uint64_t *ret_size)
{
	struct stat st;
	if (!store_use(s, blob_name(d).s, &st) || !S_ISREG(st.st_mode))
		return false;
	if (ret_size)
		*ret_size = (uint64_t)st.st_size;
	return true;
}

int blob_open(struct store *s, const struct digest *d, int *ret_fd, struct err *e)
{
	store_use(s, blob_name(d).s, NULL);
	if (fd_open_regular(s->fd, blob_name(d).s, ret_fd, e) == 0)
		return 0;
	if (e->kind == ERR_SYS && e->sysno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "blob %s is not in store %s", digest_text(d).s, s->path);
	return err_in(e, "store %s", s->path);
}

int blob_read(struct store *s, const struct digest *d, size_t limit, struct str *out, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	AUTO(str_fini) struct str bytes = { 0 };
	if (blob_open(s, d, &fd, e) < 0 || fd_read_all(fd, limit, blob_name(d).s, &bytes, e) < 0)
		return -1;
	struct digest found = digest_of(str_text(&bytes), bytes.len);
	if (!digest_eq(&found, d))
		return err_set(e, ERR_INTEGRITY, "blob %s in store %s is damaged: its bytes have the digest %s",
			       digest_text(d).s, s->path, digest_text(&found).s);
	str_addn(out, str_text(&bytes), bytes.len);
	return 0;
}

/*
 * Publishes `aside` unless a blob of that size is there; one of another size was lost in a power cut and is replaced.
 */
static int publish(struct store *s, const char *aside, uint64_t size, const struct digest *d, struct err *e)
{
	struct blob_name name = blob_name(d);
	int r = aside_publish(s, aside, name.s);
	uint64_t there;
	if (r == 1 && blob_exists(s, d, &there) && there == size)
		return unlinkat(s->fd, aside, 0);
	if (r == 1)
		r = renameat(s->fd, aside, s->fd, name.s);
	return r < 0 ? err_sys(e, "publish %s/%s", s->path, name.s) : 0;
}

/* Whether the blob is there with these very bytes. */
static bool holds(struct store *s, const struct digest *d, const void *bytes, size_t n)
{
	struct err absent;
	AUTO(fd_drop) int fd = -1;
	AUTO(str_fini) struct str there = { 0 };
	return blob_open(s, d, &fd, &absent) == 0 && fd_read_all(fd, n, "", &there, &absent) == 0 &&
	       there.len == n && memcmp(str_text(&there), bytes, n) == 0;
}

int blob_put(struct store *s, const void *bytes, size_t n, struct digest *ret, struct err *e)
{
	struct digest d = digest_of(bytes, n);
	if (!holds(s, &d, bytes, n) && aside_put(s, blob_name(&d).s, bytes, n, false, e) < 0)
		return -1;
	*ret = d;
	return 0;
}

int blob_sync(struct store *s, const struct digest *d, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (blob_open(s, d, &fd, e) < 0)
		return -1;
	return fd_sync(fd) < 0 ? err_sys(e, "sync %s/%s", s->path, blob_name(d).s) : 0;
}

int blob_names_sync(struct store *s, struct err *e)
{
	AUTO(fd_drop) int dir = openat(s->fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || fd_sync(dir) < 0 ? err_sys(e, "sync %s/blobs/sha256", s->path) : 0;
}

int blob_adopt(struct store *s, const char *file, const struct digest *d, struct err *e)
{
	struct stat st;
	AUTO(fd_drop) int fd = openat(s->fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s/%s", s->path, file);
	if (fstat(fd, &st) < 0 || fd_sync(fd) < 0)
		return err_sys(e, "sync blob %s", digest_text(d).s);
	return publish(s, file, (uint64_t)st.st_size, d, e);
}

int blob_writer_open(struct store *s, struct blob_writer *ret, struct err *e)
{
	struct blob_writer w = { .store = s };
	if (aside_open(s, w.name, &w.fd, e) < 0)
		return -1;
	*ret = w;
	return 0;
}

int blob_writer_commit(struct blob_writer *w, const struct digest *d, struct err *e)
{
	struct stat st;
	/* A failed fsync may have dropped the dirty pages; trying again would only seem to succeed. */
	if (fstat(w->fd, &st) < 0 || fd_sync(w->fd) < 0) {
		err_sys(e, "sync blob %s", digest_text(d).s);
		blob_writer_drop(w);
		return -1;
	}
	if (publish(w->store, w->name, (uint64_t)st.st_size, d, e) < 0) {
		blob_writer_drop(w);
		return -1;
	}
	fd_drop(&w->fd);
	*w = (struct blob_writer){ 0 };
	return 0;
}

void blob_writer_drop(struct blob_writer *w)
{
	if (!w->name[0])
		return;
	int saved = errno;
	unlinkat(w->store->fd, w->name, 0);
	fd_drop(&w->fd);
	*w = (struct blob_writer){ 0 };
	errno = saved;
}

/* The digest and number of bytes that were written. */
static int write_source(struct source *in, int fd, struct digest *ret, uint64_t *ret_size, struct err *e)
{
	enum { BUFFER = 256 << 10 };
	AUTO(free_drop) char *buf = x_alloc(BUFFER);
	struct sha sha;
	ssize_t n;
	*ret_size = 0;
	sha_init(&sha);
	while ((n = source_read(in, buf, BUFFER, e)) > 0) {
		sha_add(&sha, buf, (size_t)n);
		*ret_size += (uint64_t)n;
		if (fd_write_all(fd, buf, (size_t)n, "a blob", e) < 0) {
			n = -1;
			break;
		}
	}
	*ret = sha_end(&sha);
	return (int)n;
}

int blob_take(struct store *s, const struct digest *d, struct source *in, uint64_t size, struct err *e)
{
	struct blob_writer w = { 0 };
	uint64_t there, got;
	struct digest found;
	if (blob_exists(s, d, &there) && there == size)
		return 1;
	if (blob_writer_open(s, &w, e) < 0)
		return -1;
	int r = write_source(in, w.fd, &found, &got, e);
	if (r == 0 && digest_eq(&found, d))
		return blob_writer_commit(&w, d, e);
	blob_writer_drop(&w);
	if (r < 0)
		return -1;
	return err_set(e, ERR_INTEGRITY, "its %" PRIu64 " bytes have the digest %s", got, digest_text(&found).s);
}
