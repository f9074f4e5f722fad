#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/fd.h"
#include "base/mem.h"

int lock_fd(int fd, bool exclusive, bool wait, const char *name, struct err *e)
{
	int op = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB);
	while (flock(fd, op) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK)
			return 1;
		return err_sys(e, "lock %s", name);
	}
	return 0;
}

int lock_file(int dir_fd, const char *name, bool exclusive, bool wait, int *ret_fd, struct err *e)
{
	AUTO(fd_drop) int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "open lock %s", name);
	int r = lock_fd(fd, exclusive, wait, name, e);
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

void lock_drop(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		(void)flock(*fd, LOCK_UN);
	errno = saved;
	fd_drop(fd);
}
