#include "local_priv.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

int local_open(int fd, const char *what, int *ret_fd, struct err *e)
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
	if (here < 0)
		return err_sys(e, "%s: open %s", what, path);
	if (fstat(fd, &then) < 0 || fstat(here, &now) < 0)
		return err_sys(e, "%s: stat %s", what, path);
	if (then.st_dev != now.st_dev || then.st_ino != now.st_ino)
		return err_set(e, ERR_SYS, "%s: %s was replaced meanwhile", what, path);
	*ret_fd = fd_take(&here);
	return 0;
}
