#include "store/follow.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/stream.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/blob.h"
#include "store/claim.h"
#include "store/store.h"

enum { LOOK_AGAIN_MS = 5 };

struct follow {
	struct source base;
	struct blob_follow blob;
	uint64_t at;
	int fd;        /* owned; -1: nothing of it is there yet */
	bool is_whole; /* fd is the blob of the store */
};

/* True: the download has ended, since before this call or while it waited. */
static bool has_ended(const struct blob_follow *b, int wait_ms)
{
	struct pollfd p = { .fd = b->ended_fd, .events = POLLIN };
	return poll(&p, 1, wait_ms) > 0;
}

static int never_came(const struct blob_follow *b, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "the download of blob %s ended without it", digest_text(&b->digest).s);
}

static void open_whole(struct follow *f)
{
	struct err absent;
	int fd;
	if (blob_open(f->blob.store, &f->blob.digest, &fd, &absent) < 0)
		return;
	fd_drop(&f->fd);
	f->fd = fd;
	f->is_whole = true;
}

/* A file that was given up has no name any more. */
static bool is_given_up(int fd)
{
	struct stat st;
	return fstat(fd, &st) < 0 || st.st_nlink == 0;
}

static void open_partial(struct follow *f)
{
	struct err absent;
	AUTO(free_drop) char *claim = x_asprintf("blob-%s", digest_hex(&f->blob.digest).s);
	AUTO(str_fini) struct str name = { 0 };
	fd_drop(&f->fd);
	if (claim_told(f->blob.store, claim, &name) && str_starts(name.buf, "tmp/") && !strchr(name.buf + 4, '/'))
		(void)fd_open_regular(f->blob.store->fd, name.buf, &f->fd, &absent);
}

static ssize_t follow_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct follow *f = (struct follow *)s;
	if (n > f->blob.size - f->at)
		n = (size_t)(f->blob.size - f->at);
	while (n) {
		/* Asked first: what it published before its end is seen below. */
		const bool ended = has_ended(&f->blob, 0);
		const ssize_t got = f->fd < 0 ? 0 : pread(f->fd, buf, n, (off_t)f->at);
		if (got > 0) {
			f->at += (uint64_t)got;
			return got;
		}
		if (got < 0 && errno != EINTR)
			return err_sys(e, "read blob %s", digest_text(&f->blob.digest).s);
		if (f->is_whole)
			return err_set(e, ERR_INTEGRITY, "blob %s ends early", digest_text(&f->blob.digest).s);
		open_whole(f);
		if (f->is_whole)
			continue;
		if (ended)
			return never_came(&f->blob, e);
		if (f->fd < 0 || f->at == 0 || is_given_up(f->fd))
			open_partial(f);
		has_ended(&f->blob, LOOK_AGAIN_MS);
	}
	return 0;
}

static void follow_free(struct source *s)
{
	struct follow *f = (struct follow *)s;
	fd_drop(&f->fd);
	free(f);
}

struct source *source_follow(const struct blob_follow *b)
{
	struct follow *f = x_alloc(sizeof *f);
	*f = (struct follow){ .base = { .read = follow_read, .free = follow_free }, .blob = *b, .fd = -1 };
	return &f->base;
}

int blob_follow_wait(const struct blob_follow *b, struct err *e)
{
	for (bool ended = false;;) {
		uint64_t size;
		if (blob_exists(b->store, &b->digest, &size) && size == b->size)
			return 0;
		if (ended)
			return never_came(b, e);
		ended = has_ended(b, LOOK_AGAIN_MS);
	}
}
