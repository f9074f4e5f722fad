/* The build context and named directories: read on demand, filtered by the ignore file (SEMANTICS section 15). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/tree.h"
#include "build_priv.h"
#include "context_fetch_priv.h"
#include "stat_index_priv.h"
#include "dockerfile/ignore.h"
#include "oci/listing.h"

static enum tar_type type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return TAR_DIR;
	case S_IFLNK:
		return TAR_SYMLINK;
	case S_IFIFO:
		return TAR_FIFO;
	case S_IFCHR:
		return TAR_CHAR;
	case S_IFBLK:
		return TAR_BLOCK;
	}
	return TAR_FILE; /* a socket becomes an empty file (CP-13) */
}

/* File capabilities are kept (CP-13); only executables can have a use for them, so only they are asked. */
static const struct tar_xattrs *read_capability(struct fsview *v, int dir, const char *name, mode_t mode)
{
	char value[64], path[64];
	if (!S_ISREG(mode) || !(mode & 0111))
		return NULL;
	AUTO(fd_drop) int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t n = fd < 0 ? -1 : getxattr(path, "security.capability", value, sizeof value);
	if (n <= 0)
		return NULL;
	struct tar_xattrs *x = arena_alloc(&v->arena, sizeof *x);
	x->v = arena_alloc(&v->arena, sizeof *x->v);
	x->v[0] = (struct tar_xattr){
		.name = arena_strdup(&v->arena, "security.capability"),
		.value = arena_strndup(&v->arena, value, (size_t)n),
		.len = (size_t)n,
	};
	x->n = 1;
	return x;
}

static int read_link(struct fsview *v, int dir, struct fsnode *n, const char *path, struct err *e)
{
	char target[LIMIT_LINK_TARGET + 1];
	ssize_t len = readlinkat(dir, n->name, target, sizeof target - 1);
	if (len < 0)
		return err_sys(e, "read the link %s", path);
	n->link = arena_strndup(&v->arena, target, (size_t)len);
	return 0;
}

static int add_node(struct context *c, int dir, struct fsnode *parent, const char *name, const char *path,
		    struct fsnode **ret, struct err *e)
{
	struct stat st;
	*ret = NULL;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0; /* went away since the directory was read */
		return err_sys(e, "stat %s", path);
	}
	struct fsnode *n = fsview_add(&c->view, parent, name);
	n->type = type_of(st.st_mode);
	n->mode = st.st_mode & 07777;
	n->mtime = st.st_mtim.tv_sec;
	n->mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
	n->major = major(st.st_rdev);
	n->minor = minor(st.st_rdev);
	n->kids_loaded = n->type != TAR_DIR;
	if (n->type == TAR_FILE) {
		n->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		/* Inode numbers of another file system below the context mean nothing here. */
		n->inode = st.st_nlink > 1 && st.st_dev == c->device ? st.st_ino : 0;
		n->has_digest = S_ISREG(st.st_mode) ? stat_index_find(c->index, path, &st, &n->digest) : true;
		if (!S_ISREG(st.st_mode))
			n->digest = digest_of("", 0);
		n->xattrs = read_capability(&c->view, dir, name, st.st_mode);
	}
	*ret = n;
	return n->type == TAR_SYMLINK ? read_link(&c->view, dir, n, path, e) : 0;
}

static int spend(struct context *c, size_t entries, uint64_t bytes, struct err *e)
{
	struct context_budget *b = c->budget;
	if (!b)
		return 0;
	if (entries > b->entries || bytes > b->bytes) {
		b->exceeded = true;
		return err_set(e, ERR_LIMIT, "the context %s is too large to be read at once", c->path);
	}
	b->entries -= entries;
	b->bytes -= (size_t)bytes;
	return 0;
}

static int load_dir(struct fsview *v, struct fsnode *dir, struct err *e);

/* An ignored directory stands only for what a "!" line brings back from below it. */
static int keep_only_reincluded(struct context *c, struct fsnode *n, struct err *e)
{
	n->kids_loaded = true;
	if (load_dir(&c->view, n, e) < 0)
		return -1;
	if (!n->n_kids)
		fsview_detach(&c->view, n);
	return 0;
}

