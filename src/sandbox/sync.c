#include "sync_priv.h"

#include <sys/socket.h>

#include "base/fd.h"

bool sync_tell(int fd, enum sync_step step)
{
	char c = (char)step;
	return send(fd, &c, 1, MSG_NOSIGNAL) == 1;
}

bool sync_await(int fd, enum sync_step step)
{
	char c;
	return fd_read(fd, &c, 1) == 1 && c == (char)step;
}

bool sync_tell_status(int fd, int wait_status)
{
	return send(fd, &wait_status, sizeof wait_status, MSG_NOSIGNAL) == sizeof wait_status;
}

bool sync_take_status(int fd, int *ret_wait_status)
{
	int status;
	if (fd_read(fd, &status, sizeof status) != sizeof status)
		return false;
	*ret_wait_status = status;
	return true;
}
