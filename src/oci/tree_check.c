#include "oci/tree_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/tree.h"
#include "fsview_priv.h"
#include "layer_xattr_priv.h"
#include "overlay_marks_priv.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, BUF = 256 << 10 };

struct tree_check {
	int root_fd;         /* borrowed */
	bool xattrs;
	struct fsview view;
	VEC(struct fsnode *) dirs; /* yet to be compared */
	struct str *differs; /* borrowed */
	struct err *e;
};

static void tree_check_fini(struct tree_check *t)
{
	fsview_fini(&t->view);
	vec_fini(&t->dirs);
}

/* 1: the first difference was found. */
static int differ(struct tree_check *t, const struct fsnode *dir, const char *name, const char *what)
{
	AUTO(free_drop) char *path = fsnode_path(dir);
	str_add_printable(t->differs, path, strlen(path));
	if (*path && *name)
		str_addc(t->differs, '/');
	str_add_printable(t->differs, name, strlen(name));
	str_addf(t->differs, "%s %s", *path || *name ? "" : "the root", what);
	return 1;
}

static int open_dir(struct tree_check *t, const struct fsnode *dir, int *ret_fd)
{
	VEC(const struct fsnode *) way = { 0 };
	int fd = openat(t->root_fd, ".", DIR_FLAGS);
	for (const struct fsnode *n = dir; n->parent; n = n->parent)
		vec_push(&way, n);
	while (fd >= 0 && way.n) {
		int next = openat(fd, way.v[--way.n]->name, DIR_FLAGS);
		fd_drop(&fd);
		fd = next;
	}
	vec_fini(&way);
	*ret_fd = fd;
	return fd < 0 ? err_sys(t->e, "open the directory %s", dir->name) : 0;
}

/* ---- what the tree is to hold ---- */

/*
 * Deletions become nodes of their own, 0:0 devices as overlay has them. What the layer holds under such a name stays,
 * in whatever order the two come.
 */
static int add_mark(struct tree_check *t, const struct list_entry *mark)
{
	const struct fsview_making making = { 0 };
	const char *path = mark->tar.path, *slash = strrchr(path, '/');
	size_t len = mark->kind == LIST_OPAQUE ? strlen(path) : slash ? (size_t)(slash - path) : 0;
	struct fsnode *dir;
	if (fsview_walk(&t->view, path, len, true, &making, &dir, NULL, t->e) < 0)
		return -1;
	if (mark->kind == LIST_OPAQUE || !dir)
		return 0;
	const char *name = slash ? slash + 1 : path;
	if (!table_find(&t->view, dir, name, strlen(name)))
		fsview_add(&t->view, dir, name)->type = TAR_CHAR;
	return 0;
}

static int make_view(struct tree_check *t, const struct listing *l)
{
	/* A directory that no entry names is only looked at as one. */
	t->view.root->implied = true;
	if (fsview_apply(&t->view, l, 0, t->e) < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].kind != LIST_ENTRY && add_mark(t, &l->v[i]) < 0)
			return -1;
	return 0;
}

/* ---- one name ---- */

