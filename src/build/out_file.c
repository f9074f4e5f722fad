#include "out_file_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

void out_file_fini(struct out_file *o)
{
	if (o->aside[0])
		unlinkat(o->dir, o->aside, 0);
	fd_drop(&o->fd);
	fd_drop(&o->dir);
}

int out_place_check(const char *path, struct err *e)
{
	struct stat st;
	AUTO(free_drop) char *clean = path_clean(path);
	bool there = stat(clean, &st) == 0, is_dir = there && S_ISDIR(st.st_mode);
	/* A pipe or device is opened where it is. */
	if (there && !is_dir && !S_ISREG(st.st_mode))
		return faccessat(AT_FDCWD, clean, W_OK, AT_EACCESS) == 0 ? 0 : err_sys(e, "write to %s", path);
	AUTO(free_drop) char *dir = is_dir ? x_strdup(clean) : path_dir(clean);
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	return is_dir ? err_sys(e, "write to %s", path) : err_sys(e, "write to the directory of %s", path);
}

static void new_aside(struct out_file *o)
{
	char id[17];
	random_hex(id, 8);
	snprintf(o->aside, sizeof o->aside, ".nacre-%s", id);
}

static int open_special(struct out_file *o, const char *path, struct err *e)
{
	o->fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return o->fd < 0 ? err_sys(e, "open %s", path) : 0;
}

int out_file_open(struct out_file *o, const char *path, struct err *e)
{
	struct stat st;
	*o = OUT_FILE_NONE;
	if (!path) {
		o->fd = fd_dup(STDOUT_FILENO);
		return o->fd < 0 ? err_sys(e, "write to standard output") : 0;
	}
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return open_special(o, path, e);
	AUTO(free_drop) char *dir = path_dir(path);
	o->name = path_base(path);
	o->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dir < 0)
		return err_sys(e, "open the directory of %s", path);
	/* Without a name nothing stays when we are killed; not every file system has that. */
	o->fd = openat(o->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (o->fd >= 0)
		return 0;
	new_aside(o);
	o->fd = openat(o->dir, o->aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (o->fd >= 0)
		return 0;
	o->aside[0] = '\0';
	return err_sys(e, "create %s", path);
}

int out_file_publish(struct out_file *o, const char *path, struct err *e)
{
	if (o->dir < 0)
		return 0;
	if (fd_sync(o->fd) < 0)
		return err_sys(e, "write %s", path);
	if (!o->aside[0]) {
		char self[64];
		snprintf(self, sizeof self, "/proc/self/fd/%d", o->fd);
		new_aside(o);
		if (linkat(AT_FDCWD, self, o->dir, o->aside, AT_SYMLINK_FOLLOW) < 0) {
			o->aside[0] = '\0';
			return err_sys(e, "write %s", path);
		}
	}
	if (renameat(o->dir, o->aside, o->dir, o->name) < 0)
		return err_sys(e, "write %s", path);
	o->aside[0] = '\0';
	return 0;
}
