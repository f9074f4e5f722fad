#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "fsview_priv.h"

struct walk {
	struct fsview *v;
	struct fsnode *at;
	const char *rest; /* what is left to walk; ends at `end` */
	const char *end;
	char *spliced; /* owned; holds rest once a link was followed */
	unsigned links;
	const struct fsview_making *make;
	int why; /* errno for "there is no such node" */
};

static void walk_fini(struct walk *w)
{
	free(w->spliced);
}

/* The next component, its length in *n; "" at the end. */
static const char *next_name(struct walk *w, size_t *n)
{
	while (w->rest < w->end && *w->rest == '/')
		w->rest++;
	const char *name = w->rest;
	while (w->rest < w->end && *w->rest != '/')
		w->rest++;
	*n = (size_t)(w->rest - name);
	return name;
}

/* Puts the target of a link in front of what is left. 1: no such node. */
static int follow(struct walk *w, const char *target, struct err *e)
{
	/* Who makes what is missing goes on where others stop, and ".." leads them to what they would not have seen. */
	if (w->v->scope.paths.n && path_has_dotdot(target))
		return fsview_miss(w->v, "", e);
	if (++w->links > LIMIT_SYMLINKS || !*target) {
		w->why = *target ? ELOOP : ENOENT;
		return 1;
	}
	size_t head = strlen(target), tail = (size_t)(w->end - w->rest);
	char *text = x_alloc(head + tail + 1);
	memcpy(text, target, head);
	memcpy(text + head, w->rest, tail);
	free(w->spliced);
	w->spliced = text;
	w->rest = text;
	w->end = text + head + tail;
	if (*target == '/')
		w->at = w->v->root;
	return 0;
}

/* A directory in the place of nothing or of `old`. */
static int make_dir(struct walk *w, const char *name, size_t n, struct fsnode *old, struct err *e)
{
	if (w->v->n_nodes >= LIMIT_TREE_NODES)
		return err_set(e, ERR_LIMIT, "more than %u files in one tree", LIMIT_TREE_NODES);
	if (old)
		fsview_detach(w->v, old);
	struct fsnode *dir = fsview_add_named(w->v, w->at, arena_strndup(&w->v->arena, name, n));
	fsnode_set_implied(dir, w->make->layer);
	fsview_touch(dir, w->make->layer);
	w->at = dir;
	return 0;
}

/* One component. 0, 1 no such node (why), -1. */
static int step(struct walk *w, const char *name, size_t n, bool follow_last, struct err *e)
{
	if (n == 1 && name[0] == '.')
		return 0;
	if (n == 2 && name[0] == '.' && name[1] == '.') {
		w->at = w->at->parent ? w->at->parent : w->v->root;
		return 0;
	}
	struct fsnode *kid;
	if (fsview_find(w->v, w->at, name, n, &kid, e) < 0)
		return -1;
	bool last = w->rest == w->end;
	if (kid && kid->type == TAR_SYMLINK && (!last || follow_last))
		return follow(w, kid->link, e);
	if (w->make && (!kid || kid->type != TAR_DIR))
		return make_dir(w, name, n, kid, e);
	if (!kid || (!last && kid->type != TAR_DIR)) {
		w->why = kid ? ENOTDIR : ENOENT;
		return 1;
	}
	w->at = kid;
	return 0;
}

int fsview_walk(struct fsview *v, const char *path, size_t n, bool follow_last, const struct fsview_making *make,
		struct fsnode **ret, int *ret_errno, struct err *e)
{
	AUTO(walk_fini) struct walk w = { .v = v, .at = v->root, .rest = path, .end = path + n, .make = make };
	for (;;) {
		size_t len;
		const char *name = next_name(&w, &len);
		int r = len ? step(&w, name, len, follow_last, e) : 0;
		if (r < 0)
			return -1;
		if (r > 0) {
			*ret = NULL;
			if (ret_errno)
				*ret_errno = w.why;
			return 0;
		}
		if (!len) {
			*ret = w.at;
			return 0;
		}
	}
}
