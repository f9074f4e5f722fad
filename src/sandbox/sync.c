#include "sync_priv.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/fd.h"

static int tell(int fd, const void *bytes, size_t n, struct err *e)
{
	ssize_t put;
	do
		put = send(fd, bytes, n, MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	return put == (ssize_t)n ? 0 : err_sys(e, "send to the other process of a step");
}

int sync_tell(int fd, enum sync_step step, struct err *e)
{
	char c = (char)step;
	return tell(fd, &c, 1, e);
}

int sync_await(int fd, enum sync_step step, struct err *e)
{
	char c;
	ssize_t n = fd_read(fd, &c, 1);
	if (n < 0)
		return err_sys(e, "read from the guard of a step");
	return n == 1 && c == (char)step ? 0 : err_set(e, ERR_SYS, "the guard of a step has ended");
}

int sync_tell_status(int fd, int wait_status, struct err *e)
{
	return tell(fd, &wait_status, sizeof wait_status, e);
}

int sync_take_status(int fd, int *ret_wait_status, struct err *e)
{
	int status;
	ssize_t n = fd_read(fd, &status, sizeof status);
	if (n < 0)
		return err_sys(e, "read the status of a command");
	if (n != (ssize_t)sizeof status)
		return 0;
	*ret_wait_status = status;
	return 1;
}
