/* Where the sources of COPY and ADD land: the rules of CP-08 to CP-19, on nodes. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/path.h"
#include "copy_plan_priv.h"

struct copy_mark *plan_mark(struct plan *p, struct fsnode *n)
{
	struct copy_mark *m = n->mark;
	if (!m)
		n->mark = m = arena_alloc(&p->dest->arena, sizeof *m);
	*m = (struct copy_mark){ .self = true, .below = m->below };
	for (struct fsnode *up = n->parent; up; up = up->parent) {
		struct copy_mark *u = up->mark;
		if (!u)
			up->mark = u = arena_alloc(&p->dest->arena, sizeof *u);
		if (u->below)
			break;
		u->below = true;
	}
	return m;
}

static struct fsnode *make_dir(struct plan *p, struct fsnode *parent, const char *name)
{
	struct fsnode *n = fsview_add(p->dest, parent, name);
	n->type = TAR_DIR;
	n->kids_loaded = true;
	n->mode = (uint16_t)p->made_mode;
	n->mtime = p->made_time;
	n->uid = p->made_owner.uid;
	n->gid = p->made_owner.gid;
	plan_mark(p, n);
	return n;
}

int plan_resolve(struct plan *p, const char *path, bool dir_only, struct fsnode **ret, struct fsnode **ret_parent,
		 char **ret_name, struct err *e)
{
	struct fsnode *root = p->jail ? p->jail : p->dest->root, *here = root;
	AUTO(free_drop) char *rest = x_strdup(path);
	unsigned links = 0;
	size_t own = SIZE_MAX; /* what is left of the path itself, behind what a link put in front of it */
	for (;;) {
		char *at = rest + strspn(rest, "/");
		size_t len = strcspn(at, "/");
		bool last = !at[len + strspn(at + len, "/")];
		AUTO(free_drop) char *name = x_strndup(at, len);
		AUTO(free_drop) char *left = x_strdup(at + len);
		struct fsnode *kid = NULL;
		if (here->type != TAR_DIR) {
			AUTO(free_drop) char *where = fsnode_path(here);
			return err_set(e, ERR_BUILD, "/%s is not a directory", where);
		}
		if (!len) {
			*ret = here;
			return 0;
		}
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			kid = name[1] && here != root ? here->parent : here;
		} else if (fsview_child(p->dest, here, name, &kid, e) < 0) {
			return -1;
		}
		if (kid && kid->type == TAR_SYMLINK) {
			if (++links > LIMIT_SYMLINKS)
				return err_set(e, ERR_BUILD, "%s: too many levels of symbolic links in the image",
					       path);
			if (kid->link[0] == '/')
				here = root;
			if (own == SIZE_MAX || strlen(at) <= own)
				own = strlen(left);
			free(rest);
			rest = x_asprintf("%s/%s", kid->link, left);
			continue;
		}
		if (!kid && p->look_only) {
			*ret = NULL;
			return 0;
		}
		if (!kid && p->jail && own != SIZE_MAX && strlen(at) > own)
			return err_set(e, ERR_BUILD, "%s: a link on the way leads to %s, which is not there", path,
				       name);
		if (!kid && last && !dir_only) {
			*ret = NULL;
			*ret_parent = here;
			*ret_name = ptr_take(&name);
			return 0;
		}
		if (!kid)
			kid = make_dir(p, here, name);
		here = kid;
		if (last) {
			if (dir_only && here->type != TAR_DIR)
				return err_set(e, ERR_BUILD, "%s in the image is not a directory", path);
			*ret = here;
			return 0;
		}
		free(rest);
		rest = ptr_take(&left);
	}
}

/* ---- one node ---- */

static uint64_t link_id(struct plan *p, const struct fsnode *src)
{
	size_t given;
	if (!src->inode)
		return 0;
	if (!inode_map_get(&p->links, 0, src->inode, &given)) {
		given = ++p->dest->next_inode;
		inode_map_put(&p->links, 0, src->inode, given);
	}
	return given;
}

