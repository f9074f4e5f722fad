#include "store/use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store.h"
#include "store_priv.h"

/*
 * lock/live is never written. Its byte 0 is locked for reading while somebody asks for an object, for writing while
 * objects are taken away; the byte whose number is a time in nanoseconds is locked for reading by who began then. The locks belong to the open
 * file (fcntl(2), F_OFD_SETLK; Linux 3.15), so forked workers share the life lock, and nobody loses one by closing
 * another descriptor of the file.
 */
static const char live[] = "lock/live";

static int open_live(struct store *s)
{
	return openat(s->fd, live, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int lock_byte(int fd, int command, short type, off_t at)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
	int r;
	do
		r = fcntl(fd, command, &lock);
	while (r < 0 && errno == EINTR);
	return r;
}

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* The times of what belongs to another id, as the directory of a cache mount may, are not ours to set (utimensat(2),
 * EPERM): an empty file beside it has them instead. */
static struct mark_name mark_of(const char *name)
{
	struct mark_name mark;
	snprintf(mark.s, sizeof mark.s, "%s" STORE_MARK, name);
	return mark;
}

static void mark(struct store *s, const char *name)
{
	static const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	AUTO(fd_drop)
	int fd = openat(s->fd, mark_of(name).s, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || futimens(fd, now) < 0)
		log_debug("%s/%s" STORE_MARK ": %s", s->path, name, strerror(errno));
}

int64_t store_used(struct store *s, const char *name, const struct stat *st)
{
	struct stat beside;
	int64_t used = nanoseconds(&st->st_atim);
	if (st->st_uid == geteuid() || fstatat(s->fd, mark_of(name).s, &beside, AT_SYMLINK_NOFOLLOW) < 0)
		return used;
	return used > nanoseconds(&beside.st_atim) ? used : nanoseconds(&beside.st_atim);
}

void mark_remove(struct store *s, const char *name)
{
	unlinkat(s->fd, mark_of(name).s, 0);
}

/* Of the file system: whoever would prune gets the same answer and does nothing. */
static bool knows_no_locks(int why)
{
	return why == ENOLCK || why == EINVAL || why == EOPNOTSUPP || why == ENOSYS || why == EROFS;
}

/*
 * We began when the lock could be seen: a prune that asked before it may take away what others used meanwhile, so that has
 * to be marked anew.
 */
static int lock_life(struct store *s)
{
	off_t first = nanoseconds(&s->began), at;
	if (lock_byte(s->live_fd, F_OFD_SETLK, F_RDLCK, first) < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME_COARSE, &s->began);
	at = nanoseconds(&s->began);
	if (at != first && lock_byte(s->live_fd, F_OFD_SETLK, F_RDLCK, at) == 0)
		lock_byte(s->live_fd, F_OFD_SETLK, F_UNLCK, first);
	return 0;
}

int live_begin(struct store *s, struct err *e)
{
	/* The clock that stamps files: it stands still between ticks, as they do. */
	clock_gettime(CLOCK_REALTIME_COARSE, &s->began);
	s->live_fd = open_live(s);
	if (s->live_fd >= 0 && lock_life(s) == 0)
		return 0;
	/* Unseen, we would lose to a prune what we use. */
	if (!knows_no_locks(errno))
		return err_sys(e, "lock %s/%s", s->path, live);
	log_debug("%s/%s: %s; this store cannot be pruned", s->path, live, strerror(errno));
	return 0;
}

bool store_use(struct store *s, const char *name, struct stat *ret)
{
	static const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };
	struct stat st;
	if (!ret)
		ret = &st;
	if (fstatat(s->fd, name, ret, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (nanoseconds(&ret->st_atim) >= nanoseconds(&s->began))
		return true;
	AUTO(fd_drop) int fd = open_live(s);
	if (fd < 0 || lock_byte(fd, F_OFD_SETLKW, F_RDLCK, 0) < 0)
		log_debug("%s/%s: %s", s->path, live, strerror(errno));
	if (utimensat(s->fd, name, now, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (errno == ENOENT)
		return false;
	if (errno == EPERM || errno == EACCES)
		mark(s, name);
	else
		log_debug("%s/%s: %s", s->path, name, strerror(errno));
	return true;
}

int store_use_stop(struct store *s, int *ret_lock, struct err *e)
{
	AUTO(fd_drop) int fd = open_live(s);
	if (fd < 0 || lock_byte(fd, F_OFD_SETLKW, F_WRLCK, 0) < 0)
		return err_sys(e, "lock %s/%s", s->path, live);
	*ret_lock = fd_take(&fd);
	return 0;
}

int store_use_since(struct store *s, bool own, int64_t *ret, struct err *e)
{
	struct timespec now;
	/* Seen from another open file, our lock is as good as theirs. */
	AUTO(fd_drop) int other = own ? open_live(s) : -1;
	if (s->live_fd < 0)
		return err_set(e, ERR_SYS, "%s/%s cannot be locked here, so nobody can tell what is in use", s->path, live);
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (own && other < 0)
		return err_sys(e, "open %s/%s", s->path, live);
	/* Each answer is some lock before the last one, so the last is the first of all. */
	off_t first = nanoseconds(&now);
	while (first > 1) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = first - 1 };
		if (fcntl(own ? other : s->live_fd, F_OFD_GETLK, &lock) < 0)
			return err_sys(e, "ask for the locks of %s/%s", s->path, live);
		if (lock.l_type == F_UNLCK)
			break;
		first = lock.l_start;
	}
	*ret = first;
	return 0;
}
