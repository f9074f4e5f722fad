#include "sandbox/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "clone_priv.h"
#include "idmap_priv.h"
#include "refuse_priv.h"

/* A process in a new user namespace that does nothing until *ret_hold is closed; a namespace lives by its processes. */
static int start_holder(pid_t *ret_pid, int *ret_hold, struct err *e)
{
	int hold[2];
	if (pipe2(hold, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe to the holder of a user namespace");
	pid_t pid = clone_into(CLONE_NEWUSER);
	if (pid == 0) {
		char c;
		close(hold[1]);
		_exit(read(hold[0], &c, 1) ? 1 : 0);
	}
	int why = errno;
	close(hold[0]);
	if (pid < 0) {
		close(hold[1]);
		errno = why;
		return refuse_new_namespace(e, "make a user namespace");
	}
	*ret_pid = pid;
	*ret_hold = hold[1];
	return 0;
}

static int map_and_open(pid_t pid, struct userns *ret, struct err *e)
{
	char path[64];
	if (idmap_write(pid, &ret->map, e) < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
	ret->fd = open(path, O_RDONLY | O_CLOEXEC);
	return ret->fd < 0 ? err_sys(e, "open %s", path) : 0;
}

int userns_open(struct userns *ret, struct err *e)
{
	struct userns u = { .fd = -1 };
	pid_t pid;
	AUTO(fd_drop) int hold = -1;
	if (idmap_find(&u.map, e) < 0 || start_holder(&pid, &hold, e) < 0)
		return -1;
	int r = map_and_open(pid, &u, e);
	fd_drop(&hold);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return -1;
	*ret = u;
	return 0;
}

void userns_fini(struct userns *u)
{
	fd_drop(&u->fd);
}

int userns_join(const struct userns *u, struct err *e)
{
	if (setns(u->fd, CLONE_NEWUSER) < 0)
		return refuse_namespace(e, "enter the build's user namespace");
	/* The host's groups are not ours to use inside; then all three ids, so that no saved id leads back out. */
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(e, "become root of the build's user namespace");
	return 0;
}
