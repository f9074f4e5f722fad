#include "local_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* 0; 1: another process renamed it between the question and the answer, ask again; -1. */
static int open_once(int fd, const char *what, int *ret_fd, struct err *e)
{
	char link[32], path[PATH_MAX];
	struct stat then, now;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path);
	if (n < 0)
		return err_sys(e, "%s: read %s", what, link);
	if (n == (ssize_t)sizeof path)
		return err_set(e, ERR_LIMIT, "%s: its path is longer than %d bytes", what, PATH_MAX - 1);
	path[n] = '\0';
	AUTO(fd_drop) int here = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (here < 0) {
		bool gone = errno == ENOENT;
		err_sys(e, "%s: open %s", what, path);
		return gone ? 1 : -1;
	}
	if (fstat(fd, &then) < 0 || fstat(here, &now) < 0)
		return err_sys(e, "%s: stat %s", what, path);
	if (then.st_dev != now.st_dev || then.st_ino != now.st_ino) {
		err_set(e, ERR_SYS, "%s: %s was replaced meanwhile", what, path);
		return 1;
	}
	*ret_fd = fd_take(&here);
	return 0;
}

/* A layer that was just packed moves to its place in the store while this step starts. It moves once. */
enum { TRIES = 16 };

int local_open(int fd, const char *what, int *ret_fd, struct err *e)
{
	int r = 1;
	for (int i = 0; r == 1 && i < TRIES; i++)
		r = open_once(fd, what, ret_fd, e);
	return r == 0 ? 0 : -1;
}