/* Of the extended attributes only file capabilities come along, as in the reference. */
static const struct tar_xattrs *capability_of(struct fsview *dest, const struct tar_xattrs *all)
{
	for (size_t i = 0; all && i < all->n; i++) {
		if (strcmp(all->v[i].name, "security.capability") != 0)
			continue;
		struct tar_xattrs *one = arena_alloc(&dest->arena, sizeof *one);
		one->v = &all->v[i];
		one->n = 1;
		return one;
	}
	return NULL;
}

static void take_metadata(struct plan *p, struct fsnode *n, const struct fsnode *src)
{
	n->mode = src->mode;
	if (p->spec->has_chmod && src->type != TAR_SYMLINK)
		n->mode = (uint16_t)df_chmod_apply(&p->spec->chmod, src->mode, src->type == TAR_DIR);
	n->uid = p->spec->from_image ? src->uid : 0;
	n->gid = p->spec->from_image ? src->gid : 0;
	if (p->owner->set) {
		n->uid = p->owner->uid;
		n->gid = p->owner->gid;
	}
	n->mtime = src->mtime;
	n->mtime_ns = src->mtime_ns;
	n->xattrs = capability_of(p->dest, src->xattrs);
	n->implied = false;
}

/* A file, link or device as `name` in parent; what is there and no directory gives way. */
static int place(struct plan *p, struct fsnode *parent, const char *name, struct fsnode *src, struct err *e)
{
	struct fsnode *n;
	if (fsview_child(p->dest, parent, name, &n, e) < 0)
		return -1;
	if (n && n->type == TAR_DIR) {
		AUTO(free_drop) char *where = fsnode_path(n);
		return err_set(e, ERR_BUILD, "cannot replace the directory /%s with a file", where);
	}
	if (!n)
		n = fsview_add(p->dest, parent, name);
	n->type = src->type;
	n->kids_loaded = true;
	n->size = src->size;
	fsnode_set_kind(&p->dest->arena, n, src->link, src->major, src->minor);
	n->inode = link_id(p, src);
	take_metadata(p, n, src);
	struct copy_mark *m = plan_mark(p, n);
	m->from = p->from;
	m->src = src;
	return 0;
}

/* A directory inside a copied tree: takes the source's metadata whether it is new or not (CP-12). */
static int place_dir(struct plan *p, struct fsnode *parent, const char *name, const struct fsnode *src,
		     struct fsnode **ret, struct err *e)
{
	struct fsnode *n;
	if (fsview_child(p->dest, parent, name, &n, e) < 0)
		return -1;
	if (n && n->type != TAR_DIR) {
		AUTO(free_drop) char *where = fsnode_path(n);
		return err_set(e, ERR_BUILD, "cannot copy to non-directory: /%s", where);
	}
	if (!n) {
		n = fsview_add(p->dest, parent, name);
		n->type = TAR_DIR;
		n->kids_loaded = true;
	}
	take_metadata(p, n, src);
	plan_mark(p, n);
	*ret = n;
	return 0;
}

/* ---- trees ---- */

/* True when an excluded directory has something below it that a "!" pattern takes back. */
static int any_included(struct plan *p, struct fsnode *top, size_t skip, bool *ret, struct err *e)
{
	VEC(struct fsnode *) todo = { 0 };
	int r = 0;
	*ret = false;
	vec_push(&todo, top);
	while (todo.n && r == 0 && !*ret) {
		struct fsnode *dir = todo.v[--todo.n];
		r = fsview_kids(p->from->view, dir, e);
		for (size_t i = 0; i < dir->n_kids && r == 0; i++) {
			AUTO(free_drop) char *path = fsnode_path(dir->kids[i]);
			if (!df_ignored(p->exclude, path + skip, NULL))
				*ret = true;
			else if (dir->kids[i]->type == TAR_DIR)
				vec_push(&todo, dir->kids[i]);
		}
	}
	vec_fini(&todo);
	return r;
}

