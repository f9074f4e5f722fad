/* The marked part of a planned root filesystem as a layer. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "copy_priv.h"
#include "stat_index_priv.h"
#include "oci/inode_map.h"
#include "oci/layer_reuse.h"

/* Part of what is written, in one go or as it was written before. */
struct emit_run {
	size_t first, n;             /* of the order */
	const struct frame_run *old; /* of the earlier layer, or NULL */
};

struct emit {
	struct build *build;
	struct fsview *dest;
	struct layer_writer *out;
	struct layer_reuse *reuse;   /* an earlier layer, or NULL */
	VEC(struct emit_run) runs;
	struct fsnode **order;    /* what is written, in this order; owned */
	size_t n;
	struct inode_map first;   /* inode of a file with several names -> which of `order` is the first */
	const struct fsnode *dir; /* of a context: where the last file was read … */
	int dir_fd;               /* … open; -1: none */
};

/* Files with several names: the first that is written has the content, the others are links to it. */
static void find_firsts(struct emit *m)
{
	size_t first;
	for (size_t i = 0; i < m->n; i++) {
		const struct fsnode *n = m->order[i];
		if (n->type == TAR_FILE && n->inode && !inode_map_get(&m->first, 0, n->inode, &first))
			inode_map_put(&m->first, 0, n->inode, i);
	}
}

/* Of the i-th; itself: it has no other name, or this is the first. */
static size_t first_of(const struct emit *m, size_t i)
{
	const struct fsnode *n = m->order[i];
	size_t first = i;
	if (n->type == TAR_FILE && n->inode)
		inode_map_get(&m->first, 0, n->inode, &first);
	return first;
}

/* NULL: it is the first. The caller owns it. */
static char *first_path(const struct emit *m, size_t i)
{
	size_t first = first_of(m, i);
	return first == i ? NULL : fsnode_path(m->order[first]);
}

