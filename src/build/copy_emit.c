/* The marked part of a planned root filesystem as a layer. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "copy_priv.h"
#include "stat_index_priv.h"
#include "oci/inode_map.h"

struct emit {
	struct build *build;
	struct fsview *dest;
	struct layer_writer *out;
	struct strv first_names;  /* paths under which files with several names were first written */
	VEC(struct fsnode *) first_sources; /* and what was written there */
	struct inode_map first;   /* inode -> index in both */
	const struct fsnode *dir; /* of a context: where the last file was read … */
	int dir_fd;               /* … open; -1: none */
};

static bool find_first(const struct emit *m, uint64_t inode, size_t *ret)
{
	return inode && inode_map_get(&m->first, 0, inode, ret);
}

static void add_first(struct emit *m, const struct fsnode *n, const char *path)
{
	inode_map_put(&m->first, 0, n->inode, m->first_names.n);
	strv_push(&m->first_names, path);
	vec_push(&m->first_sources, ((const struct copy_mark *)n->mark)->src);
}

/* The digest of a further name is that of the first; an archive's files, and what is there already, have no source. */
static void share_digest(const struct emit *m, const struct copy_mark *mark, size_t first)
{
	const struct fsnode *from = m->first_sources.v[first];
	if (!mark->src || !from || mark->src->has_digest)
		return;
	mark->src->digest = from->digest;
	mark->src->has_digest = from->has_digest;
}

static int changed(const char *path, struct err *e)
{
	return err_set(e, ERR_BUILD, "%s of the context changed while it was read", path);
}

/* The listing of a layer was made with it; a tree on disk may rot. */
static int damaged(const char *path, struct err *e)
{
	err_set(e, ERR_INTEGRITY, "%s: its source in an image of the store is damaged, its bytes have another digest", path);
	return err_hint(e, "`nacre verify --repair` takes away what is damaged; the next build makes it again");
}

/* Files of a context are still what was planned, by their looks, before and after they are read. */
static int check_looks(const struct fsnode *src, int fd, const char *path, struct stat *ret, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s of the context", path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != src->size || st.st_mtim.tv_sec != src->mtime ||
	    (uint32_t)st.st_mtim.tv_nsec != src->mtime_ns)
		return changed(path, e);
	*ret = st;
	return 0;
}

static bool may_change(const struct copy_mark *mark)
{
	return !mark->archived && mark->from->context && !mark->from->context->packed;
}