static int excluded(struct plan *p, struct fsnode *n, size_t skip, bool *ret, struct err *e)
{
	*ret = false;
	if (!p->exclude)
		return 0;
	AUTO(free_drop) char *path = fsnode_path(n);
	if (!df_ignored(p->exclude, path + skip, NULL))
		return 0;
	*ret = true;
	if (n->type != TAR_DIR || !df_ignore_may_reinclude(p->exclude, path + skip))
		return 0;
	bool some;
	if (any_included(p, n, skip, &some, e) < 0)
		return -1;
	*ret = !some;
	return 0;
}

struct dir_pair { struct fsnode *src, *dst; };

/* The contents of directory src into directory dst, of any depth without recursion. */
static int copy_contents(struct plan *p, struct fsnode *src, size_t skip, struct fsnode *dst, struct err *e)
{
	VEC(struct dir_pair) todo = { 0 };
	int r = 0;
	vec_push(&todo, ((struct dir_pair){ src, dst }));
	while (todo.n && r == 0) {
		struct fsnode *from = todo.v[todo.n - 1].src, *to = todo.v[todo.n - 1].dst;
		todo.n--;
		r = fsview_kids(p->from->view, from, e);
		for (size_t i = 0; i < from->n_kids && r == 0; i++) {
			struct fsnode *kid = from->kids[i], *made;
			bool skip_it;
			r = excluded(p, kid, skip, &skip_it, e);
			if (r < 0 || skip_it)
				continue;
			if (kid->type != TAR_DIR) {
				r = place(p, to, kid->name, kid, e);
				continue;
			}
			r = place_dir(p, to, kid->name, kid, &made, e);
			if (r < 0)
				continue;
			vec_push(&todo, ((struct dir_pair){ kid, made }));
		}
	}
	vec_fini(&todo);
	return r;
}

/* The directory that receives the contents of another has its time; the root of a context has none of its own. */
static void take_time(struct plan *p, struct fsnode *n, const struct fsnode *src)
{
	if (!src->parent)
		return;
	struct copy_mark *m = n->mark;
	if (!m || !m->self)
		plan_mark(p, n);
	n->mtime = src->mtime;
	n->mtime_ns = src->mtime_ns;
}

/*
 * A directory on the way to what --parents keeps. A new one takes the source's attributes, one that is there only its
 * mode; neither --chmod nor --chown counts for that (CP-19).
 */
static int keep_dir(struct plan *p, const struct copy_match *m, struct fsnode **to, const char *name,
		    const struct fsnode *src, struct err *e)
{
	struct fsnode *there, *made;
	if (fsview_child(p->dest, *to, name, &there, e) < 0)
		return -1;
	if (!there || there->type != TAR_DIR) {
		if (place_dir(p, *to, name, src, &made, e) < 0)
			return -1;
		((struct copy_mark *)made->mark)->kept_by = (uint32_t)m->word + 1;
		*to = made;
		return 0;
	}
	struct copy_mark *mark = there->mark;
	*to = there;
	if (there->mode == src->mode || (mark && mark->kept_by == m->word + 1))
		return 0;
	if (!mark || !mark->self)
		plan_mark(p, there);
	there->mode = src->mode;
	return 0;
}