/* The digest of a further name is that of the first; an archive's files, and what is there already, have no source. */
static void share_digest(const struct emit *m, size_t i)
{
	const struct copy_mark *mark = m->order[i]->mark, *first = m->order[first_of(m, i)]->mark;
	if (first == mark || !mark->src || !first->src || mark->src->has_digest)
		return;
	mark->src->digest = first->src->digest;
	mark->src->has_digest = first->src->has_digest;
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

/* The entry of a node, which borrows its strings from it, path and linked (may be NULL). */
static struct tar_entry entry_of(const struct fsnode *n, char *path, char *linked)
{
	const struct copy_mark *mark = n->mark;
	bool device = n->type == TAR_CHAR || n->type == TAR_BLOCK;
	struct tar_entry t = {
		.type = linked ? TAR_HARDLINK : n->type,
		.path = path,
		.link = linked ? linked : n->type == TAR_SYMLINK ? (char *)(uintptr_t)n->link : NULL,
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
	return t;
}

static int emit_node(struct emit *m, size_t i, struct err *e)
{
	const struct fsnode *n = m->order[i];
	AUTO(free_drop) char *path = fsnode_path(n), *linked = first_path(m, i);
	struct tar_entry t = entry_of(n, path, linked);
	if (layer_writer_add(m->out, &t, e) < 0)
		return -1;
	share_digest(m, i);
	return t.type == TAR_FILE ? write_content(m, n, path, e) : 0;
}

static int emit_nodes(struct emit *m, size_t first, size_t n, struct err *e)
{
	for (size_t i = first; i < first + n; i++)
		if (emit_node(m, i, e) < 0)
			return -1;
	return 0;
}

/* Gathers the marked nodes in the order they are written: parents first, siblings by name. */
static void gather(struct emit *m)
{
	VEC(struct fsnode *) order = { 0 };
	VEC(struct fsnode *) todo = { 0 };
	vec_push(&todo, m->dest->root);
	while (todo.n) {
		struct fsnode *n = todo.v[--todo.n];
		const struct copy_mark *mark = n->mark;
		/* Directories on the way are written too, as they are: other tools unpack layers one by one. */
		if (n != m->dest->root)
			vec_push(&order, n);
		if (n->type != TAR_DIR || !mark->below)
			continue;
		fsnode_sort(n); /* the view may be one of a part, in which all is that is marked */
		for (size_t i = n->n_kids; i > 0; i--)
			if (n->kids[i - 1]->mark)
				vec_push(&todo, n->kids[i - 1]);
	}
	vec_fini(&todo);
	m->order = order.v;
	m->n = order.n;
}

static bool is_written(const struct fsnode *n)
{
	const struct copy_mark *mark = n->mark;
	return n->type == TAR_FILE && mark->self;
}

uint64_t copy_measure(struct fsview *dest)
{
	enum { HEADER = 512 };
	struct emit m = { .dest = dest };
	uint64_t size = 0;
	if (dest->root->mark)
		gather(&m);
	for (size_t i = 0; i < m.n; i++)
		size += HEADER + (is_written(m.order[i]) ? m.order[i]->size : 0);
	free(m.order);
	return size;
}

/* The image that holds what is to be written here; NULL: none does. */
static struct copy_from *image_of(const struct fsnode *n)
{
	const struct copy_mark *mark = n->mark;
	if (!mark->self || !mark->src || n->type != TAR_FILE || !n->size || mark->from->context || mark->from->remote)
		return NULL;
	return mark->from;
}

static int fetch_from(struct emit *m, struct copy_from *from, struct err *e)
{
	VEC(struct fsnode *) wanted = { 0 };
	for (size_t k = 0; from && k < m->runs.n; k++) {
		const struct emit_run *run = &m->runs.v[k];
		for (size_t i = run->first; !run->old && i < run->first + run->n; i++)
			if (image_of(m->order[i]) == from)
				vec_push(&wanted, (struct fsnode *)((const struct copy_mark *)m->order[i]->mark)->src);
	}
	int r = wanted.n ? content_fetch(m->build, from, wanted.v, wanted.n, e) : 0;
	vec_fini(&wanted);
	return r;
}

/* Contents in layers without a tree are fetched in one pass, source by source, before anything is written. */
static int fetch_contents(struct emit *m, struct err *e)
{
	/* One instruction has one --from; ADD may link to files of the destination itself. */
	struct copy_from *first = NULL, *second = NULL;
	for (size_t i = 0; i < m->n; i++) {
		struct copy_from *from = image_of(m->order[i]);
		if (from && !first)
			first = from;
		else if (from && from != first)
			second = from;
	}
	return fetch_from(m, first, e) < 0 || fetch_from(m, second, e) < 0 ? -1 : 0;
}

/* ---- what an earlier layer has already ---- */

/* The digest of a file's content, where it is known without reading it. */
static bool known_digest(const struct fsnode *n, struct digest *ret)
{
	const struct copy_mark *mark = n->mark;
	if (mark->content || !n->size)
		*ret = digest_of(mark->content ? mark->content : "", n->size);
	else if (!mark->archived && mark->src && mark->src->has_digest)
		*ret = mark->src->digest;
	else
		return false;
	return true;
}

static int plan(const struct emit *m, struct frame_plan *ret, struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		AUTO(free_drop) char *path = fsnode_path(m->order[i]), *linked = first_path(m, i);
		struct list_entry entry = { .tar = entry_of(m->order[i], path, linked) };
		layer_writer_times(m->out, &entry.tar);
		if (entry.tar.type == TAR_FILE)
			entry.has_digest = known_digest(m->order[i], &entry.digest);
		if (frame_plan_add(ret, &entry, e) < 0)
			return -1;
	}
	frame_plan_end(ret);
	return 0;
}

/* Which runs can be taken from the earlier layer. */
static int find_runs(struct emit *m, struct err *e)
{
	AUTO(frame_plan_fini) struct frame_plan p = { 0 };
	size_t frames = 0, reused = 0;
	if (plan(m, &p, e) < 0)
		return -1;
	for (size_t i = 0; i < p.runs.n; i++) {
		const struct frame_run *run = &p.runs.v[i], *old = layer_reuse_find(m->reuse, run);
		frames += run->n_frames;
		reused += old ? run->n_frames : 0;
		vec_push(&m->runs, ((struct emit_run){ run->first, run->n, old }));
	}
	log_debug("reused %zu of %zu frames", reused, frames);
	return 0;
}

static int reuse_run(struct emit *m, const struct emit_run *run, struct err *e)
{
	for (size_t i = run->first; i < run->first + run->n; i++)
		share_digest(m, i);
	return layer_writer_reuse(m->out, m->reuse, run->old, e);
}

static int emit_runs(struct emit *m, struct err *e)
{
	for (size_t i = 0; i < m->runs.n; i++) {
		const struct emit_run *run = &m->runs.v[i];
		if (run->old ? reuse_run(m, run, e) < 0 : emit_nodes(m, run->first, run->n, e) < 0)
			return -1;
	}
	return 0;
}

int copy_emit(struct build *b, struct fsview *dest, struct layer_reuse *reuse, struct layer_writer *w, struct err *e)
{
	struct emit m = { .build = b, .dest = dest, .out = w, .reuse = reuse, .dir_fd = -1 };
	int r = 0;
	if (dest->root->mark)
		gather(&m);
	find_firsts(&m);
	if (reuse)
		r = find_runs(&m, e);
	else
		vec_push(&m.runs, ((struct emit_run){ .n = m.n }));
	if (r == 0)
		r = fetch_contents(&m, e);
	if (r == 0)
		r = emit_runs(&m, e);
	free(m.order);
	vec_fini(&m.runs);
	inode_map_fini(&m.first);
	fd_drop(&m.dir_fd);
	return r;
}