static int load_dir(struct fsview *v, struct fsnode *dir, struct err *e)
{
	struct context *c = v->load_ctx;
	AUTO(free_drop) char *where = fsnode_path(dir);
	AUTO(strv_fini) struct strv names = { 0 };
	AUTO(fd_drop) int fd = root_open(c->fd, *where ? where : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(e, "open directory %s of the context", *where ? where : ".");
	if (dir_names(fd, &names, e) < 0)
		return err_in(e, "%s", where);
	if (spend(c, names.n, 0, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		AUTO(free_drop) char *path = *where ? x_asprintf("%s/%s", where, names.v[i]) : x_strdup(names.v[i]);
		bool ignored = c->ignore && df_ignored(c->ignore, path, NULL);
		struct fsnode *n;
		struct stat st;
		if (ignored && !(df_ignore_may_reinclude(c->ignore, path) &&
				 fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)))
			continue;
		if (add_node(c, fd, dir, names.v[i], path, &n, e) < 0)
			return -1;
		if (n && ignored && keep_only_reincluded(c, n, e) < 0)
			return -1;
	}
	return 0;
}

/* 1 when there is no such file. */
static int read_ignore(struct context *c, int dir, const char *path, const char *shown, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	/* Inside the context, a link may only lead to another file of it (T-E1). */
	AUTO(fd_drop) int fd = dir >= 0 ? root_open(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
					: open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return err_sys(e, "open %s", shown);
	if (!fd_is_regular(fd))
		return err_set(e, ERR_SPEC, "%s is not a regular file", shown);
	if (fd_read_all(fd, LIMIT_IGNORE_FILE, shown, &text, e) < 0)
		return -1;
	c->ignore_path = dir >= 0 ? x_asprintf("%s/%s", c->path, path) : x_strdup(path);
	return df_ignore_parse(str_text(&text), text.len, shown, &c->ignore, e);
}

static void view_start(struct context *c)
{
	fsview_init(&c->view);
	c->view.load = load_dir;
	c->view.load_ctx = c;
	c->view.root->kids_loaded = false;
}

void context_attach(struct build *b, struct context *c)
{
	AUTO(free_drop) char *real = realpath(c->path, NULL);
	struct stat st;
	c->opened = true;
	c->device = fstat(c->fd, &st) == 0 ? st.st_dev : 0;
	c->index = stat_index_load(b->store, real ? real : c->path);
	view_start(c);
}

void context_forget(struct context *c)
{
	if (c->packed)
		return; /* it cannot change */
	fsview_fini(&c->view);
	view_start(c);
}

int context_attach_packed(struct context *c, const char *listing, size_t n, struct err *e)
{
	struct listing l = { 0 };
	/* The listing of nothing has not even a head. */
	if (n && listing_parse(listing, n, c->path, &l, e) < 0)
		return -1;
	fsview_init(&c->view);
	c->packed = c->opened = true;
	int r = fsview_apply(&c->view, &l, 0, e);
	listing_fini(&l);
	return r;
}

static int open_directory(struct build *b, struct context *c, const char *dockerfile, struct err *e)
{
	c->fd = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0)
		return err_sys(e, "open the build context %s", c->path);
	context_attach(b, c);
	int r = 1;
	if (dockerfile && strcmp(dockerfile, "-") != 0) {
		AUTO(free_drop) char *own = x_asprintf("%s.dockerignore", dockerfile);
		r = read_ignore(c, -1, own, own, e);
	}
	if (r == 1)
		r = read_ignore(c, c->fd, ".dockerignore", ".dockerignore", e);
	return r < 0 ? -1 : 0;
}

int context_open(struct build *b, struct context *c, const char *dockerfile, struct err *e)
{
	if (c->opened)
		return 0;
	if (c->kind == CONTEXT_DIR)
		return open_directory(b, c, dockerfile, e);
	if (!c->job && context_fetch(b, NULL, c, e) < 0)
		return -1;
	return schedule_wait(b, e);
}

void context_fini(struct context *c)
{
	if (c->opened) {
		fd_drop(&c->fd);
		fsview_fini(&c->view);
		stat_index_free(c->index);
		df_ignore_free(c->ignore);
	}
	context_fetch_free(c->fetch);
	free(c->name);
	free(c->path);
	free(c->ignore_path);
	*c = (struct context){ .fd = -1 };
}

int context_open_file(struct context *c, const struct fsnode *n, int *ret_fd, struct err *e)
{
	AUTO(free_drop) char *path = fsnode_path(n);
	struct digest_text content = digest_hex(&n->digest);
	AUTO(fd_drop)
	int fd = root_open(c->fd, c->packed ? content.s : path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return err_sys(e, "open %s of the context", path);
	if (!fd_is_regular(fd))
		return err_set(e, ERR_BUILD, "%s of the context changed while it was read", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

enum { READ_SIZE = 128 * 1024 };

int context_digest(struct context *c, struct fsnode *n, struct err *e)
{
	struct stat before, after;
	AUTO(fd_drop) int fd = -1;
	AUTO(free_drop) char *path = fsnode_path(n);
	if (n->has_digest)
		return 0;
	if (spend(c, 0, n->size, e) < 0)
		return -1;
	if (context_open_file(c, n, &fd, e) < 0)
		return -1;
	if (fstat(fd, &before) < 0)
		return err_sys(e, "stat %s", path);
	AUTO(free_drop) char *buf = x_alloc(READ_SIZE);
	struct sha s;
	sha_init(&s);
	ssize_t got;
	while ((got = fd_read(fd, buf, READ_SIZE)) > 0)
		sha_add(&s, buf, (size_t)got);
	if (got < 0) {
		sha_drop(&s);
		return err_sys(e, "read %s of the context", path);
	}
	n->digest = sha_end(&s);
	n->has_digest = true;
	if (fstat(fd, &after) == 0 && after.st_size == before.st_size &&
	    after.st_mtim.tv_sec == before.st_mtim.tv_sec && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec)
		stat_index_add(c->index, path, &before, &n->digest);
	return 0;
}
