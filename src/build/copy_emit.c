/* The marked part of a planned root filesystem as a layer. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "copy_priv.h"
#include "oci/inode_map.h"

struct emit {
	struct build *build;
	struct fsview *dest;
	struct layer_writer *out;
	struct strv first_names;  /* paths under which files with several names were first written */
	struct inode_map first;   /* inode -> index in first_names */
};

static const char *first_path(const struct emit *m, uint64_t inode)
{
	size_t i;
	return inode && inode_map_get(&m->first, 0, inode, &i) ? m->first_names.v[i] : NULL;
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

/* Files of a context are still what their digest was taken of, by their looks, before and after they are read. */
static int check_looks(const struct fsnode *src, int fd, const char *path, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s of the context", path);
	if ((uint64_t)st.st_size != src->size || st.st_mtim.tv_sec != src->mtime ||
	    (uint32_t)st.st_mtim.tv_nsec != src->mtime_ns)
		return changed(path, e);
	return 0;
}

static bool may_change(const struct copy_mark *mark)
{
	return !mark->archived && mark->from->context && !mark->from->context->packed;
}

static int write_content(struct emit *m, const struct fsnode *n, const char *path, struct err *e)
{
	const struct copy_mark *mark = n->mark;
	AUTO(fd_drop) int fd = -1;
	if (mark->content)
		return layer_writer_data(m->out, mark->content, n->size, e);
	if (!n->size)
		return 0;
	if (mark->archived ? archive_spool_open(mark, &fd, e) < 0
			   : source_open(m->build, mark->from, mark->src, &fd, e) < 0)
		return -1;
	if (may_change(mark) && check_looks(mark->src, fd, path, e) < 0)
		return -1;
	if (layer_writer_fd(m->out, fd, path, e) < 0)
		return -1;
	/* Looks can be given back. A checkout is known by its commit and has no digests. */
	if (!mark->archived && mark->src->has_digest &&
	    !digest_eq(layer_writer_content(m->out), &mark->src->digest))
		return mark->from->context ? changed(path, e) : damaged(path, e);
	return may_change(mark) ? check_looks(mark->src, fd, path, e) : 0;
}

static int emit_node(struct emit *m, const struct fsnode *n, struct err *e)
{
	AUTO(free_drop) char *path = fsnode_path(n);
	const struct copy_mark *mark = n->mark;
	const char *linked = mark->self && n->type == TAR_FILE ? first_path(m, n->inode) : NULL;
	struct tar_entry t = {
		.type = linked ? TAR_HARDLINK : n->type,
		.path = path,
		.link = (char *)(linked ? linked : n->link),
		.mode = n->type == TAR_SYMLINK ? 0777 : n->mode,
		.uid = n->uid,
		.gid = n->gid,
		.size = n->type == TAR_FILE && !linked ? n->size : 0,
		.mtime = n->mtime,
		.major = n->major,
		.minor = n->minor,
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
	if (t.type != TAR_FILE)
		return 0;
	if (n->inode) {
		inode_map_put(&m->first, 0, n->inode, m->first_names.n);
		strv_push(&m->first_names, path);
	}
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
	struct emit m = { .build = b, .dest = dest, .out = w };
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
	return r;
}
