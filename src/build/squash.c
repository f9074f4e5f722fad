/*
 * The layers that a build put on its base as one: what the whole has and the base has not, and deletions of what the base
 * has and the whole has not. Both are views of listings, so nothing is unpacked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/mem.h"
#include "oci/media_type.h"
#include "output_form_priv.h"
#include "rootfs_priv.h"

/* ---- deletions ---- */

struct pair { struct fsnode *base, *whole; };

static int delete_missing(struct rootfs *base, struct rootfs *whole, struct layer_writer *w, struct err *e)
{
	VEC(struct pair) todo = { 0 };
	int r = 0;
	vec_push(&todo, ((struct pair){ base->view.root, whole->view.root }));
	while (todo.n && r == 0) {
		struct pair at = todo.v[--todo.n];
		r = fsview_kids(&base->view, at.base, e);
		for (size_t i = 0; i < at.base->n_kids && r == 0; i++) {
			struct fsnode *kid = at.base->kids[i], *there = NULL;
			AUTO(free_drop) char *path = fsnode_path(kid);
			r = fsview_child(&whole->view, at.whole, kid->name, &there, e);
			if (r == 0 && !there)
				r = layer_writer_whiteout(w, path, e);
			/* What takes the place of a directory takes all of it away. */
			else if (r == 0 && kid->type == TAR_DIR && there->type == TAR_DIR)
				vec_push(&todo, ((struct pair){ kid, there }));
		}
	}
	vec_fini(&todo);
	return r;
}

/* ---- what is new ---- */

static void mark(struct rootfs *whole, struct fsnode *node, bool self)
{
	struct copy_mark *m = arena_alloc(&whole->view.arena, sizeof *m);
	*m = (struct copy_mark){ .self = self, .below = node->type == TAR_DIR, .from = &whole->from, .src = node };
	node->mark = m;
}

static int mark_new(struct rootfs *whole, size_t n_base, struct err *e)
{
	struct fsnode **all = NULL;
	size_t n = 0;
	int r = rootfs_gather(whole, &all, &n, e);
	mark(whole, whole->view.root, false);
	for (size_t i = 0; i < n; i++) {
		if (all[i]->layer < n_base)
			continue;
		mark(whole, all[i], true);
		/* Parents stand before their children in the list: those that are new have their marks. */
		for (struct fsnode *up = all[i]->parent; !up->mark; up = up->parent)
			mark(whole, up, false);
	}
	free(all);
	return r;
}

static int write_layer(struct store *s, struct rootfs *base, struct rootfs *whole, size_t n_base,
		       const struct layer_format *f, struct layer *ret, struct err *e)
{
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	struct layer_format format = *f;
	if (!format.threads)
		format.threads = cpus_usable();
	if (layer_writer_open(s, &format, NULL, &w, e) < 0 || delete_missing(base, whole, w, e) < 0 ||
	    mark_new(whole, n_base, e) < 0 || copy_emit(&whole->build, &whole->view, NULL, w, e) < 0)
		return -1;
	return layer_writer_finish(w, ret, e);
}

/* ---- documents ---- */

/* All steps are told; the last of them that had a layer has the one there is. */
static void fit_history(struct image_config *c, const struct layer_range *r)
{
	size_t layer = 0;
	struct history *last = NULL;
	for (size_t i = 0; i < c->history.n; i++) {
		struct history *h = &c->history.v[i];
		if (h->empty_layer)
			continue;
		if (layer >= r->from && layer < r->to) {
			if (last)
				last->empty_layer = true;
			last = h;
		}
		layer++;
	}
}

static int write_image(struct store *s, const struct image *image, const struct layer_range *r, const struct layer *made,
		       struct descriptor *ret, struct err *e)
{
	size_t n = 0, all = image->manifest.layers.n;
	AUTO(free_drop) struct layer *layers = x_alloc((all + 1) * sizeof *layers); /* what is in them is borrowed */
	for (size_t i = 0; i < all; i++) {
		if (i >= r->from && i + 1 < r->to)
			continue;
		layers[n].diffid = image->config.diff_ids.v[i];
		layers[n++].blob = image->manifest.layers.v[i];
		if (i + 1 == r->to)
			layers[n - 1] = *made;
	}
	struct image_config config = { 0 };
	config_copy(&config, &image->config);
	for (size_t i = 0; i < n; i++)
		config.diff_ids.v[i] = layers[i].diffid;
	config.diff_ids.n = n;
	fit_history(&config, r);
	struct descriptor written;
	int result = image_write(s, &config, layers, n, ret, &written, e);
	config_fini(&config);
	return result;
}

int squash_image(struct store *s, const struct image *image, const struct layer_range *r, const struct layer_format *f,
		 struct descriptor *ret, struct err *e)
{
	struct image upper = *image, lower = *image; /* borrow all */
	AUTO(rootfs_fini) struct rootfs whole = { 0 };
	AUTO(rootfs_fini) struct rootfs base = { 0 };
	struct layer made = { 0 };
	upper.manifest.layers.n = upper.config.diff_ids.n = r->to;
	lower.manifest.layers.n = lower.config.diff_ids.n = r->from;
	if (rootfs_open(s, &upper, &whole, e) < 0 || rootfs_open(s, &lower, &base, e) < 0 ||
	    write_layer(s, &base, &whole, r->from, f, &made, e) < 0)
		return -1;
	int result = write_image(s, image, r, &made, ret, e);
	descriptor_fini(&made.blob);
	return result;
}

/* ---- which ---- */

static bool is_named(const struct strv *names, const struct stage *st)
{
	for (size_t i = 0; i < names->n; i++)
		if (stage_find(st->graph, names->v[i]) == st)
			return true;
	return false;
}

static bool is_part(const struct graph *g, const char *name)
{
	const struct stage *found = stage_find(g, name);
	for (const struct stage *st = g->goal; st; st = st->base_stage)
		if (st == found)
			return true;
	return false;
}

int squash_ranges(const struct build_options *o, const struct graph *g, struct layer_ranges *ret, struct err *e)
{
	const struct stage *st = g->goal;
	for (size_t i = 0; i < o->squash_stages.n; i++)
		if (!is_part(g, o->squash_stages.v[i]))
			return err_set(e, ERR_USAGE, "--squash-stage %s: no such stage is below the result",
				       o->squash_stages.v[i]);
	for (; st; st = st->base_stage) {
		if (is_named(&o->squash_stages, st))
			vec_push(ret, ((struct layer_range){ st->n_base_layers, st->slots.n }));
		if (o->squash && !st->base_stage) {
			ret->n = 0;
			vec_push(ret, ((struct layer_range){ st->n_base_layers, g->goal->slots.n }));
		}
	}
	return 0;
}
