/* Reading the directories of a context into its view, one by one. */
#include "context_scan_priv.h"

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
#include "dockerfile/ignore.h"
#include "oci/capability.h"
#include "stat_index_priv.h"

void scan_fini(struct scan *s)
{
	str_fini(&s->path);
	vec_fini(&s->hidden);
	free(s->buffer);
}

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
static const struct tar_xattrs *read_capability(struct scan *s, int dir, const char *name)
{
	char value[64], path[64 + NAME_MAX];
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
	ssize_t n = lgetxattr(path, XATTR_CAPABILITY, value, sizeof value);
	if (n <= 0)
		return NULL;
	/* The same for a worker inside the build's namespace, which looks again. */
	size_t len = capability_to_v2(value, (size_t)n);
	struct tar_xattrs *x = arena_alloc(s->arena, sizeof *x);
	x->v = arena_alloc(s->arena, sizeof *x->v);
	x->v[0] = (struct tar_xattr){
		.name = arena_strdup(s->arena, XATTR_CAPABILITY),
		.value = arena_strndup(s->arena, value, len),
		.len = len,
	};
	x->n = 1;
	return x;
}

static int read_link(struct scan *s, int dir, struct fsnode *n, struct err *e)
{
	char target[LIMIT_LINK_TARGET + 1];
	ssize_t len = readlinkat(dir, n->name, target, sizeof target - 1);
	if (len < 0)
		return err_sys(e, "read the link %s", s->path.buf);
	n->link = arena_strndup(s->arena, target, (size_t)len);
	return 0;
}

static void file_facts(struct scan *s, int dir, struct fsnode *n, const struct stat *st)
{
	const struct context *c = s->c;
	if (!S_ISREG(st->st_mode)) {
		n->has_digest = true;
		n->digest = digest_of("", 0);
		return;
	}
	n->size = (uint64_t)st->st_size;
	/* Inode numbers of another file system below the context mean nothing here. */
	n->inode = st->st_nlink > 1 && st->st_dev == c->device ? st->st_ino : 0;
	n->has_digest = stat_index_find(c->index, s->path.buf, st, &n->digest);
	/* Those in the index have none. */
	if (!n->has_digest && st->st_mode & 0111)
		n->xattrs = read_capability(s, dir, n->name);
}

static struct fsnode *add_node(struct scan *s, struct fsnode *parent, const char *name, const struct stat *st)
{
	struct fsnode *n = arena_alloc(s->arena, sizeof *n);
	n->name = arena_strdup(s->arena, name);
	n->parent = parent;
	n->kids_sorted = true;
	n->type = type_of(st->st_mode);
	n->mode = (uint16_t)(st->st_mode & 07777);
	n->mtime = st->st_mtim.tv_sec;
	n->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	fsnode_set_kind(s->arena, n, "", major(st->st_rdev), minor(st->st_rdev)); /* a target is read later */
	n->kids_loaded = n->type != TAR_DIR;
	fsnode_add_kid(s->arena, parent, n);
	return n;
}

static int scan_entry(struct scan *s, int dir_fd, struct fsnode *dir, const char *name, struct err *e)
{
	struct stat st;
	const char *path = s->path.buf;
	bool ignored = s->ignore && df_ignored(s->ignore, path, NULL);
	if (ignored && !df_ignore_may_reinclude(s->ignore, path))
		return 0;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0; /* went away since the directory was read */
		return err_sys(e, "stat /%s of the context", path);
	}
	if (ignored && !S_ISDIR(st.st_mode))
		return 0;
	struct fsnode *n = add_node(s, dir, name, &st);
	if (ignored)
		vec_push(&s->hidden, n);
	if (n->type == TAR_FILE)
		file_facts(s, dir_fd, n, &st);
	return n->type == TAR_SYMLINK ? read_link(s, dir_fd, n, e) : 0;
}

size_t scan_path(struct scan *s, const char *dir)
{
	str_clear(&s->path);
	str_add(&s->path, dir);
	if (*dir)
		str_addc(&s->path, '/');
	return s->path.len;
}