/* --parents: the kept directories carry the source's attributes where they are made (CP-19). */
static int copy_kept(struct plan *p, const struct copy_match *m, struct err *e)
{
	struct fsnode *to, *src = m->base;
	size_t skip = copy_match_skip(m);
	bool skip_it = false;
	if (*m->kept && excluded(p, m->node, skip, &skip_it, e) < 0)
		return -1;
	if (skip_it)
		return 0;
	if (plan_resolve(p, p->spec->dest, true, &to, NULL, NULL, e) < 0)
		return -1;
	take_time(p, to, src);
	AUTO(free_drop) char *kept = x_strdup(m->kept);
	char *save = NULL;
	for (char *name = strtok_r(kept, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		if (fsview_child(p->from->view, src, name, &src, e) < 0)
			return -1;
		if (src != m->node && keep_dir(p, m, &to, name, src, e) < 0)
			return -1;
		if (src != m->node)
			continue;
		if (src->type != TAR_DIR)
			return place(p, to, name, src, e);
		return place_dir(p, to, name, src, &to, e) < 0 ? -1 : copy_contents(p, src, skip, to, e);
	}
	return 0;
}

/* ---- one match ---- */

static bool ends_as_directory(const char *dest)
{
	return str_ends(dest, "/") || str_ends(dest, "/.") || strcmp(dest, ".") == 0;
}

static int copy_match(struct plan *p, const struct copy_match *m, struct err *e)
{
	struct fsnode *there = NULL, *parent = NULL;
	AUTO(free_drop) char *name = NULL;
	bool src_is_dir = m->node && m->node->type == TAR_DIR;
	bool dir_only = ends_as_directory(p->spec->dest);
	p->from = m->from;
	inode_map_fini(&p->links);
	if (m->kept)
		return copy_kept(p, m, e);
	bool unpack = p->spec->add && (m->from->remote ? p->spec->unpack_remote : !p->spec->no_unpack);
	if (unpack && m->node && m->node->type == TAR_FILE) {
		int r = plan_archive(p, m, e);
		if (r)
			return r < 0 ? -1 : 0;
	}
	if (plan_resolve(p, p->spec->dest, dir_only, &there, &parent, &name, e) < 0)
		return -1;
	if (src_is_dir) {
		if (there && there->type != TAR_DIR)
			return err_set(e, ERR_BUILD, "cannot copy to non-directory: %s", p->spec->dest);
		if (!there)
			there = make_dir(p, parent, name);
		take_time(p, there, m->node);
		return copy_contents(p, m->node, copy_match_skip(m), there, e);
	}
	struct fsnode inline_file = { .type = TAR_FILE, .mode = 0644, .mtime = p->made_time };
	struct fsnode *src = m->node ? m->node : &inline_file;
	if (m->content)
		inline_file.size = strlen(m->content);
	if (there && there->type == TAR_DIR) {
		parent = there;
		name = x_strdup(m->name);
	} else if (there) {
		parent = there->parent;
		name = x_strdup(there->name);
	}
	if (place(p, parent, name, src, e) < 0)
		return -1;
	if (m->content) {
		struct fsnode *n;
		if (fsview_child(p->dest, parent, name, &n, e) < 0)
			return -1;
		struct copy_mark *mk = n->mark;
		mk->src = NULL;
		mk->content = m->content;
	}
	return 0;
}

int copy_plan(struct build *b, const struct copy_selection *s, const struct copy_spec *spec,
	      const struct copy_owner *owner, struct fsview *dest, struct copy_from *image, struct err *e)
{
	struct plan p = {
		.build = b, .dest = dest, .spec = spec, .owner = owner, .made_owner = *owner, .made_mode = 0755,
		.made_time = b->made_time, .image = image,
	};
	if (spec->has_chmod && spec->chmod.octal)
		p.made_mode = spec->chmod.mode & 0777;
	if (spec->excludes.n && df_ignore_from_patterns(&spec->excludes, &p.exclude, e) < 0)
		return -1;
	int r = 0;
	for (size_t i = 0; i < s->n && r == 0; i++)
		r = copy_match(&p, &s->v[i], e);
	df_ignore_free(p.exclude);
	inode_map_fini(&p.links);
	return r;
}

int copy_plan_mkdir(struct build *b, struct fsview *dest, const char *path, uint32_t mode,
		    const struct copy_owner *owner, struct err *e)
{
	struct plan p = {
		.build = b, .dest = dest, .owner = owner, .made_owner = *owner, .made_mode = mode, .made_time = b->made_time,
	};
	struct fsnode *there;
	return plan_resolve(&p, path, true, &there, NULL, NULL, e);
}
