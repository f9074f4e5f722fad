#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/mem.h"

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the names in fd's directory; -1 and errno. Opens "." anew, so that an O_PATH descriptor will do. */
static int read_names(int dir_fd, struct strv *ret)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	struct dirent *entry;
	while ((errno = 0, entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_push(ret, entry->d_name);
	int failed = errno;
	closedir(d);
	errno = failed;
	return failed ? -1 : 0;
}

int dir_names(int dir_fd, struct strv *ret, struct err *e)
{
	struct strv names = { 0 };
	if (read_names(dir_fd, &names) < 0) {
		strv_fini(&names);
		return err_sys(e, "read directory");
	}
	if (names.n)
		qsort(names.v, names.n, sizeof *names.v, by_bytes);
	for (size_t i = 0; i < names.n; i++)
		strv_push_taken(ret, names.v[i]);
	vec_fini(&names);
	return 0;
}

/* One open directory on the way down, and the names in it still to be removed. */
struct level {
	int fd;
	struct strv left;
	char *name; /* in the level above; owned */
};

/* Opens a directory to empty it; one without permission bits is opened up first, which its owner may do. */
static int open_level(int dir_fd, const char *name, struct level *l)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags);
	if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
		fd = openat(dir_fd, name, flags);
	if (fd < 0)
		return -1;
	*l = (struct level){ .fd = fd, .name = x_strdup(name) };
	struct stat st;
	if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		fchmod(fd, st.st_mode | 0700);
	int r = read_names(fd, &l->left);
	int saved = errno;
	if (r < 0) {
		fd_drop(&l->fd);
		strv_fini(&l->left);
		free_drop(&l->name);
	}
	errno = saved;
	return r;
}

int tree_remove(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	VEC(struct level) levels = { 0 };
	int first = 0;
	struct level top;
	if (open_level(dir_fd, name, &top) < 0)
		return -1;
	vec_push(&levels, top);
	while (levels.n) {
		struct level *here = &levels.v[levels.n - 1];
		if (!here->left.n) {
			int above = levels.n > 1 ? levels.v[levels.n - 2].fd : dir_fd;
			fd_drop(&here->fd);
			if (unlinkat(above, here->name, AT_REMOVEDIR) < 0 && errno != ENOENT && !first)
				first = errno;
			free_drop(&here->name);
			strv_fini(&here->left);
			levels.n--;
			continue;
		}
		AUTO(free_drop) char *child = here->left.v[--here->left.n];
		if (unlinkat(here->fd, child, 0) == 0 || errno == ENOENT)
			continue;
		struct level next;
		int why = errno;
		if (why == EISDIR || why == EPERM) {
			if (open_level(here->fd, child, &next) == 0) {
				vec_push(&levels, next);
				continue;
			}
			why = errno;
		}
		if (!first)
			first = why;
	}
	vec_fini(&levels);
	errno = first;
	return first ? -1 : 0;
}

int file_put(int dir_fd, const char *name, const void *bytes, size_t n, bool sync, struct err *e)
{
	char aside[48];
	char id[17];
	random_hex(id, 8);
	snprintf(aside, sizeof aside, ".tmp-%s", id);
	AUTO(fd_drop) int fd = openat(dir_fd, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "create %s", name);
	if (fd_write_all(fd, bytes, n, name, e) < 0) {
		unlinkat(dir_fd, aside, 0);
		return -1;
	}
	if ((sync && fsync(fd) < 0) || renameat(dir_fd, aside, dir_fd, name) < 0) {
		err_sys(e, "write %s", name);
		unlinkat(dir_fd, aside, 0);
		return -1;
	}
	if (sync && fsync(dir_fd) < 0)
		return err_sys(e, "sync the directory of %s", name);
	return 0;
}
