/*
 * A blob of the store into an OCI layout.
 *
 * What was written once is not written again where that can be helped: the bytes are shared by reflink (btrfs, XFS,
 * bcachefs), else by a hard link, else copied (to another file system or mount, or one without links).
 *
 * A hard link is safe as long as nobody writes into the file: who has a layout deletes from it, and programs that write
 * layouts put new files aside and rename them. So that a program that would write in place is refused, a linked blob is
 * read-only, in the store too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/frames.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "export_priv.h"
#include "store/blob.h"

enum { CHUNK = 1 << 18, READ_ONLY = 0444 };

/* ---- a file of the output ---- */

/* A file without a name until it is complete, so that nothing of a killed export stays; "" where that is not possible.
 */
static int open_aside(int blobs_fd, char aside[32], struct err *e)
{
	char id[17];
	aside[0] = '\0';
	int fd = openat(blobs_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd >= 0)
		return fd;
	random_hex(id, 8);
	snprintf(aside, 32, ".tmp-%s", id);
	fd = openat(blobs_fd, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd < 0 ? err_sys(e, "create a blob in the output") : fd;
}

/* A name for an open file. What has it already, with another size, was cut off by somebody else. */
static int link_fd(int fd, int blobs_fd, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, blobs_fd, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST || unlinkat(blobs_fd, name, 0) < 0)
		return -1;
	return linkat(AT_FDCWD, path, blobs_fd, name, AT_SYMLINK_FOLLOW);
}

static int give_name(int blobs_fd, int fd, const char *aside, const char *name, struct err *e)
{
	if (fd_sync(fd) < 0)
		return err_sys(e, "write blob %s", name);
	int r = *aside ? renameat(blobs_fd, aside, blobs_fd, name) : link_fd(fd, blobs_fd, name);
	return r < 0 ? err_sys(e, "write blob %s", name) : 0;
}

/* ---- its bytes ---- */

/* All of `from` into `below` (taken), hashed on the way: the store's disk may have rotted since it was written. */
static int pass_bytes(int from, struct sink *below, const struct descriptor *d, struct err *e)
{
	struct digest_text hex = digest_hex(&d->digest);
	AUTO(free_drop) char *buf = x_alloc(CHUNK);
	struct sha sha;
	uint64_t size;
	ssize_t n;
	sha_init(&sha);
	AUTO(sink_drop) struct sink *out = sink_digest(below, &sha, &size);
	int r = 0;
	while (r == 0 && (n = fd_read(from, buf, CHUNK)) != 0)
		r = n < 0 ? err_sys(e, "read blob %s", hex.s) : sink_write(out, buf, (size_t)n, e);
	if (r == 0)
		r = sink_finish(out, e);
	struct digest got = sha_end(&sha);
	if (r == 0 && !digest_eq(&got, &d->digest))
		r = err_set(e, ERR_INTEGRITY, "blob %s of the store is damaged: its bytes have another digest", hex.s);
	return r;
}

/*
 * Before a blob is shared. One that was written since this process opened the store was hashed on its way there; one that
 * is older is read again, which costs no more than copying it did.
 */
static int check_bytes(const struct store *s, int from, const struct descriptor *d, struct err *e)
{
	struct stat st;
	if (fstat(from, &st) < 0)
		return err_sys(e, "read blob %s", digest_hex(&d->digest).s);
	/* The same clock in both; what has the very time may be from before. */
	bool is_new = st.st_mtim.tv_sec > s->began.tv_sec ||
		      (st.st_mtim.tv_sec == s->began.tv_sec && st.st_mtim.tv_nsec > s->began.tv_nsec);
	return is_new && (uint64_t)st.st_size == d->size ? 0 : pass_bytes(from, sink_null(), d, e);
}

/* Whether the file may have a second name, under which nobody can write to it. */
static bool may_link(int from)
{
	struct stat st;
	return fstat(from, &st) == 0 && ((st.st_mode & 07777) == READ_ONLY || fchmod(from, READ_ONLY) == 0);
}

/* 0 linked, 1 that cannot be. Layers are on disk since they have their names (store/store.h), documents may not be. */
static int link_blob(struct store *s, struct blob_place *to, int from, const struct descriptor *d, struct err *e)
{
	struct digest_text hex = digest_hex(&d->digest);
	if (to->never_links)
		return 1;
	if (!may_link(from)) {
		to->never_links = true;
		return 1;
	}
	if (check_bytes(s, from, d, e) < 0)
		return -1;
	if (d->size <= LIMIT_CONFIG && fd_sync(from) < 0)
		return err_sys(e, "sync blob %s", hex.s);
	to->never_links = link_fd(from, to->fd, hex.s) < 0;
	return to->never_links ? 1 : 0;
}

/* 0 `fd` has the extents of the store's file, 1 that cannot be. */
static int clone_blob(struct store *s, struct blob_place *to, int from, int fd, const struct descriptor *d,
		      struct err *e)
{
	if (!to->never_clones)
		to->never_clones = ioctl(fd, FICLONE, from) < 0;
	return to->never_clones ? 1 : check_bytes(s, from, d, e);
}

static bool is_there(int blobs_fd, const char *name, uint64_t size)
{
	struct stat st;
	return fstatat(blobs_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == size;
}

/* A file of its own, which shares its extents with the store's (`clone`) or has a copy of the bytes. 1: it cannot share. */
static int own_blob(struct store *s, struct blob_place *to, int from, const struct descriptor *d, bool clone,
		    struct err *e)
{
	struct digest_text hex = digest_hex(&d->digest);
	char aside[32];
	int r;
	AUTO(fd_drop) int fd = open_aside(to->fd, aside, e);
	if (fd < 0)
		return -1;
	if (clone)
		r = clone_blob(s, to, from, fd, d, e);
	else
		r = pass_bytes(from, sink_frames(COMPRESSION_NONE, 0, 1, NULL, sink_fd(fd, hex.s)), d, e);
	if (r == 0)
		r = give_name(to->fd, fd, aside, hex.s, e);
	if (r != 0 && *aside)
		unlinkat(to->fd, aside, 0);
	return r;
}

int export_blob(struct store *s, struct blob_place *to, const struct descriptor *d, struct err *e)
{
	AUTO(fd_drop) int from = -1;
	if (is_there(to->fd, digest_hex(&d->digest).s, d->size))
		return 0;
	if (blob_open(s, &d->digest, &from, e) < 0)
		return -1;
	int r = to->never_clones ? 1 : own_blob(s, to, from, d, true, e);
	if (r == 1)
		r = link_blob(s, to, from, d, e);
	if (r == 1 && lseek(from, 0, SEEK_SET) < 0)
		return err_sys(e, "read blob %s", digest_hex(&d->digest).s);
	return r == 1 ? own_blob(s, to, from, d, false, e) : r;
}
