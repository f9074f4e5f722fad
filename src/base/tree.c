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
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	/* Looking is no use of what is there (and no write to the disk); only owners may ask for that. */
	int fd = openat(dir_fd, ".", flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(dir_fd, ".", flags);
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

/*
 * One directory on the way down, and the names in it still to be removed. Only the innermost few are kept open, since a
 * tree may be deeper than there are descriptors; an outer one is opened again through ".." of the one below it.
 */
struct level {
	int fd; /* -1: closed for now */
	dev_t dev;
	ino_t ino;
	struct strv left;
	char *name; /* in the level above; owned */
};

enum { LEVELS_OPEN = 16 };

static void level_fini(struct level *l)
{
	fd_drop(&l->fd);
	strv_fini(&l->left);
	free_drop(&l->name);
}

/* Opens a directory. `empty`: to empty it; one without permission bits is opened up first, which its owner may do. */
static int open_level(int dir_fd, const char *name, bool empty, struct level *ret)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags);
	if (empty && fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
		fd = openat(dir_fd, name, flags);
	if (fd < 0)
		return -1;
	struct level l = { .fd = fd, .name = x_strdup(name) };
	struct stat st;
	if (fstat(fd, &st) == 0 && empty && (st.st_mode & 0700) != 0700)
		fchmod(fd, (st.st_mode & 07777) | 0700);
	l.dev = st.st_dev;
	l.ino = st.st_ino;
	if (read_names(fd, &l.left) < 0) {
		int saved = errno;
		level_fini(&l);
		errno = saved;
		return -1;
	}
	*ret = l;
	return 0;
}

struct levels {
	struct level *v;
	size_t n, cap;
};

static void levels_push(struct levels *l, struct level *level)
{
	vec_push(l, *level);
	if (l->n > LEVELS_OPEN)
		fd_drop(&l->v[l->n - 1 - LEVELS_OPEN].fd);
}

/* Opens the directory above the innermost one again, if it was closed; -1 and errno when there is no way back. */
static int open_above(struct levels *l)
{
	struct level *here = &l->v[l->n - 1], *above = l->n > 1 ? here - 1 : NULL;
	struct stat st;
	if (!above || above->fd >= 0)
		return 0;
	above->fd = openat(here->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Somebody who moves directories about meanwhile must not lead us out of the tree. */
	if (above->fd >= 0 && fstat(above->fd, &st) == 0 && st.st_dev == above->dev && st.st_ino == above->ino)
		return 0;
	errno = ESTALE;
	return -1;
}

/*
 * Removes the emptied innermost directory and goes back to the one above it. -1 and errno; then *lost when there is no
 * way back.
 */
static int levels_pop(struct levels *l, int dir_fd, bool *lost)
{
	struct level *here = &l->v[l->n - 1], *above = l->n > 1 ? here - 1 : NULL;
	if (open_above(l) < 0) {
		*lost = true;
		return -1;
	}
	fd_drop(&here->fd);
	int r = unlinkat(above ? above->fd : dir_fd, here->name, AT_REMOVEDIR);
	if (r < 0 && errno == ENOENT)
		r = 0;
	int saved = errno;
	level_fini(here);
	l->n--;
	errno = saved;
	return r;
}

/* Removes one name, or opens it as a new innermost level. -1 and errno. */
static int remove_one(struct levels *l, int dir_fd, const char *name)
{
	struct level next;
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* Where names may not be removed, a directory's gives EACCES too; what is in it may still be ours to remove. */
	if (errno != EISDIR && errno != EPERM && errno != EACCES)
		return -1;
	int why = errno;
	if (open_level(dir_fd, name, true, &next) == 0) {
		levels_push(l, &next);
		return 0;
	}
	if (errno == ENOENT) /* another remover was here */
		return 0;
	if (errno == ENOTDIR || errno == ELOOP)
		errno = why;
	return -1;
}

int tree_remove(int dir_fd, const char *name)
{
	struct levels levels = { 0 };
	bool lost = false;
	int first = remove_one(&levels, dir_fd, name) < 0 ? errno : 0;
	while (levels.n && !lost) {
		struct level *here = &levels.v[levels.n - 1];
		AUTO(free_drop) char *child = here->left.n ? here->left.v[--here->left.n] : NULL;
		int r = child ? remove_one(&levels, here->fd, child) : levels_pop(&levels, dir_fd, &lost);
		if (r < 0 && !first)
			first = errno;
	}
	while (levels.n)
		level_fini(&levels.v[--levels.n]);
	vec_fini(&levels);
	errno = first;
	return first ? -1 : 0;
}

/* Counts one name, or opens it as a new innermost level as well. -1 and errno. */
static int count_one(struct levels *l, int dir_fd, const char *name, uint64_t *bytes)
{
	struct level next;
	struct stat st;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	/* Each name of a file counts for its share. */
	*bytes += (uint64_t)st.st_size / (S_ISDIR(st.st_mode) ? 1 : st.st_nlink ? st.st_nlink : 1);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (open_level(dir_fd, name, false, &next) < 0)
		return errno == ENOENT ? 0 : -1;
	levels_push(l, &next);
	return 0;
}

int tree_bytes(int dir_fd, const char *name, uint64_t *ret)
{
	struct levels levels = { 0 };
	uint64_t bytes = 0;
	int first = count_one(&levels, dir_fd, name, &bytes) < 0 ? errno : 0;
	while (levels.n) {
		struct level *here = &levels.v[levels.n - 1];
		AUTO(free_drop) char *child = here->left.n ? here->left.v[--here->left.n] : NULL;
		int r = child ? count_one(&levels, here->fd, child, &bytes) : open_above(&levels);
		if (r < 0 && !first)
			first = errno;
		if (!child && r < 0)
			break;
		if (!child)
			level_fini(&levels.v[--levels.n]);
	}
	while (levels.n)
		level_fini(&levels.v[--levels.n]);
	vec_fini(&levels);
	*ret = bytes;
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
	if ((sync && fd_sync(fd) < 0) || renameat(dir_fd, aside, dir_fd, name) < 0) {
		err_sys(e, "write %s", name);
		unlinkat(dir_fd, aside, 0);
		return -1;
	}
	if (sync && fd_sync(dir_fd) < 0)
		return err_sys(e, "sync the directory of %s", name);
	return 0;
}
