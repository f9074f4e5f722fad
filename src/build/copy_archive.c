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
		return err_sys(e, "temporary file");
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

/* Where an entry goes: what stands there gives way, but a directory to a directory. */
static int entry_node(struct plan *p, const struct tar_entry *t, struct fsnode **ret, struct err *e)
{
	struct fsnode *dir, *n;
	AUTO(free_drop) char *whole = path_join(p->spec->dest, t->path);
	AUTO(free_drop) char *parent = path_dir(whole);
	if (plan_resolve(p, parent, true, &dir, NULL, NULL, e) < 0)
		return -1;
	if (fsview_child(p->dest, dir, path_base(whole), &n, e) < 0)
		return -1;
	if (n && (n->type != TAR_DIR || t->type != TAR_DIR)) {
		fsview_detach(p->dest, n);
		n = NULL;
	}
	*ret = n ? n : fsview_add(p->dest, dir, path_base(whole));
	return 0;
}

static int add_hardlink(struct plan *p, const struct tar_entry *t, struct fsnode *n, struct err *e)
{
	struct fsnode *target;
	AUTO(free_drop) char *whole = path_join(p->spec->dest, t->link);
	if (fsview_lookup(p->dest, whole, false, &target, NULL, e) < 0)
		return -1;
	struct copy_mark *mark = target ? target->mark : NULL;
	if (!mark || !mark->self || target->type == TAR_DIR)
		return err_set(e, ERR_SPEC, "%s is a hard link to %s, which the archive does not hold", t->path,
			       t->link);
	if (!target->inode)
		target->inode = ++p->dest->next_inode;
	struct copy_mark content = *mark;
	n->type = target->type;
	n->mode = target->mode;
	n->uid = target->uid;
	n->gid = target->gid;
	n->size = target->size;
	n->mtime = target->mtime;
	n->link = target->link;
	n->xattrs = target->xattrs;
	n->inode = target->inode;
	struct copy_mark *m = plan_mark(p, n);
	bool below = m->below;
	*m = content;
	m->below = below;
	return 0;
}

static int add_entry(struct plan *p, struct tar_reader *r, const struct tar_entry *t, struct err *e)
{
	struct fsnode *n;
	off_t offset = 0;
	if (strcmp(t->path, ".") == 0)
		return 0; /* the destination keeps its own attributes */
	if (entry_node(p, t, &n, e) < 0)
		return -1;
	if (t->type == TAR_HARDLINK)
		return add_hardlink(p, t, n, e);
	if (t->type == TAR_FILE && spool(p, r, &offset, e) < 0)
		return -1;
	n->type = t->type;
	n->kids_loaded = true;
	n->mode = t->mode;
	n->uid = p->owner->set ? p->owner->uid : t->uid;
	n->gid = p->owner->set ? p->owner->gid : t->gid;
	n->size = t->size;
	n->mtime = t->mtime;
	n->major = t->major;
	n->minor = t->minor;
	n->link = t->type == TAR_SYMLINK ? arena_strdup(&p->dest->arena, t->link) : NULL;
	n->xattrs = keep_xattrs(p, &t->xattrs);
	n->implied = false;
	struct copy_mark *m = plan_mark(p, n);
	m->from = p->from;
	m->archived = t->type == TAR_FILE;
	m->offset = offset;
	return 0;
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
	/* What does not begin like an archive is a file like any other (ADD-01). */
	int more = tar_reader_next(r, &t, &ignored);
	if (more <= 0)
		return 0;
	p->made_mode = 0755; /* --chmod does not reach what is unpacked (ADD-03) */
	int rc = plan_resolve(p, p->spec->dest, true, &dir, NULL, NULL, e);
	while (rc == 0 && more == 1) {
		rc = add_entry(p, r, t, e);
		if (rc == 0)
			more = tar_reader_next(r, &t, e);
	}
	p->made_mode = mode;
	if (rc < 0 || more < 0)
		return err_in(e, "unpack %s", match->name);
	return 1;
}
