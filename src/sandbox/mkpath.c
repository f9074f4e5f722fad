#include "mkpath_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"

struct mkpath {
	int root_fd; /* borrowed */
	char *path;  /* owned; grows when a link is put in */
	bool directory;
	mkpath_fn *make;
	void *ctx;
	unsigned links;
};

static int open_prefix(const struct mkpath *m, size_t end, int extra)
{
	AUTO(free_drop) char *prefix = x_strndup(m->path, end);
	return root_open(m->root_fd, prefix, O_PATH | extra, 0);
}

/* The prefix m->path[..end) is a link to nothing: puts its target in its place. */
static int put_target(struct mkpath *m, size_t end, const char *target, struct err *e)
{
	if (++m->links > LIMIT_SYMLINKS)
		return err_set(e, ERR_BUILD, "too many levels of symbolic links");
	size_t dir = end;
	while (dir && m->path[dir - 1] != '/')
		dir--;
	char *joined = x_asprintf("%.*s%s%s", *target == '/' ? 0 : (int)dir, m->path, target, m->path + end);
	free(m->path);
	m->path = joined;
	return strlen(joined) < PATH_MAX ? 0 : err_set(e, ERR_LIMIT, "the path is longer than %d bytes", PATH_MAX - 1);
}

/* Nothing is behind the prefix: 1 when it was a link and the walk must start again, 0 when it was made. */
static int fill_gap(struct mkpath *m, size_t end, bool last, struct err *e)
{
	char target[LIMIT_LINK_TARGET + 1];
	const char *name;
	AUTO(free_drop) char *prefix = x_strndup(m->path, end);
	AUTO(fd_drop) int parent = root_open_parent(m->root_fd, prefix, &name);
	if (parent < 0)
		return err_sys(e, "open the directory of %s", prefix);
	ssize_t n = readlinkat(parent, name, target, sizeof target - 1);
	if (n < 0 && errno != ENOENT && errno != EINVAL)
		return err_sys(e, "read the link %s", prefix);
	if (n < 0)
		return m->make(m->ctx, parent, name, !last || m->directory, e);
	target[n] = '\0';
	return put_target(m, end, target, e) < 0 ? -1 : 1;
}

/* One walk along the path; 1 = start again. */
static int walk(struct mkpath *m, int *ret_fd, struct err *e)
{
	size_t end = 0;
	for (;;) {
		end += strspn(m->path + end, "/");
		end += strcspn(m->path + end, "/");
		bool last = m->path[end + strspn(m->path + end, "/")] == '\0';
		int extra = !last || m->directory ? O_DIRECTORY : 0;
		AUTO(fd_drop) int fd = open_prefix(m, end, extra);
		if (fd < 0 && errno == ENOENT) {
			int r = fill_gap(m, end, last, e);
			if (r != 0)
				return r;
			fd = open_prefix(m, end, extra);
		}
		if (fd < 0)
			return err_sys(e, "open %.*s", (int)end, m->path);
		if (last) {
			*ret_fd = fd_take(&fd);
			return 0;
		}
	}
}

int mkpath_open(int root_fd, const char *path, bool directory, mkpath_fn *make, void *ctx, int *ret_fd, struct err *e)
{
	if (strlen(path) >= PATH_MAX)
		return err_set(e, ERR_LIMIT, "the path is longer than %d bytes", PATH_MAX - 1);
	int fd = root_open(root_fd, path, O_PATH | (directory ? O_DIRECTORY : 0), 0);
	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	struct mkpath m = {
		.root_fd = root_fd, .path = x_strdup(path), .directory = directory, .make = make, .ctx = ctx
	};
	int r;
	do
		r = walk(&m, ret_fd, e);
	while (r > 0);
	free(m.path);
	return r;
}