static int scan_names(struct scan *s, struct fsnode *dir, struct err *e)
{
	AUTO(free_drop) char *where = fsnode_path(dir);
	AUTO(strv_fini) struct strv names = { 0 };
	AUTO(fd_drop) int fd = root_open(s->c->fd, *where ? where : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(e, "open directory /%s of the context", where);
	if (dir_names(fd, &names, e) < 0)
		return err_in(e, "directory /%s of the context", where);
	if (context_spend(s->c, names.n, 0, e) < 0)
		return -1;
	/* Those that were found by their names come first and are in order too. */
	fsnode_sort(dir);
	struct fsnode *const *known = dir->kids;
	size_t n_known = dir->n_kids, next = 0;
	dir->kids = arena_alloc(s->arena, names.n * sizeof(struct fsnode *));
	dir->cap_kids = (uint32_t)names.n;
	dir->n_kids = 0;
	size_t base = scan_path(s, where);
	for (size_t i = 0; i < names.n; i++) {
		s->path.len = base;
		str_add(&s->path, names.v[i]);
		while (next < n_known && strcmp(known[next]->name, names.v[i]) < 0)
			next++; /* went away since */
		if (next < n_known && strcmp(known[next]->name, names.v[i]) == 0)
			fsnode_add_kid(s->arena, dir, known[next++]);
		else if (scan_entry(s, fd, dir, names.v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* An ignored directory stands only for what a "!" line brings back from below it. */
static int drop_empty_hidden(struct scan *s, struct fsnode *dir, size_t first, struct err *e)
{
	uint32_t kept = 0;
	size_t next = first;
	for (size_t i = 0; i < dir->n_kids; i++) {
		struct fsnode *n = dir->kids[i];
		if (next < s->hidden.n && n == s->hidden.v[next]) {
			next++;
			if (scan_dir(s, n, e) < 0)
				return -1;
			if (!n->n_kids)
				continue;
		}
		n->place = kept;
		dir->kids[kept++] = n;
	}
	dir->n_kids = kept;
	s->hidden.n = first;
	return 0;
}

int scan_dir(struct scan *s, struct fsnode *dir, struct err *e)
{
	size_t first = s->hidden.n;
	if (scan_names(s, dir, e) < 0 || drop_empty_hidden(s, dir, first, e) < 0) {
		dir->n_kids = 0;
		s->hidden.n = first;
		return -1;
	}
	dir->kids_loaded = true;
	return 0;
}

int context_scan(struct fsview *v, struct fsnode *dir, struct err *e)
{
	struct context *c = v->load_ctx;
	AUTO(scan_fini) struct scan s = { .c = c, .arena = &v->arena, .ignore = c->ignore };
	return scan_dir(&s, dir, e);
}

/* *ret: the kid of the directory that is read for its sake. */
static int find_entry(struct scan *s, int dir_fd, struct fsnode *dir, const char *name, struct fsnode **ret,
		      struct err *e)
{
	size_t before = dir->n_kids;
	if (scan_entry(s, dir_fd, dir, name, e) < 0 || (s->hidden.n && drop_empty_hidden(s, dir, 0, e) < 0))
		return -1;
	if (dir->n_kids == before)
		return 0;
	*ret = dir->kids[before];
	fsnode_sort_last(dir); /* whoever looked for it before has sorted the others */
	return 0;
}

int context_find(struct fsview *v, struct fsnode *dir, const char *name, struct fsnode **ret, struct err *e)
{
	struct context *c = v->load_ctx;
	AUTO(scan_fini) struct scan s = { .c = c, .arena = &v->arena, .ignore = c->ignore };
	AUTO(free_drop) char *where = fsnode_path(dir);
	*ret = NULL;
	if (strlen(name) > NAME_MAX)
		return 0;
	if (context_spend(c, 1, 0, e) < 0)
		return -1;
	AUTO(fd_drop) int fd = root_open(c->fd, *where ? where : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(e, "open directory %s of the context", *where ? where : ".");
	scan_path(&s, where);
	str_add(&s.path, name);
	return find_entry(&s, fd, dir, name, ret, e);
}
