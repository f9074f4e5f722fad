#include "tree_dirs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "overlay_marks_priv.h"

void tree_dirs_init(struct tree_dirs *d, int root_fd)
{
	*d = (struct tree_dirs){ .root_fd = root_fd, .parent_fd = -1 };
}

void tree_dirs_fini(struct tree_dirs *d)
{
	for (size_t i = 0; i < d->all.n; i++)
		free(d->all.v[i].path);
	vec_fini(&d->all);
	inode_map_fini(&d->by_inode);
	str_fini(&d->parent_path);
	fd_drop(&d->parent_fd);
}

void tree_dirs_forget_parent(struct tree_dirs *d)
{
	fd_drop(&d->parent_fd);
	str_clear(&d->parent_path);
}

struct tree_dir *tree_dirs_record(struct tree_dirs *d, const char *path, const struct stat *st, bool fresh)
{
	size_t i;
	struct tree_dir *dir;
	if (inode_map_get(&d->by_inode, st->st_dev, st->st_ino, &i)) {
		dir = &d->all.v[i];
		if (!fresh)
			return dir;
		free(dir->path);
	} else {
		inode_map_put(&d->by_inode, st->st_dev, st->st_ino, d->all.n);
		dir = vec_add(&d->all);
	}
	*dir = (struct tree_dir){ .path = x_strdup(path), .dev = st->st_dev, .ino = st->st_ino };
	return dir;
}

int tree_dirs_set_opaque(struct tree_dirs *d, const char *path, int dir_fd, struct err *e)
{
	struct stat st;
	if (fstat(dir_fd, &st) < 0)
		return err_sys(e, "stat %s", path);
	struct tree_dir *dir = tree_dirs_record(d, path, &st, false);
	if (dir->opaque)
		return 0;
	if (mark_opaque_set(dir_fd, path, e) < 0)
		return -1;
	dir->opaque = true;
	return 0;
}

/*
 * The slow way to a directory, one name at a time: for a path of which something is missing, or longer than the kernel
 * takes at once. Nothing but single names is handed to the kernel, so the walk can not leave the root; the tree is
 * ours alone, so that ".." of a real directory is the one we came from.
 */
struct walk {
	struct tree_dirs *dirs;
	bool create;
	int fd;           /* where the walk is, O_PATH; owned */
	struct str here;  /* the same as a path without links; "" = the root */
	char *rest;       /* still to go; owned */
	unsigned links;
};

