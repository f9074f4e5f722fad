#include "stubs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

int stubs_init(struct stubs *s, int root_fd, int upper_fd, int proc_fd, struct err *e)
{
	struct stat st;
	*s = (struct stubs){ .root_fd = root_fd, .upper_fd = upper_fd, .proc_fd = proc_fd };
	if (fstat(root_fd, &st) < 0)
		return err_sys(e, "stat the root");
	s->dev = st.st_dev;
	return 0;
}

/* Where a descriptor is in the root: we have pivoted into it, so the kernel says it as a path from there. */
static char *path_in_root(const struct stubs *s, int fd)
{
	char link[32], path[PATH_MAX];
	snprintf(link, sizeof link, "self/fd/%d", fd);
	ssize_t n = readlinkat(s->proc_fd, link, path, sizeof path - 1);
	if (n <= 0 || path[0] != '/')
		return NULL;
	return x_strndup(path + 1, (size_t)n - 1);
}

static int find_node(const struct stubs *s, const char *path)
{
	for (size_t i = 0; i < s->nodes.n; i++)
		if (strcmp(s->nodes.v[i].path, path) == 0)
			return (int)i;
	return -1;
}

/* A node for each directory from the root to `path`; the index of the last. */
static int add_directories(struct stubs *s, const char *path, struct err *e)
{
	int parent = -1;
	for (size_t end = 0;; end++) {
		if (end && path[end] && path[end] != '/')
			continue;
		AUTO(free_drop) char *prefix = x_strndup(path, end);
		int at = find_node(s, prefix);
		if (at < 0) {
			struct stat before, upper;
			const char *open_as = *prefix ? prefix : ".";
			if (root_stat(s->root_fd, open_as, &before) < 0)
				return err_sys(e, "stat /%s", prefix);
			struct stub_node *n = vec_add(&s->nodes);
			at = (int)s->nodes.n - 1;
			*n = (struct stub_node){
				.path = ptr_take(&prefix), .parent = parent, .before = before, .upper_fd = -1
			};
			n->copied_up = root_stat(s->upper_fd, open_as, &upper) < 0;
			if (n->copied_up && errno != ENOENT)
				return err_sys(e, "stat /%s in the upper directory", n->path);
		}
		parent = at;
		if (!path[end])
			return parent;
	}
}

int stubs_make(void *ctx, int parent_fd, const char *name, bool directory, struct err *e)
{
	struct stubs *s = ctx;
	struct stat st;
	int parent = -1;
	AUTO(free_drop) char *path = NULL;
	if (fstat(parent_fd, &st) < 0)
		return err_sys(e, "stat the directory of %s", name);
	if (st.st_dev == s->dev) {
		path = path_in_root(s, parent_fd);
		if (!path || (parent = add_directories(s, path, e)) < 0)
			return path ? -1 : err_sys(e, "find the place of %s", name);
	}
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	AUTO(fd_drop) int fd = directory ? -1 : openat(parent_fd, name, flags, 0644);
	if ((directory ? mkdirat(parent_fd, name, 0755) : fd) < 0)
		return err_sys(e, "make the mount point %s", name);
	if (parent < 0)
		return 0;
	struct stub_node *n = vec_add(&s->nodes);
	*n = (struct stub_node){ .path = x_asprintf("%s%s%s", path, *path ? "/" : "", name),
				 .parent = parent,
				 .made = true,
				 .upper_fd = -1 };
	n->before.st_mode = directory ? S_IFDIR : S_IFREG;
	return 0;
}

static int set_times(int dir_fd, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	return utimensat(dir_fd, ".", times, 0);
}

static int seal(struct stubs *s, struct stub_node *n, struct err *e)
{
	const char *open_as = *n->path ? n->path : ".";
	AUTO(fd_drop) int fd = root_open(s->upper_fd, open_as, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(e, "open /%s in the upper directory", n->path);
	if (S_ISDIR(n->before.st_mode) && !n->made) {
		/* Through the merged root, so that overlayfs knows; the command sees the old times too. */
		AUTO(fd_drop) int merged = root_open(s->root_fd, open_as, O_PATH | O_DIRECTORY, 0);
		if (merged < 0 || set_times(merged, &n->before) < 0)
			return err_sys(e, "restore the times of /%s", n->path);
	}
	if (fstat(fd, &n->sealed) < 0)
		return err_sys(e, "stat /%s in the upper directory", n->path);
	if (S_ISDIR(n->before.st_mode))
		n->upper_fd = fd_take(&fd);
	return 0;
}

int stubs_seal(struct stubs *s, struct err *e)
{
	for (size_t i = 0; i < s->nodes.n; i++)
		if (seal(s, &s->nodes.v[i], e) < 0)
			return -1;
	return 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Nobody has touched the directory itself since the seal. */
static bool untouched(const struct stat *now, const struct stat *sealed)
{
	return same_time(&now->st_ctim, &sealed->st_ctim) && same_time(&now->st_mtim, &sealed->st_mtim) &&
	       now->st_mode == sealed->st_mode && now->st_uid == sealed->st_uid && now->st_gid == sealed->st_gid;
}

/* Removes the node if it is still what we made, and empty. What the command removed, replaced or filled is its own. */
static int remove_node(const struct stubs *s, const struct stub_node *n, struct err *e)
{
	struct stat st;
	int parent_fd = s->nodes.v[n->parent].upper_fd;
	const char *name = path_base(n->path);
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "stat the mount point /%s", n->path);
	if (st.st_ino != n->sealed.st_ino || st.st_dev != n->sealed.st_dev || (S_ISREG(st.st_mode) && st.st_size))
		return 0;
	/* rmdir(2): either says that it is not empty. */
	if (unlinkat(parent_fd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) == 0 || errno == ENOTEMPTY ||
	    errno == EEXIST)
		return 0;
	return err_sys(e, "remove the mount point /%s", n->path);
}

static int clean_node(const struct stubs *s, const struct stub_node *n, const struct stat *now, struct err *e)
{
	/* The command may have removed the directory: its times can still be set, they only count no more. */
	if (n->upper_fd >= 0 && !n->made && set_times(n->upper_fd, now) < 0)
		return err_sys(e, "restore the times of /%s", n->path);
	if (n->parent >= 0 && (n->made || (n->copied_up && untouched(now, &n->sealed))))
		return remove_node(s, n, e);
	return 0;
}

static int clean_all(const struct stubs *s, struct stat *now, struct err *e)
{
	for (size_t i = 0; i < s->nodes.n; i++) {
		now[i] = s->nodes.v[i].sealed;
		if (s->nodes.v[i].upper_fd >= 0 && fstat(s->nodes.v[i].upper_fd, &now[i]) < 0)
			return err_sys(e, "stat /%s in the upper directory", s->nodes.v[i].path);
	}
	/* Children come after their directory, so backwards every directory is seen when its stubs are gone. */
	for (size_t i = s->nodes.n; i-- > 0;)
		if (clean_node(s, &s->nodes.v[i], &now[i], e) < 0)
			return -1;
	return 0;
}

int stubs_clean(struct stubs *s, struct err *e)
{
	AUTO(free_drop) struct stat *now = x_alloc((s->nodes.n + 1) * sizeof *now);
	int r = clean_all(s, now, e);
	for (size_t i = 0; i < s->nodes.n; i++) {
		fd_drop(&s->nodes.v[i].upper_fd);
		free(s->nodes.v[i].path);
	}
	vec_fini(&s->nodes);
	return r;
}