static bool has_type(int dir_fd, const struct fsnode *n, const struct stat *st)
{
	switch (n->type) {
	case TAR_FILE:
		return S_ISREG(st->st_mode);
	case TAR_DIR:
		return S_ISDIR(st->st_mode);
	case TAR_SYMLINK:
		return S_ISLNK(st->st_mode);
	case TAR_FIFO:
		return S_ISFIFO(st->st_mode);
	case TAR_CHAR:
	case TAR_BLOCK:
	case TAR_HARDLINK:
		break;
	}
	/* A device that could not be made is hidden, like what was deleted. */
	if (S_ISREG(st->st_mode)) {
		AUTO(fd_drop) int fd = openat(dir_fd, n->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		return fd >= 0 && mark_is_xwhiteout(fd);
	}
	return mark_is_whiteout(st) || (n->type == TAR_CHAR && S_ISCHR(st->st_mode)) ||
	       (n->type == TAR_BLOCK && S_ISBLK(st->st_mode));
}

/* In the version of the header, a layer's may differ from the disk's. */
static bool same_value(const struct tar_xattr *a, const struct tar_xattr *b)
{
	enum { HEADER = 4, BODY = 16 };
	if (str_eq(a->name, "security.capability"))
		return a->len >= HEADER + BODY && b->len >= HEADER + BODY &&
		       memcmp(a->value + HEADER, b->value + HEADER, BODY) == 0;
	return a->len == b->len && (!a->len || memcmp(a->value, b->value, a->len) == 0);
}

/* 0 equal, 1, -1. Both lists are sorted by name. */
static int xattrs_differ(struct tree_check *t, int fd, const struct fsnode *n)
{
	static const struct tar_xattrs none;
	const struct tar_xattrs *want = n->xattrs ? n->xattrs : &none;
	struct tar_xattrs got = { 0 };
	size_t k = 0;
	if (!t->xattrs)
		return 0;
	if (layer_xattrs_get(fd, n->name, &got, t->e) < 0)
		return -1;
	bool same = true;
	for (size_t i = 0; i < want->n && same; i++) {
		if (!layer_xattr_is_kept(want->v[i].name))
			continue;
		same = k < got.n && str_eq(got.v[k].name, want->v[i].name) && same_value(&got.v[k], &want->v[i]);
		k++;
	}
	same &= k == got.n;
	tar_xattrs_fini(&got);
	return same ? 0 : 1;
}

static int content_differs(struct tree_check *t, int fd, const struct fsnode *n)
{
	AUTO(free_drop) char *buf = x_alloc(BUF);
	struct sha sha;
	ssize_t got;
	sha_init(&sha);
	while ((got = fd_read(fd, buf, BUF)) > 0)
		sha_add(&sha, buf, (size_t)got);
	struct digest d = sha_end(&sha);
	if (got < 0)
		return err_sys(t->e, "read %s", n->name);
	return !digest_eq(&d, &n->digest);
}

static int check_link(struct tree_check *t, int dir_fd, const struct fsnode *n)
{
	char target[LIMIT_LINK_TARGET + 2];
	ssize_t len = readlinkat(dir_fd, n->name, target, sizeof target);
	if (len < 0)
		return err_sys(t->e, "read the link %s", n->name);
	if ((size_t)len == strlen(n->link) && memcmp(target, n->link, (size_t)len) == 0)
		return 0;
	return differ(t, n->parent, n->name, "leads somewhere else");
}

/* Xattrs and content. */
static int check_inside(struct tree_check *t, int fd, const struct fsnode *n)
{
	const struct fsnode *dir = n->parent ? n->parent : n;
	int r = xattrs_differ(t, fd, n);
	if (r)
		return r < 0 ? -1 : differ(t, dir, n->name, "has other extended attributes");
	if (n->type != TAR_FILE || !n->has_digest)
		return 0;
	r = content_differs(t, fd, n);
	return r > 0 ? differ(t, dir, n->name, "has another content") : r;
}

static int check_stat(struct tree_check *t, const struct fsnode *n, const struct stat *st)
{
	const struct fsnode *dir = n->parent ? n->parent : n;
	if (n->type != TAR_SYMLINK && (st->st_mode & 07777) != n->mode)
		return differ(t, dir, n->name, "has another mode");
	if (st->st_uid != n->uid || st->st_gid != n->gid)
		return differ(t, dir, n->name, "has another owner");
	if (n->type == TAR_FILE && (uint64_t)st->st_size != n->size)
		return differ(t, dir, n->name, "has another size");
	return 0;
}

static int check_node(struct tree_check *t, int dir_fd, struct fsnode *n)
{
	struct stat st;
	if (fstatat(dir_fd, n->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(t->e, "stat %s", n->name);
	if (!has_type(dir_fd, n, &st))
		return differ(t, n->parent, n->name, "is of another type");
	if (n->type == TAR_DIR) {
		vec_push(&t->dirs, n);
		return 0;
	}
	if (n->type == TAR_CHAR || n->type == TAR_BLOCK)
		return 0;
	int r = check_stat(t, n, &st);
	if (r == 0 && n->type == TAR_SYMLINK)
		r = check_link(t, dir_fd, n);
	if (r || n->type != TAR_FILE)
		return r;
	AUTO(fd_drop) int fd = -1;
	return fd_open_regular(dir_fd, n->name, &fd, t->e) < 0 ? -1 : check_inside(t, fd, n);
}

/* ---- directories ---- */

static int extra(struct tree_check *t, int dir_fd, const struct fsnode *dir, const char *name)
{
	struct stat st;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(t->e, "stat %s", name);
	/* Layers hold no sockets. */
	return S_ISSOCK(st.st_mode) ? 0 : differ(t, dir, name, "does not belong to the layer");
}

/* Both lists are sorted. */
static int check_names(struct tree_check *t, int fd, struct fsnode *dir)
{
	AUTO(strv_fini) struct strv names = { 0 };
	size_t k = 0;
	int r = 0;
	if (dir_names(fd, &names, t->e) < 0 || fsview_kids(&t->view, dir, t->e) < 0)
		return -1;
	for (size_t i = 0; i < names.n && r == 0;) {
		int order = k < dir->n_kids ? strcmp(names.v[i], dir->kids[k]->name) : -1;
		if (order > 0)
			break;
		r = order < 0 ? extra(t, fd, dir, names.v[i]) : check_node(t, fd, dir->kids[k]);
		i++;
		k += order == 0;
	}
	return r || k == dir->n_kids ? r : differ(t, dir, dir->kids[k]->name, "is missing");
}

static int check_dir(struct tree_check *t, struct fsnode *dir)
{
	AUTO(fd_drop) int fd = -1;
	struct stat st;
	if (open_dir(t, dir, &fd) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(t->e, "stat %s", dir->name);
	int r = dir->implied ? 0 : check_stat(t, dir, &st);
	if (r == 0 && !dir->implied)
		r = check_inside(t, fd, dir);
	return r ? r : check_names(t, fd, dir);
}

static int check_opaque(struct tree_check *t, const char *path)
{
	AUTO(fd_drop) int fd = -1;
	struct fsnode *dir;
	if (fsview_walk(&t->view, path, strlen(path), true, NULL, &dir, NULL, t->e) < 0)
		return -1;
	/* Overlay does not look for the mark on the root. */
	if (!dir || !dir->parent || !t->xattrs)
		return 0;
	if (open_dir(t, dir, &fd) < 0)
		return -1;
	return mark_opaque_get(fd) == OPAQUE_YES ? 0 : differ(t, dir, "", "does not hide what is below it");
}

int tree_check(int tree_fd, const struct listing *l, bool xattrs, struct str *differs, struct err *e)
{
	AUTO(tree_check_fini) struct tree_check t = { .root_fd = tree_fd, .xattrs = xattrs, .differs = differs, .e = e };
	int r = 0;
	fsview_init(&t.view);
	if (make_view(&t, l) < 0)
		return -1;
	vec_push(&t.dirs, t.view.root);
	while (t.dirs.n && r == 0)
		r = check_dir(&t, t.dirs.v[--t.dirs.n]);
	for (size_t i = 0; i < l->n && r == 0; i++)
		if (l->v[i].kind == LIST_OPAQUE)
			r = check_opaque(&t, l->v[i].tar.path);
	return r < 0 ? -1 : 0;
}
