#include "oci/fsview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fsview_priv.h"

_Static_assert(sizeof(struct fsnode) <= 144, "a context of 50,000 files has 100,000 of them when it is copied");

void fsview_init(struct fsview *v)
{
	*v = (struct fsview){ .next_inode = 1 };
	v->root = arena_alloc(&v->arena, sizeof *v->root);
	*v->root = (struct fsnode){ .name = "", .type = TAR_DIR, .mode = 0755, .implied = true, .kids_sorted = true };
}

void fsview_fini(struct fsview *v)
{
	arena_fini(&v->arena);
	free(v->table);
	list_scope_fini(&v->scope);
	*v = (struct fsview){ 0 };
}

void fsview_narrow(struct fsview *v, struct list_scope *scope)
{
	v->scope = *scope;
	v->root->partial = scope->paths.n > 0;
	*scope = (struct list_scope){ 0 };
}

int fsview_miss(struct fsview *v, const char *path, struct err *e)
{
	v->missed = arena_strdup(&v->arena, path);
	return err_set(e, ERR_BUILD, "/%s of the image is outside of what was read of it", path);
}

/* Whether a name that is not there would have been read. */
static int check_scope(struct fsview *v, const struct fsnode *dir, const char *name, size_t n, struct err *e)
{
	AUTO(free_drop) char *above = fsnode_path(dir);
	AUTO(free_drop) char *path = x_asprintf("%s%s%.*s", above, *above ? "/" : "", (int)n, name);
	return list_scope_reaches(&v->scope, path) ? 0 : fsview_miss(v, path, e);
}

void fsnode_add_kid(struct arena *arena, struct fsnode *dir, struct fsnode *kid)
{
	if (dir->n_kids == dir->cap_kids) {
		uint32_t cap = dir->cap_kids ? dir->cap_kids * 2 : 4;
		struct fsnode **kids = arena_alloc(arena, (size_t)cap * sizeof(struct fsnode *));
		if (dir->n_kids)
			memcpy(kids, dir->kids, dir->n_kids * sizeof *kids);
		dir->kids = kids;
		dir->cap_kids = cap;
	}
	/* Most come in order already. */
	if (dir->n_kids && strcmp(dir->kids[dir->n_kids - 1]->name, kid->name) > 0)
		dir->kids_sorted = false;
	kid->place = dir->n_kids;
	dir->kids[dir->n_kids++] = kid;
}

struct fsnode *fsview_add_named(struct fsview *v, struct fsnode *dir, const char *name)
{
	struct fsnode *node = arena_alloc(&v->arena, sizeof *node);
	node->name = name;
	node->parent = dir;
	node->kids_sorted = true;
	if (dir->partial) {
		AUTO(free_drop) char *path = fsnode_path(node);
		node->partial = !list_scope_covers(&v->scope, path);
	}
	fsnode_add_kid(&v->arena, dir, node);
	table_add(v, node);
	return node;
}

struct fsnode *fsview_add(struct fsview *v, struct fsnode *dir, const char *name)
{
	return fsview_add_named(v, dir, arena_strdup(&v->arena, name));
}

int fsview_load(struct fsview *v, struct fsnode *dir, struct err *e)
{
	if (dir->kids_loaded)
		return 0;
	if (v->load && v->load(v, dir, e) < 0)
		return -1;
	dir->kids_loaded = true;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct fsnode *const *)a)->name, (*(struct fsnode *const *)b)->name);
}

void fsnode_sort(struct fsnode *dir)
{
	if (dir->kids_sorted)
		return;
	qsort(dir->kids, dir->n_kids, sizeof *dir->kids, by_name);
	for (uint32_t i = 0; i < dir->n_kids; i++)
		dir->kids[i]->place = i;
	dir->kids_sorted = true;
}

void fsnode_sort_last(struct fsnode *dir)
{
	uint32_t last = dir->n_kids - 1, low = 0, high = last;
	struct fsnode *kid = dir->kids[last];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (strcmp(dir->kids[middle]->name, kid->name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	memmove(dir->kids + low + 1, dir->kids + low, (last - low) * sizeof(struct fsnode *));
	dir->kids[low] = kid;
	for (uint32_t i = low; i <= last; i++)
		dir->kids[i]->place = i;
	dir->kids_sorted = true;
}

int fsview_kids(struct fsview *v, struct fsnode *dir, struct err *e)
{
	if (dir->partial) {
		AUTO(free_drop) char *path = fsnode_path(dir);
		return fsview_miss(v, path, e);
	}
	if (fsview_load(v, dir, e) < 0)
		return -1;
	fsnode_sort(dir);
	return 0;
}

int fsview_find(struct fsview *v, struct fsnode *dir, const char *name, size_t n, struct fsnode **ret, struct err *e)
{
	bool one = !dir->kids_loaded && v->load && v->find;
	if (!one && fsview_load(v, dir, e) < 0)
		return -1;
	*ret = table_find(v, dir, name, n);
	if (!*ret && dir->partial)
		return check_scope(v, dir, name, n, e);
	if (*ret || !one)
		return 0;
	AUTO(free_drop) char *text = x_strndup(name, n);
	return v->find(v, dir, text, ret, e);
}

int fsview_child(struct fsview *v, struct fsnode *dir, const char *name, struct fsnode **ret, struct err *e)
{
	return fsview_find(v, dir, name, strlen(name), ret, e);
}

int fsview_lookup(struct fsview *v, const char *path, bool follow_last, struct fsnode **ret, int *ret_errno,
		  struct err *e)
{
	return fsview_walk(v, path, strlen(path), follow_last, NULL, ret, ret_errno, e);
}

int fsview_check(struct fsview *v, const char *path, struct err *e)
{
	struct fsnode *n;
	if (fsview_lookup(v, path, true, &n, NULL, e) < 0)
		return -1;
	if (!n || !n->partial)
		return 0;
	AUTO(free_drop) char *found = fsnode_path(n);
	return fsview_miss(v, found, e);
}

void fsnode_set_kind(struct arena *arena, struct fsnode *n, const char *link, uint32_t major, uint32_t minor)
{
	n->link = NULL;
	if (n->type == TAR_SYMLINK) {
		n->link = arena_strdup(arena, link);
	} else if (n->type == TAR_CHAR || n->type == TAR_BLOCK) {
		n->major = major;
		n->minor = minor;
	}
}

char *fsnode_path(const struct fsnode *n)
{
	size_t len = 0;
	for (const struct fsnode *p = n; p->parent; p = p->parent)
		len += strlen(p->name) + 1;
	char *path = x_alloc(len + 1);
	char *end = path + (len ? len - 1 : 0);
	for (const struct fsnode *p = n; p->parent; p = p->parent) {
		size_t part = strlen(p->name);
		end -= part;
		memcpy(end, p->name, part);
		if (end > path)
			*--end = '/';
	}
	return path;
}
