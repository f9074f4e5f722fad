/*
 * ADD of a local archive: its entries merged over the destination (ADD-01, ADD-03). Contents are kept in an unnamed
 * temporary file until the layer is written, since an archive has its own order.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/foreign.h"
#include "archive/tar_read.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "context_scan_priv.h"
#include "copy_plan_priv.h"

/* Contents of the archives of one instruction. */
struct archive_spool {
	int fd;
	off_t end;
};

int archive_spool_open(const struct copy_mark *m, int *ret_fd, struct err *e)
{
	AUTO(fd_drop) int fd = fd_dup(m->from->archive->fd);
	if (fd < 0 || lseek(fd, m->offset, SEEK_SET) < 0)
		return err_sys(e, "read an archive from the temporary file");
	*ret_fd = fd_take(&fd);
	return 0;
}

void archive_spool_free(struct archive_spool *a)
{
	if (!a)
		return;
	fd_drop(&a->fd);
	free(a);
}

static int spool(struct plan *p, struct tar_reader *r, off_t *ret, struct err *e)
{
	struct archive_spool *a = p->from->archive;
	char buf[65536];
	ssize_t n;
	if (!a) {
		int fd = spool_file(p->build, e);
		if (fd < 0)
			return -1;
		p->from->archive = a = x_alloc(sizeof *a);
		a->fd = fd;
	}
	*ret = a->end;
	while ((n = tar_reader_read(r, buf, sizeof buf, e)) > 0) {
		if (fd_write_all(a->fd, buf, (size_t)n, "temporary file", e) < 0)
			return -1;
		a->end += n;
	}
	return n < 0 ? -1 : 0;
}

static const struct tar_xattrs *keep_xattrs(struct plan *p, const struct tar_xattrs *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->v[i].name, "security.capability") != 0)
			continue;
		struct tar_xattrs *one = arena_alloc(&p->dest->arena, sizeof *one);
		one->v = arena_alloc(&p->dest->arena, sizeof *one->v);
		one->v[0] = (struct tar_xattr){
			.name = arena_strdup(&p->dest->arena, all->v[i].name),
			.value = arena_strndup(&p->dest->arena, all->v[i].value, all->v[i].len),
			.len = all->v[i].len,
		};
		one->n = 1;
		return one;
	}
	return NULL;
}

/* Times that a file system of nanoseconds in 64 bits cannot hold are the epoch. */
static int64_t bounded_time(int64_t t)
{
	return t < 0 || t > INT64_MAX / 1000000000 ? 0 : t;
}

/* Where an entry goes: what stands there gives way, but a directory to a directory. */
static int entry_node(struct plan *p, const struct tar_entry *t, struct fsnode **ret, struct err *e)
{
	struct fsnode *dir, *n;
	AUTO(free_drop) char *parent = path_dir(t->path);
	if (plan_resolve(p, parent, true, &dir, NULL, NULL, e) < 0)
		return -1;
	if (fsview_child(p->dest, dir, path_base(t->path), &n, e) < 0)
		return -1;
	if (n && (n->type != TAR_DIR || t->type != TAR_DIR)) {
		fsview_detach(p->dest, n);
		n = NULL;
	}
	*ret = n ? n : fsview_add(p->dest, dir, path_base(t->path));
	return 0;
}

/* The file a hard link names: of the archive, or one that stood in the destination before. */
static int find_linked(struct plan *p, const struct tar_entry *t, struct fsnode **ret, struct err *e)
{
	struct fsnode *dir, *n = NULL;
	AUTO(free_drop) char *parent = path_dir(t->link);
	p->look_only = true;
	int r = plan_resolve(p, parent, true, &dir, NULL, NULL, e);
	p->look_only = false;
	if (r < 0 || (dir && fsview_child(p->dest, dir, path_base(t->link), &n, e) < 0))
		return -1;
	if (!n || n->type == TAR_DIR)
		return err_set(e, ERR_SPEC, "%s is a hard link to %s, which is %s", t->path, t->link,
			       n ? "a directory" : "not there");
	*ret = n;
	return 0;
}

/* A file of a layer below comes into this layer when it is linked to, and has no part any more in older links. */
static struct copy_mark *take_up(struct plan *p, struct fsnode *n)
{
	struct copy_mark *m = n->mark;
	if (m && m->self)
		return m;
	m = plan_mark(p, n);
	m->from = p->image;
	m->src = n;
	n->inode = 0;
	return m;
}

/* The header of a link is as good as that of the file: the last one counts for all names. */
static struct tar_entry *shared_of(struct plan *p, struct fsnode *target, struct copy_mark *m)
{
	if (!m->shared) {
		m->shared = arena_alloc(&p->dest->arena, sizeof *m->shared);
		*m->shared = (struct tar_entry){ .mode = target->mode };
	}
	if (!target->inode)
		target->inode = ++p->dest->next_inode;
	return m->shared;
}

