#include <string.h>

#include "base/limits.h"
#include "base/vec.h"
#include "fsview_priv.h"

/*
 * A layer on top of what is there: image-spec layer.md, "Applying Changesets". A whiteout acts on what is below the
 * layer only, wherever it stands in the listing, so every node knows the last layer that touched it or something below
 * it: what the present layer has not touched is from below.
 *
 * Parents are reached as the programs do that will unpack the image (containerd): links on the way are followed inside
 * the root, be they of this layer or of one below.
 */
struct apply {
	struct fsview *v;
	unsigned layer;
	/* The directory of the last entry; most entries have the same one as the entry before. */
	struct fsnode *dir;
	const char *dir_path; /* borrowed from the listing */
	size_t dir_len;
	struct err *e;
};

void fsview_touch(struct fsnode *node, unsigned layer)
{
	for (; node && node->touched != layer + 1; node = node->parent)
		node->touched = layer + 1;
}

void fsnode_set_implied(struct fsnode *node, unsigned layer)
{
	node->type = TAR_DIR;
	node->mode = 0755;
	node->uid = node->gid = 0;
	node->mtime = 0;
	node->mtime_ns = 0;
	node->xattrs = NULL;
	node->layer = layer;
	node->layer_path = NULL;
	node->implied = true;
	node->kids_loaded = true;
}

void fsview_detach(struct fsview *v, struct fsnode *node)
{
	struct fsnode *dir = node->parent;
	uint32_t last = --dir->n_kids;
	table_remove(v, node);
	if (node->place != last) {
		dir->kids[node->place] = dir->kids[last];
		dir->kids[node->place]->place = node->place;
		dir->kids_sorted = false;
	}
}

struct fsnodes {
	struct fsnode **v;
	size_t n, cap;
};

/* Takes what is from below out of one directory; its subdirectories that the layer touched are added to `pending`. */
static void empty_one(struct apply *a, struct fsnode *dir, struct fsnodes *pending)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < dir->n_kids; i++) {
		struct fsnode *kid = dir->kids[i];
		if (kid->touched != a->layer + 1) {
			table_remove(a->v, kid);
			continue;
		}
		kid->place = kept;
		dir->kids[kept++] = kid;
		if (kid->type != TAR_DIR)
			continue;
		if (kid->layer != a->layer)
			fsnode_set_implied(kid, a->layer); /* what described it is hidden now */
		vec_push(pending, kid);
	}
	dir->n_kids = kept;
}

/*
 * Hides all that is below this layer in dir. Each directory is emptied once per layer, however many markers it has
 * (T-A13).
 */
static void empty_dir(struct apply *a, struct fsnode *dir)
{
	struct fsnodes pending = { 0 };
	vec_push(&pending, dir);
	while (pending.n) {
		struct fsnode *d = pending.v[--pending.n];
		if (d->emptied == a->layer + 1)
			continue;
		d->emptied = a->layer + 1;
		empty_one(a, d, &pending);
	}
	vec_fini(&pending);
	a->dir = NULL;
}

/* The directory of `path`; NULL when it is missing and `make` is not asked for. *ret_name is the last component. */
static int parent_of(struct apply *a, const char *path, bool make, struct fsnode **ret, const char **ret_name)
{
	const struct fsview_making making = { .layer = a->layer };
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	*ret_name = slash ? slash + 1 : path;
	if (a->dir && len == a->dir_len && memcmp(path, a->dir_path, len) == 0) {
		*ret = a->dir;
		return 0;
	}
	struct fsnode *dir;
	if (fsview_walk(a->v, path, len, true, make ? &making : NULL, &dir, NULL, a->e) < 0)
		return -1;
	if (make && !dir)
		return err_set(a->e, ERR_SPEC, "%.200s: too many links", path);
	if (dir && dir->type == TAR_DIR) {
		a->dir = dir;
		a->dir_path = path;
		a->dir_len = len;
	}
	*ret = dir && dir->type == TAR_DIR ? dir : NULL;
	return 0;
}

static int apply_whiteout(struct apply *a, const char *path)
{
	struct fsnode *dir;
	const char *name;
	if (parent_of(a, path, false, &dir, &name) < 0)
		return -1;
	struct fsnode *node = dir ? table_find(a->v, dir, name, strlen(name)) : NULL;
	if (!node)
		return 0;
	if (node->touched != a->layer + 1) {
		fsview_detach(a->v, node);
		a->dir = NULL;
	} else if (node->type == TAR_DIR) {
		if (node->layer != a->layer)
			fsnode_set_implied(node, a->layer);
		empty_dir(a, node);
	}
	return 0;
}

static int apply_opaque(struct apply *a, const char *path)
{
	struct fsnode *dir;
	if (fsview_walk(a->v, path, strlen(path), true, NULL, &dir, NULL, a->e) < 0)
		return -1;
	if (dir && dir->type == TAR_DIR)
		empty_dir(a, dir);
	return 0;
}