static int walk_to_root(struct walk *w)
{
	fd_drop(&w->fd);
	str_clear(&w->here);
	w->fd = openat(w->dirs->root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return w->fd < 0 ? -1 : 0;
}

static int walk_up(struct walk *w)
{
	if (!w->here.len)
		return 0;
	int up = openat(w->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (up < 0)
		return -1;
	fd_drop(&w->fd);
	w->fd = up;
	const char *slash = strrchr(w->here.buf, '/');
	w->here.len = slash ? (size_t)(slash - w->here.buf) : 0;
	w->here.buf[w->here.len] = '\0';
	return 0;
}

static int walk_follow(struct walk *w, int link_fd)
{
	char target[LIMIT_LINK_TARGET + 1];
	ssize_t n = readlinkat(link_fd, "", target, sizeof target);
	if (n < 0)
		return -1;
	if (++w->links > LIMIT_SYMLINKS) {
		errno = ELOOP;
		return -1;
	}
	char *rest = x_asprintf("%.*s/%s", (int)n, target, w->rest);
	free(w->rest);
	w->rest = rest;
	return rest[0] == '/' ? walk_to_root(w) : 0;
}

/* Makes a directory that no member named yet, 0755 of root. In place of a whiteout it hides what is below. */
static int make_implied(struct walk *w, const char *name, const char *path, bool over_whiteout, int *ret_fd)
{
	if (over_whiteout && unlinkat(w->fd, name, 0) < 0)
		return -1;
	if (mkdirat(w->fd, name, 0755) < 0)
		return -1;
	AUTO(fd_drop) int fd = openat(w->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	/* Against the umask, and against a set-group-id parent that hands down its group. */
	if (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0 || fstat(fd, &st) < 0)
		return -1;
	tree_dirs_record(w->dirs, path, &st, true)->implied = !over_whiteout;
	struct err e;
	if (over_whiteout && tree_dirs_set_opaque(w->dirs, path, fd, &e) < 0) {
		errno = e.sysno;
		return -1;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

static int walk_into(struct walk *w, const char *name)
{
	AUTO(fd_drop) int fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st = { 0 };
	if (fd < 0 && (errno != ENOENT || !w->create))
		return -1;
	if (fd >= 0 && fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode))
		return walk_follow(w, fd);
	size_t before = w->here.len;
	if (before)
		str_addc(&w->here, '/');
	str_add(&w->here, name);
	bool hidden = fd >= 0 && mark_is_whiteout(&st);
	if (fd < 0 || (hidden && w->create)) {
		fd_drop(&fd);
		if (make_implied(w, name, w->here.buf, hidden, &fd) < 0)
			return -1;
	} else if (!S_ISDIR(st.st_mode)) {
		errno = hidden ? ENOENT : ENOTDIR;
		return -1;
	}
	fd_drop(&w->fd);
	w->fd = fd_take(&fd);
	return 0;
}

static int walk_all(struct walk *w, const char *path)
{
	w->rest = x_strdup(path);
	if (walk_to_root(w) < 0)
		return -1;
	for (;;) {
		const char *p = w->rest + strspn(w->rest, "/");
		size_t len = strcspn(p, "/");
		if (!len)
			return 0;
		AUTO(free_drop) char *name = x_strndup(p, len);
		char *rest = x_strdup(p + len);
		free(w->rest);
		w->rest = rest;
		if (str_eq(name, "."))
			continue;
		if ((str_eq(name, "..") ? walk_up(w) : walk_into(w, name)) < 0)
			return -1;
	}
}

/* Opens the directory O_PATH; -1 and errno. */
static int find_dir(struct tree_dirs *d, const char *path, bool create)
{
	if (strlen(path) < PATH_MAX) {
		int fd = root_open(d->root_fd, path, O_PATH | O_DIRECTORY, 0);
		if (fd >= 0 || !create || (errno != ENOENT && errno != ENOTDIR))
			return fd;
	}
	struct walk w = { .dirs = d, .create = create, .fd = -1 };
	int r = walk_all(&w, path);
	str_fini(&w.here);
	free_drop(&w.rest);
	if (r < 0)
		fd_drop(&w.fd);
	return w.fd;
}

static int no_dir(const char *path, struct err *e)
{
	if (errno == ENOTDIR || errno == ELOOP)
		return err_set(e, ERR_SPEC, "layer member %s: not every parent is a directory: %s", path,
			       strerror(errno));
	return err_sys(e, "open the directory of layer member %s", path);
}

static bool is_name(const char *name)
{
	return *name && !str_eq(name, ".") && !str_eq(name, "..");
}

int tree_dirs_parent(struct tree_dirs *d, const char *path, int *ret_fd, const char **ret_name, struct err *e)
{
	const char *name = path_base(path);
	size_t len = name == path ? 0 : (size_t)(name - path) - 1;
	if (!is_name(name))
		return err_set(e, ERR_SPEC, "layer member \"%s\" has no name of its own", path);
	*ret_name = name;
	if (!len) {
		*ret_fd = d->root_fd;
		return 0;
	}
	if (d->parent_fd < 0 || d->parent_path.len != len || memcmp(d->parent_path.buf, path, len) != 0) {
		tree_dirs_forget_parent(d);
		AUTO(free_drop) char *dir = x_strndup(path, len);
		d->parent_fd = find_dir(d, dir, true);
		if (d->parent_fd < 0)
			return no_dir(path, e);
		str_addn(&d->parent_path, path, len);
	}
	*ret_fd = d->parent_fd;
	return 0;
}

int tree_dirs_find_parent(struct tree_dirs *d, const char *path, const char **ret_name)
{
	*ret_name = path_base(path);
	if (!is_name(*ret_name)) {
		errno = ENOENT;
		return -1;
	}
	AUTO(free_drop) char *dir = x_strndup(path, (size_t)(*ret_name - path));
	return find_dir(d, *dir ? dir : ".", false);
}

int tree_dirs_open(struct tree_dirs *d, const char *path, int *ret_fd, struct err *e)
{
	AUTO(fd_drop) int dir = find_dir(d, path, true);
	if (dir < 0)
		return no_dir(path, e);
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the directory /%s of a layer's tree", strcmp(path, ".") == 0 ? "" : path);
	*ret_fd = fd;
	return 0;
}

/* Opens what the path names now, its last component not followed, for setting times. -1 and errno. */
static int reopen(struct tree_dirs *d, const char *path)
{
	const char *name;
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if (strlen(path) < PATH_MAX)
		return root_open(d->root_fd, path, flags, 0);
	AUTO(fd_drop) int parent = tree_dirs_find_parent(d, path, &name);
	return parent < 0 ? -1 : openat(parent, name, flags);
}

int tree_dirs_finish(struct tree_dirs *d, struct strv *implied, struct err *e)
{
	for (size_t i = 0; i < d->all.n; i++) {
		const struct tree_dir *dir = &d->all.v[i];
		struct stat st;
		AUTO(fd_drop) int fd = reopen(d, dir->path);
		/* Removed or replaced by a later member, links on the way included. */
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			continue;
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(e, "open %s", dir->path);
		if (st.st_ino != dir->ino || st.st_dev != dir->dev)
			continue;
		if (futimens(fd, (const struct timespec[2]){ dir->time, dir->time }) < 0)
			return err_sys(e, "set times of %s", dir->path);
		if (dir->implied && implied)
			strv_push(implied, dir->path);
	}
	return 0;
}
