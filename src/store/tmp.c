#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/syscalls.h"
#include "base/tree.h"
#include "base/vec.h"
#include "store/claim.h"
#include "store/store.h"
#include "store_priv.h"

/*
 * Everything unfinished lives in tmp/ and is locked (flock) by the descriptor of whoever makes it, so the kernel tells
 * the living from the dead. Between creating an entry and locking it a recovery may come and take it for dead; the
 * maker notices, because the name no longer leads to what it holds, and starts again.
 */
static bool still_named(struct store *s, const char *name, int fd)
{
	struct stat mine, there;
	return fstat(fd, &mine) == 0 && fstatat(s->fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

static void new_name(char name[TMP_NAME], const char *dir)
{
	char id[33];
	random_hex(id, 16);
	snprintf(name, TMP_NAME, "%s/%s", dir, id);
}

/* NFS cannot lock a directory (EBADF). Entries there are then never taken for dead: recovery gets the same answer. */
static void lock_mine(int fd, const char *name)
{
	struct err e;
	if (lock_fd(fd, true, true, name, &e) < 0)
		log_debug("%s; what a crash leaves here stays until it is pruned", e.msg);
}

int aside_open(struct store *s, char name[TMP_NAME], int *ret_fd, struct err *e)
{
	for (;;) {
		new_name(name, "tmp");
		AUTO(fd_drop) int fd = openat(s->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_sys(e, "create a file in %s/tmp", s->path);
		lock_mine(fd, name);
		if (!still_named(s, name, fd))
			continue;
		if (fchmod(fd, 0644) < 0) /* an odd umask must not make it unreadable */
			return err_sys(e, "set the mode of %s", name);
		*ret_fd = fd_take(&fd);
		return 0;
	}
}

int aside_publish(struct store *s, const char *aside, const char *final)
{
	if (sys_renameat2(s->fd, aside, s->fd, final, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return 1;
	/*
	 * Not on NFS and some FUSE file systems (EINVAL), nor under seccomp filters that do not know it (ENOSYS,
	 * EPERM).
	 */
	if (errno != EINVAL && errno != ENOSYS && errno != EPERM)
		return -1;
	if (linkat(s->fd, aside, s->fd, final, 0) == 0)
		return unlinkat(s->fd, aside, 0);
	if (errno == EEXIST)
		return 1;
	/*
	 * No hard links either. Names are digests: a racing writer has the same bytes, so replacing its file is
	 * harmless.
	 */
	return renameat(s->fd, aside, s->fd, final);
}

static int sync_parent(struct store *s, const char *name)
{
	const char *slash = strrchr(name, '/');
	AUTO(free_drop) char *dir = slash ? x_strndup(name, (size_t)(slash - name)) : x_strdup(".");
	AUTO(fd_drop) int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -1 : fd_sync(fd);
}

/* Makes the directories that `name` goes through. */
static int make_parents(struct store *s, const char *name)
{
	AUTO(free_drop) char *path = x_strdup(name);
	for (char *p = path; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (dir_make(s->fd, path) < 0)
			return -1;
		*p = '/';
	}
	return 0;
}

int aside_put(struct store *s, const char *name, const void *bytes, size_t n, bool sync, struct err *e)
{
	char aside[TMP_NAME];
	AUTO(fd_drop) int fd = -1;
	AUTO(free_drop) char *path = x_asprintf("%s/%s", s->path, name);
	if (aside_open(s, aside, &fd, e) < 0)
		return -1;
	if (fd_write_all(fd, bytes, n, path, e) < 0)
		goto fail;
	if (sync && fd_sync(fd) < 0) {
		err_sys(e, "sync %s", path);
		goto fail;
	}
	int r = renameat(s->fd, aside, s->fd, name);
	if (r < 0 && errno == ENOENT && make_parents(s, name) == 0)
		r = renameat(s->fd, aside, s->fd, name);
	if (r < 0) {
		err_sys(e, "write %s", path);
		goto fail;
	}
	if (sync && sync_parent(s, name) < 0)
		return err_sys(e, "sync the directory of %s", path);
	return 0;
fail:
	unlinkat(s->fd, aside, 0);
	return -1;
}

int store_tmp_new(struct store *s, char id[33], int *ret_fd, struct err *e)
{
	for (;;) {
		char name[TMP_NAME];
		new_name(name, "tmp");
		AUTO(fd_drop) int fd = -1;
		if (dir_make(s->fd, name) == 0)
			fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT && faccessat(s->fd, "tmp", F_OK, 0) == 0)
			continue;
		if (fd < 0)
			return err_sys(e, "create %s/%s", s->path, name);
		lock_mine(fd, name);
		if (!still_named(s, name, fd))
			continue;
		strcpy(id, name + strlen("tmp/"));
		*ret_fd = fd_take(&fd);
		return 0;
	}
}

int dir_make(int dir_fd, const char *name)
{
	if (mkdirat(dir_fd, name, 0700) < 0)
		return errno == EEXIST ? 0 : -1;
	return fchmodat(dir_fd, name, 0700, 0);
}

int trash_put(struct store *s, int dir_fd, const char *name)
{
	char grave[TMP_NAME];
	new_name(grave, "trash");
	return renameat(dir_fd, name, s->fd, grave);
}

void trash_move(struct store *s, int dir_fd, const char *name)
{
	char grave[TMP_NAME];
	new_name(grave, "trash");
	if (renameat(dir_fd, name, s->fd, grave) < 0) {
		log_debug("move %s to trash: %s", name, strerror(errno));
		return;
	}
	if (tree_remove(s->fd, grave) < 0)
		log_debug("%s/%s is left for a later run: %s", s->path, grave, strerror(errno));
}

void store_tmp_discard(struct store *s, const char *id)
{
	AUTO(free_drop) char *name = x_asprintf("tmp/%s", id);
	trash_move(s, s->fd, name);
}

/* Moves one entry of tmp/ to trash/ if its maker is dead, which *dead then says; true when that can not be told or done. */
static bool bury(struct store *s, const char *id, bool *dead)
{
	AUTO(free_drop) char *name = x_asprintf("tmp/%s", id);
	AUTO(free_drop) char *grave = x_asprintf("trash/%s", id);
	struct err e;
	AUTO(fd_drop) int fd = openat(s->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT;
	int r = lock_fd(fd, true, false, name, &e);
	if (r < 0)
		log_debug("%s", e.msg);
	if (r != 0)
		return false;
	*dead = true;
	return renameat(s->fd, name, s->fd, grave) < 0 && errno != ENOENT;
}

static void names_in(struct store *s, const char *dir, struct strv *names)
{
	struct err e;
	AUTO(fd_drop) int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || dir_names(fd, names, &e) < 0)
		log_debug("cannot read %s/%s: %s", s->path, dir, strerror(errno));
}

bool store_recover(struct store *s)
{
	AUTO(strv_fini) struct strv unfinished = { 0 }, trash = { 0 };
	bool left = false, dead = false;
	names_in(s, "tmp", &unfinished);
	for (size_t i = 0; i < unfinished.n; i++)
		left |= bury(s, unfinished.v[i], &dead);
	if (dead)
		claims_sweep(s);
	names_in(s, "trash", &trash);
	if (!trash.n)
		return left;
	/* One is enough; with two at it, each would stumble over what the other has just removed. */
	struct err e;
	AUTO(fd_drop) int lock = -1;
	if (lock_file(s->fd, "lock/trash", true, false, &lock, &e) != 0)
		return left;
	for (size_t i = 0; i < trash.n; i++) {
		AUTO(free_drop) char *name = x_asprintf("trash/%s", trash.v[i]);
		left |= tree_remove(s->fd, name) < 0;
	}
	return left;
}