static const struct tar_xattrs *copy_xattrs(struct arena *arena, const struct tar_xattrs *from)
{
	if (!from->n)
		return NULL;
	struct tar_xattrs *to = arena_alloc(arena, sizeof *to);
	to->v = arena_alloc(arena, from->n * sizeof *to->v);
	to->n = to->cap = from->n;
	for (size_t i = 0; i < from->n; i++) {
		to->v[i].name = arena_strdup(arena, from->v[i].name);
		to->v[i].value = arena_strndup(arena, from->v[i].value, from->v[i].len);
		to->v[i].len = from->v[i].len;
	}
	return to;
}

/* Everything but name, place in the tree and layer_path. */
static void fill(struct apply *a, struct fsnode *node, const struct list_entry *entry)
{
	const struct tar_entry *t = &entry->tar;
	struct arena *arena = &a->v->arena;
	node->type = t->type;
	node->mode = (uint16_t)t->mode;
	node->uid = t->uid;
	node->gid = t->gid;
	node->size = t->size;
	node->mtime = t->mtime;
	node->mtime_ns = t->mtime_ns;
	fsnode_set_kind(arena, node, t->link, t->major, t->minor);
	node->xattrs = copy_xattrs(arena, &t->xattrs);
	node->has_digest = t->type == TAR_FILE && entry->has_digest;
	if (node->has_digest)
		node->digest = entry->digest;
	node->layer = a->layer;
	node->implied = false;
	node->kids_loaded = true;
}

/* A further name of `target`: the same file, wherever its bytes are. */
static void fill_hard_link(struct apply *a, struct fsnode *node, struct fsnode *target)
{
	if (!target->inode)
		target->inode = a->v->next_inode++;
	node->type = target->type;
	node->mode = target->mode;
	node->uid = target->uid;
	node->gid = target->gid;
	node->size = target->size;
	node->mtime = target->mtime;
	node->mtime_ns = target->mtime_ns;
	fsnode_set_kind(&a->v->arena, node, target->link, target->major, target->minor);
	node->xattrs = target->xattrs;
	node->has_digest = target->has_digest;
	node->digest = target->digest;
	node->layer = target->layer;
	node->layer_path = target->layer_path;
	node->inode = target->inode;
	node->kids_loaded = true;
}

static int find_target(struct apply *a, const struct tar_entry *t, struct fsnode **ret)
{
	struct fsnode *target;
	if (fsview_walk(a->v, t->link, strlen(t->link), false, NULL, &target, NULL, a->e) < 0)
		return -1;
	if (!target || target->type == TAR_DIR)
		return err_set(a->e, ERR_SPEC, "%.200s is a hard link to %.200s, which is %s", t->path, t->link,
			       target ? "a directory" : "not there");
	*ret = target;
	return 0;
}

static int apply_root(struct apply *a, const struct list_entry *entry)
{
	if (entry->tar.type != TAR_DIR)
		return err_set(a->e, ERR_SPEC, "the root of a layer is not a directory");
	fill(a, a->v->root, entry);
	a->v->root->layer_path = ".";
	fsview_touch(a->v->root, a->layer);
	return 0;
}

static int apply_entry(struct apply *a, const struct list_entry *entry)
{
	const struct tar_entry *t = &entry->tar;
	struct fsnode *dir, *target = NULL;
	const char *name;
	if (strcmp(t->path, ".") == 0)
		return apply_root(a, entry);
	if (parent_of(a, t->path, true, &dir, &name) < 0 || (t->type == TAR_HARDLINK && find_target(a, t, &target) < 0))
		return -1;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(a->e, ERR_SPEC, "a layer holds the path \"%.200s\"", t->path);
	struct fsnode *node = table_find(a->v, dir, name, strlen(name));
	if (node && node == target)
		return 0; /* a link to itself */
	if (node && !(node->type == TAR_DIR && t->type == TAR_DIR)) {
		fsview_detach(a->v, node);
		node = NULL;
		a->dir = NULL; /* the way to it may go through what is replaced */
	}
	char *layer_path = arena_strdup(&a->v->arena, t->path);
	if (!node) {
		if (a->v->n_nodes >= LIMIT_TREE_NODES)
			return err_set(a->e, ERR_LIMIT, "more than %u files in one tree", LIMIT_TREE_NODES);
		node = fsview_add_named(a->v, dir, layer_path + (name - t->path));
	}
	node->layer_path = layer_path;
	if (target)
		fill_hard_link(a, node, target);
	else
		fill(a, node, entry);
	fsview_touch(node, a->layer);
	return 0;
}

int fsview_apply(struct fsview *v, const struct listing *l, unsigned layer, struct err *e)
{
	struct apply a = { .v = v, .layer = layer, .e = e };
	v->root->kids_loaded = true;
	for (size_t i = 0; i < l->n; i++) {
		const struct list_entry *entry = &l->v[i];
		int r = entry->kind == LIST_WHITEOUT ? apply_whiteout(&a, entry->tar.path)
			: entry->kind == LIST_OPAQUE ? apply_opaque(&a, entry->tar.path)
						     : apply_entry(&a, entry);
		if (r < 0)
			return -1;
	}
	return 0;
}