static int add_hardlink(struct plan *p, const struct tar_entry *t, struct fsnode *n, struct fsnode *target)
{
	struct copy_mark *mark = take_up(p, target);
	struct tar_entry *shared = shared_of(p, target, mark);
	const struct tar_xattrs *xattrs = keep_xattrs(p, &t->xattrs);
	shared->uid = p->owner->set ? p->owner->uid : t->uid;
	shared->gid = p->owner->set ? p->owner->gid : t->gid;
	if (target->type != TAR_SYMLINK) {
		shared->mode = t->mode;
		shared->mtime = bounded_time(t->mtime);
	} else {
		shared->mtime = target->mtime;
	}
	/* A change of the owner drops a file's capabilities. */
	shared->xattrs = xattrs ? *xattrs : (struct tar_xattrs){ 0 };
	n->type = target->type;
	n->kids_loaded = true;
	n->size = target->size;
	fsnode_set_kind(&p->dest->arena, n, target->link, target->major, target->minor);
	n->inode = target->inode;
	n->implied = false;
	struct copy_mark content = *mark, *m = plan_mark(p, n);
	content.below = m->below;
	*m = content;
	return 0;
}

static int add_entry(struct plan *p, struct tar_reader *r, const struct tar_entry *t, struct err *e)
{
	struct fsnode *n, *target;
	off_t offset = 0;
	if (strcmp(t->path, ".") == 0)
		return 0; /* the destination keeps its own attributes */
	if (entry_node(p, t, &n, e) < 0)
		return -1;
	if (t->type == TAR_HARDLINK)
		return find_linked(p, t, &target, e) < 0 ? -1 : add_hardlink(p, t, n, target);
	if (t->type == TAR_FILE && spool(p, r, &offset, e) < 0)
		return -1;
	n->type = t->type;
	n->kids_loaded = true;
	n->mode = (uint16_t)t->mode;
	n->uid = p->owner->set ? p->owner->uid : t->uid;
	n->gid = p->owner->set ? p->owner->gid : t->gid;
	n->size = t->size;
	n->mtime = bounded_time(t->mtime);
	fsnode_set_kind(&p->dest->arena, n, t->link, t->major, t->minor);
	n->xattrs = keep_xattrs(p, &t->xattrs);
	n->implied = false;
	struct copy_mark *m = plan_mark(p, n);
	m->from = p->from;
	m->archived = t->type == TAR_FILE;
	m->offset = offset;
	return 0;
}

/* The archive is unpacked as in a root of its own: no link in it leads out of the destination. */
static int unpack(struct plan *p, struct tar_reader *r, const struct tar_entry *t, struct fsnode *dest, struct err *e)
{
	const struct copy_owner made_owner = p->made_owner;
	int more = 1, rc = 0;
	p->jail = dest;
	p->made_owner = (struct copy_owner){ 0 }; /* --chown does not reach directories that no entry names */
	while (rc == 0 && more == 1) {
		rc = add_entry(p, r, t, e);
		if (rc == 0)
			more = tar_reader_next(r, &t, e);
	}
	p->jail = NULL;
	p->made_owner = made_owner;
	return rc < 0 ? rc : more;
}

/* One of a context was unpacked from what its digest was taken of. */
static int check_unchanged(struct plan *p, const struct copy_match *match, struct err *e)
{
	const struct context *c = match->from->context;
	struct fsnode now = *match->node;
	AUTO(fd_drop) int fd = -1;
	AUTO(str_fini) struct str learned = { 0 };
	if (!c || c->packed || !now.has_digest)
		return 0;
	AUTO(free_drop) char *buf = x_alloc(CONTEXT_READ);
	if (source_open(p->build, match->from, match->node, &fd, e) < 0 ||
	    context_hash(fd, &now, match->name, buf, &learned, e) < 0)
		return -1;
	if (digest_eq(&now.digest, &match->node->digest))
		return 0;
	return err_set(e, ERR_BUILD, "%s of the context changed while it was read", match->name);
}

int plan_archive(struct plan *p, const struct copy_match *match, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	AUTO(source_drop) struct source *in = NULL;
	struct fsnode *dir;
	struct err ignored;
	const struct tar_entry *t;
	uint32_t mode = p->made_mode;
	if (source_open(p->build, match->from, match->node, &fd, e) < 0 ||
	    source_file_decompress(fd, match->name, &in, &ignored) < 0)
		return fd < 0 ? -1 : 0;
	in = source_limit(in, LIMIT_LAYER_BYTES, match->name);
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, match->name);
	tar_reader_clamp(r);
	/* What does not begin like an archive is a file like any other (ADD-01). */
	int more = tar_reader_next(r, &t, &ignored);
	if (more <= 0)
		return 0;
	p->made_mode = 0755; /* --chmod does not reach what is unpacked (ADD-03) */
	int rc = plan_resolve(p, p->spec->dest, true, &dir, NULL, NULL, e);
	if (rc == 0)
		rc = unpack(p, r, t, dir, e);
	p->made_mode = mode;
	if (rc < 0)
		return err_in(e, "unpack %s", match->name);
	return check_unchanged(p, match, e) < 0 ? -1 : 1;
}