/* One after another in one directory: its path is walked once. */
static int open_live(struct emit *m, const struct copy_mark *mark, int *ret_fd, struct err *e)
{
	struct context *c = mark->from->context;
	const struct fsnode *src = mark->src;
	if (m->dir != src->parent || m->dir_fd < 0) {
		AUTO(free_drop) char *where = fsnode_path(src->parent);
		fd_drop(&m->dir_fd);
		m->dir = src->parent;
		m->dir_fd = root_open(c->fd, *where ? where : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	}
	int fd = m->dir_fd < 0 ? -1
			       : openat(m->dir_fd, src->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		AUTO(free_drop) char *path = fsnode_path(src);
		return err_sys(e, "open %s of the context", path);
	}
	*ret_fd = fd;
	return 0;
}

/* A file that nobody has read before: what was written is its content. */
static int write_unread(struct emit *m, const struct copy_mark *mark, int fd, const struct stat *before, const char *path,
			struct err *e)
{
	struct stat after;
	bool settled = stat_index_is_settled(before);
	if (layer_writer_fd(m->out, fd, path, e) < 0 || check_looks(mark->src, fd, path, &after, e) < 0)
		return -1;
	context_learn(mark->from->context, mark->src, fd, before, settled, layer_writer_content(m->out));
	return 0;
}

static int write_live(struct emit *m, const struct copy_mark *mark, const char *path, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	struct stat before, after;
	if (open_live(m, mark, &fd, e) < 0 || check_looks(mark->src, fd, path, &before, e) < 0)
		return -1;
	if (!mark->src->has_digest)
		return write_unread(m, mark, fd, &before, path, e);
	if (layer_writer_fd(m->out, fd, path, e) < 0)
		return -1;
	/* Looks can be given back. */
	if (!digest_eq(layer_writer_content(m->out), &mark->src->digest))
		return changed(path, e);
	return check_looks(mark->src, fd, path, &after, e);
}

static int write_content(struct emit *m, const struct fsnode *n, const char *path, struct err *e)
{
	const struct copy_mark *mark = n->mark;
	AUTO(fd_drop) int fd = -1;
	if (mark->content)
		return layer_writer_data(m->out, mark->content, n->size, e);
	if (mark->src && may_change(mark) && (n->size || !mark->src->has_digest))
		return write_live(m, mark, path, e);
	if (!n->size)
		return 0;
	if (mark->archived ? archive_spool_open(mark, &fd, e) < 0
			   : source_open(m->build, mark->from, mark->src, &fd, e) < 0)
		return -1;
	if (layer_writer_fd(m->out, fd, path, e) < 0)
		return -1;
	if (!mark->archived && mark->src->has_digest &&
	    !digest_eq(layer_writer_content(m->out), &mark->src->digest))
		return mark->from->context ? changed(path, e) : damaged(path, e);
	return 0;
}

static int emit_node(struct emit *m, const struct fsnode *n, struct err *e)
{
	AUTO(free_drop) char *path = fsnode_path(n);
	const struct copy_mark *mark = n->mark;
	size_t first;
	bool device = n->type == TAR_CHAR || n->type == TAR_BLOCK;
	bool linked = mark->self && n->type == TAR_FILE && find_first(m, n->inode, &first);
	struct tar_entry t = {
		.type = linked ? TAR_HARDLINK : n->type,
		.path = path,
		.link = linked ? m->first_names.v[first] : n->type == TAR_SYMLINK ? (char *)(uintptr_t)n->link : NULL,
		.mode = n->type == TAR_SYMLINK ? 0777 : n->mode,
		.uid = n->uid,
		.gid = n->gid,
		.size = n->type == TAR_FILE && !linked ? n->size : 0,
		.mtime = n->mtime,
		.major = device ? n->major : 0,
		.minor = device ? n->minor : 0,
	};
	if (n->xattrs)
		t.xattrs = *n->xattrs;
	if (mark->self && mark->shared) {
		t.mode = n->type == TAR_SYMLINK ? 0777 : mark->shared->mode;
		t.uid = mark->shared->uid;
		t.gid = mark->shared->gid;
		t.mtime = mark->shared->mtime;
		t.xattrs = mark->shared->xattrs;
	}
	if (layer_writer_add(m->out, &t, e) < 0)
		return -1;
	if (linked)
		share_digest(m, mark, first);
	if (t.type != TAR_FILE)
		return 0;
	if (n->inode)
		add_first(m, n, path);
	return write_content(m, n, path, e);
}

/* Gathers the marked nodes in the order they are written: parents first, siblings by name. */
static int gather(struct emit *m, struct fsnode ***ret, size_t *ret_n, struct err *e)
{
	VEC(struct fsnode *) order = { 0 };
	VEC(struct fsnode *) todo = { 0 };
	int r = 0;
	vec_push(&todo, m->dest->root);
	while (todo.n && r == 0) {
		struct fsnode *n = todo.v[--todo.n];
		const struct copy_mark *mark = n->mark;
		/* Directories on the way are written too, as they are: other tools unpack layers one by one. */
		if (n != m->dest->root)
			vec_push(&order, n);
		if (n->type != TAR_DIR || !mark->below)
			continue;
		r = fsview_kids(m->dest, n, e);
		for (size_t i = n->n_kids; i > 0 && r == 0; i--)
			if (n->kids[i - 1]->mark)
				vec_push(&todo, n->kids[i - 1]);
	}
	vec_fini(&todo);
	*ret = order.v;
	*ret_n = order.n;
	return r;
}

static bool is_written(const struct fsnode *n)
{
	const struct copy_mark *mark = n->mark;
	return n->type == TAR_FILE && mark->self;
}

int copy_measure(struct fsview *dest, uint64_t *ret, struct err *e)
{
	enum { HEADER = 512 };
	struct emit m = { .dest = dest };
	struct fsnode **order = NULL;
	size_t n = 0;
	uint64_t size = 0;
	int r = dest->root->mark ? gather(&m, &order, &n, e) : 0;
	for (size_t i = 0; i < n; i++)
		size += HEADER + (is_written(order[i]) ? order[i]->size : 0);
	free(order);
	*ret = size;
	return r;
}

/* The image that holds what is to be written here; NULL: none does. */
static struct copy_from *image_of(const struct fsnode *n)
{
	const struct copy_mark *mark = n->mark;
	if (!mark->self || !mark->src || n->type != TAR_FILE || !n->size || mark->from->context || mark->from->remote)
		return NULL;
	return mark->from;
}

static int fetch_from(struct emit *m, struct copy_from *from, struct fsnode *const *nodes, size_t n, struct err *e)
{
	VEC(struct fsnode *) wanted = { 0 };
	for (size_t i = 0; from && i < n; i++)
		if (image_of(nodes[i]) == from)
			vec_push(&wanted, (struct fsnode *)((const struct copy_mark *)nodes[i]->mark)->src);
	int r = wanted.n ? content_fetch(m->build, from, wanted.v, wanted.n, e) : 0;
	vec_fini(&wanted);
	return r;
}

/* Contents in layers without a tree are fetched in one pass, source by source, before anything is written. */
static int fetch_contents(struct emit *m, struct fsnode *const *nodes, size_t n, struct err *e)
{
	/* One instruction has one --from; ADD may link to files of the destination itself. */
	struct copy_from *first = NULL, *second = NULL;
	for (size_t i = 0; i < n; i++) {
		struct copy_from *from = image_of(nodes[i]);
		if (from && !first)
			first = from;
		else if (from && from != first)
			second = from;
	}
	return fetch_from(m, first, nodes, n, e) < 0 || fetch_from(m, second, nodes, n, e) < 0 ? -1 : 0;
}

int copy_emit(struct build *b, struct fsview *dest, struct layer_writer *w, struct err *e)
{
	struct emit m = { .build = b, .dest = dest, .out = w, .dir_fd = -1 };
	struct fsnode **order = NULL;
	size_t n = 0;
	int r = dest->root->mark ? gather(&m, &order, &n, e) : 0;
	if (r == 0)
		r = fetch_contents(&m, order, n, e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = emit_node(&m, order[i], e);
	free(order);
	inode_map_fini(&m.first);
	strv_fini(&m.first_names);
	vec_fini(&m.first_sources);
	fd_drop(&m.dir_fd);
	return r;
}
