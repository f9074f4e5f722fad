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

/* All steps are told; the last that had a layer has the one there is. */
static void fit_history(struct image_config *c, size_t n_base)
{
	size_t seen = 0;
	struct history *last = NULL;
	for (size_t i = 0; i < c->history.n; i++) {
		struct history *h = &c->history.v[i];
		if (h->empty_layer || seen++ < n_base)
			continue;
		if (last)
			last->empty_layer = true;
		last = h;
	}
}

int squash_image(struct store *s, const struct image *image, size_t n_base, const struct layer_format *f,
		 struct descriptor *ret, struct err *e)
{
	struct image below = *image; /* borrows all */
	AUTO(rootfs_fini) struct rootfs whole = { 0 };
	AUTO(rootfs_fini) struct rootfs base = { 0 };
	struct layer made = { 0 };
	below.manifest.layers.n = below.config.diff_ids.n = n_base;
	if (rootfs_open(s, image, &whole, e) < 0 || rootfs_open(s, &below, &base, e) < 0 ||
	    write_layer(s, &base, &whole, n_base, f, &made, e) < 0)
		return -1;
	AUTO(free_drop) struct layer *layers = x_alloc((n_base + 1) * sizeof *layers);
	for (size_t i = 0; i < n_base; i++)
		layers[i] = whole.slots.v[i]->layer;
	layers[n_base] = made;
	struct image_config config = { 0 };
	config_copy(&config, &image->config);
	config.diff_ids.n = n_base + 1;
	config.diff_ids.v[n_base] = made.diffid;
	fit_history(&config, n_base);
	struct descriptor written;
	int r = image_write(s, &config, layers, n_base + 1, ret, &written, e);
	config_fini(&config);
	descriptor_fini(&made.blob);
	return r;
}
