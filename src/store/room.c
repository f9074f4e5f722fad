#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/store.h"

enum { PLACE_BITS = 40 }; /* one process's part of the file; 23 bits are left for process ids, which have 22 (proc(5)) */

static const off_t place_size = (off_t)1 << PLACE_BITS;

struct span { off_t from, to; };

/* F_OFD_…, as in use.c: a worker that is forked meanwhile shares the lock, and nobody loses it by closing another one. */
static int lock_bytes(int fd, int command, short type, off_t from, off_t to)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = to - from };
	int r;
	do
		r = fcntl(fd, command, &lock);
	while (r < 0 && errno == EINTR);
	return r;
}

/* Each question gives some lock of another, and leaves what lies before and behind it. */
static int announced_by_others(int fd, uint64_t *ret)
{
	VEC(struct span) todo = { 0 };
	uint64_t sum = 0;
	int r = 0;
	vec_push(&todo, ((struct span){ place_size, INT64_MAX }));
	while (todo.n && r == 0) {
		struct span s = todo.v[--todo.n];
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = s.from, .l_len = s.to - s.from };
		r = fcntl(fd, F_OFD_GETLK, &lock);
		if (r < 0 || lock.l_type == F_UNLCK)
			continue;
		off_t end = lock.l_start + lock.l_len;
		struct span found = { lock.l_start > s.from ? lock.l_start : s.from, end < s.to ? end : s.to };
		sum += (uint64_t)(found.to - found.from);
		if (s.from < found.from)
			vec_push(&todo, ((struct span){ s.from, found.from }));
		if (found.to < s.to)
			vec_push(&todo, ((struct span){ found.to, s.to }));
	}
	vec_fini(&todo);
	*ret = sum;
	return r;
}

int room_enter(struct store *s, struct room *ret, struct err *e)
{
	struct room r = { .fd = openat(s->fd, "lock/room", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) };
	if (r.fd < 0)
		return err_sys(e, "open %s/lock/room", s->path);
	if (lock_bytes(r.fd, F_OFD_SETLKW, F_WRLCK, 0, 1) < 0 || announced_by_others(r.fd, &r.announced) < 0) {
		err_sys(e, "lock %s/lock/room", s->path);
		fd_drop(&r.fd);
		return -1;
	}
	/* A new file has no figure yet; who enters without having looked looks. */
	if (pread(r.fd, &r.used, sizeof r.used, 0) != (ssize_t)sizeof r.used)
		r.used = 0;
	*ret = r;
	return 0;
}

static int write_figure(const struct room *r)
{
	return pwrite(r->fd, &r->used, sizeof r->used, 0) == (ssize_t)sizeof r->used ? 0 : -1;
}

int room_announce(struct room *r, uint64_t coming, struct err *e)
{
	off_t from = (off_t)getpid() << PLACE_BITS;
	off_t n = coming < (uint64_t)place_size ? (off_t)coming : place_size;
	if (write_figure(r) < 0 || (n && lock_bytes(r->fd, F_OFD_SETLK, F_RDLCK, from, from + n) < 0))
		return err_sys(e, "announce what is going to be written");
	return 0;
}

void room_leave(struct room *r)
{
	if (r->fd >= 0)
		lock_bytes(r->fd, F_OFD_SETLK, F_UNLCK, 0, 1);
}

void room_drop(struct room *r)
{
	/* Closing alone would leave the locks to the copies that processes forked meanwhile still hold. */
	if (r->fd >= 0)
		lock_bytes(r->fd, F_OFD_SETLK, F_UNLCK, 0, INT64_MAX);
	fd_drop(&r->fd);
}

void room_end(struct room *r, uint64_t written)
{
	if (r->fd < 0)
		return;
	if (lock_bytes(r->fd, F_OFD_SETLKW, F_WRLCK, 0, 1) < 0 ||
	    pread(r->fd, &r->used, sizeof r->used, 0) != (ssize_t)sizeof r->used) {
		log_debug("lock/room: what was written is not counted");
	} else {
		r->used += written;
		(void)write_figure(r);
	}
	room_drop(r);
}
