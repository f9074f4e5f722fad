#include "context_unpack_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive/foreign.h"
#include "archive/tar_read.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "build_priv.h"
#include "oci/listing.h"

const char context_file_name[] = "context";

static bool begins(const unsigned char *head, size_t n, const char *magic, size_t len)
{
	return n >= len && memcmp(head, magic, len) == 0;
}

/* POSIX.1-2017 pax, "ustar Interchange Format": the sum of all bytes, those of the sum itself taken as blanks. */
static bool is_tar_header(const unsigned char *head)
{
	enum { SUM_AT = 148, SUM_LEN = 8 };
	unsigned sum = 0, stated = 0;
	size_t i = SUM_AT;
	for (size_t k = 0; k < ARCHIVE_HEAD; k++)
		sum += k >= SUM_AT && k < SUM_AT + SUM_LEN ? ' ' : head[k];
	while (i < SUM_AT + SUM_LEN && head[i] == ' ')
		i++;
	for (; i < SUM_AT + SUM_LEN && head[i] >= '0' && head[i] <= '7'; i++)
		stated = stated * 8 + (unsigned)(head[i] - '0');
	return stated == sum;
}

bool archive_head(const unsigned char *head, size_t n)
{
	static const unsigned char end_block[ARCHIVE_HEAD];
	if (begins(head, n, "\x1f\x8b\x08", 3) || begins(head, n, "BZh", 3) || begins(head, n, "\xfd" "7zXZ\0", 6) ||
	    begins(head, n, "\x28\xb5\x2f\xfd", 4))
		return true;
	/* An archive of nothing begins with its end. */
	return n >= ARCHIVE_HEAD && (is_tar_header(head) || memcmp(head, end_block, ARCHIVE_HEAD) == 0);
}

/* ---- contents ---- */

struct content {
	int dir;         /* borrowed */
	int fd;          /* being written; owned */
	struct sha sha;
};

static const char partial[] = "new";

static void content_fini(struct content *c)
{
	fd_drop(&c->fd);
	sha_drop(&c->sha);
}

static int content_begin(struct content *c, struct err *e)
{
	c->fd = openat(c->dir, partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (c->fd < 0)
		return err_sys(e, "create a file of the context");
	sha_init(&c->sha);
	return 0;
}

static int content_add(struct content *c, const void *bytes, size_t n, struct err *e)
{
	sha_add(&c->sha, bytes, n);
	return fd_write_all(c->fd, bytes, n, "a file of the context", e);
}

static int content_end(struct content *c, struct digest *ret, struct err *e)
{
	*ret = sha_end(&c->sha);
	fd_drop(&c->fd);
	if (renameat(c->dir, partial, c->dir, digest_hex(ret).s) < 0)
		return err_sys(e, "keep a file of the context");
	return 0;
}

enum { BUF = 128 << 10 };

static int keep_member(struct tar_reader *r, int dir, struct digest *ret, struct err *e)
{
	AUTO(content_fini) struct content c = { .dir = dir, .fd = -1 };
	AUTO(free_drop) char *buf = x_alloc(BUF);
	ssize_t n;
	if (content_begin(&c, e) < 0)
		return -1;
	while ((n = tar_reader_read(r, buf, BUF, e)) > 0)
		if (content_add(&c, buf, (size_t)n, e) < 0)
			return -1;
	return n < 0 ? -1 : content_end(&c, ret, e);
}

/* ---- archives ---- */

/* Of attributes, a context keeps file capabilities (CP-13). */
static void keep_capability(const struct tar_xattrs *all, struct tar_xattrs *ret)
{
	*ret = (struct tar_xattrs){ 0 };
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].name, "security.capability") == 0)
			*ret = (struct tar_xattrs){ .v = &all->v[i], .n = 1 };
}

static int keep_entry(struct tar_reader *r, const struct tar_entry *t, int dir, struct unpacked *u, struct err *e)
{
	struct list_entry entry = { .kind = LIST_ENTRY, .tar = *t }; /* borrows the reader's strings */
	keep_capability(&t->xattrs, &entry.tar.xattrs);
	if (t->type == TAR_FILE) {
		if (keep_member(r, dir, &entry.digest, e) < 0)
			return err_in(e, "%s", t->path);
		entry.has_digest = true;
		if (!u->has_newest || t->mtime > u->newest)
			u->newest = t->mtime;
		u->has_newest = true;
	}
	listing_add_text(&u->listing, &entry);
	if (u->listing.len > LIMIT_LISTING)
		return err_set(e, ERR_LIMIT, "more members than a context may have");
	return 0;
}

static int unpack_archive(int fd, const char *name, int dir, struct unpacked *u, struct err *e)
{
	AUTO(source_drop) struct source *in = NULL;
	const struct tar_entry *t;
	int more;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read %s", name);
	if (source_file_decompress(fd, name, &in, e) < 0)
		return -1;
	in = source_limit(in, LIMIT_LAYER_BYTES, name);
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, "the archive");
	while ((more = tar_reader_next(r, &t, e)) > 0)
		if (keep_entry(r, t, dir, u, e) < 0)
			return -1;
	/* Whether the compressed data is whole is known at its end only. */
	return more < 0 ? -1 : source_drain(in, e);
}

static int keep_single(int fd, int dir, struct unpacked *u, struct err *e)
{
	AUTO(content_fini) struct content c = { .dir = dir, .fd = -1 };
	AUTO(free_drop) char *buf = x_alloc(BUF);
	struct list_entry entry = {
		.kind = LIST_ENTRY,
		.tar = { .type = TAR_FILE, .path = (char *)context_file_name, .mode = 0600 },
		.has_digest = true,
	};
	ssize_t n;
	if (content_begin(&c, e) < 0)
		return -1;
	while ((n = pread(fd, buf, BUF, (off_t)entry.tar.size)) > 0) {
		if (content_add(&c, buf, (size_t)n, e) < 0)
			return -1;
		entry.tar.size += (uint64_t)n;
	}
	if (n < 0)
		return err_sys(e, "read the context");
	if (content_end(&c, &entry.digest, e) < 0)
		return -1;
	listing_add_text(&u->listing, &entry);
	return 0;
}

int context_unpack(int fd, const char *name, int contents_fd, struct unpacked *ret, struct err *e)
{
	unsigned char head[ARCHIVE_HEAD];
	ssize_t n = pread(fd, head, sizeof head, 0);
	struct unpacked u = { 0 };
	if (n < 0)
		return err_sys(e, "read %s", name);
	u.archive = archive_head(head, (size_t)n);
	int r = u.archive ? unpack_archive(fd, name, contents_fd, &u, e) : keep_single(fd, contents_fd, &u, e);
	if (r < 0) {
		str_fini(&u.listing);
		return u.archive ? err_in(e, "unpack %s", name) : -1;
	}
	*ret = u;
	return 0;
}
