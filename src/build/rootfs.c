#include "rootfs_priv.h"

#include <stdlib.h>

#include "base/mem.h"
#include "oci/layer_apply.h"
#include "oci/listing.h"

/* What a layer holds; one that was fetched and never unpacked is read once for it. */
static int get_listing(struct store *s, const struct layer *layer, struct listing *ret, struct err *e)
{
	struct layer_apply a = { .store = s, .blob = &layer->blob, .want = &layer->diffid, .tree_fd = -1 };
	struct diffid got;
	int r = listing_load(s, &layer->diffid, ret, e);
	if (r <= 0)
		return r;
	if (layer_apply(&a, &got, e) < 0)
		return -1;
	r = listing_load(s, &layer->diffid, ret, e);
	return r == 1 ? err_set(e, ERR_NOTFOUND, "the listing of layer %s is gone", digest_text(&layer->diffid.d).s) : r;
}

static void add_slot(struct rootfs *r, const struct image *image, size_t i)
{
	struct layer_slot *slot = slot_new();
	const struct descriptor *d = &image->manifest.layers.v[i];
	slot->layer = (struct layer){
		.diffid = image->config.diff_ids.v[i],
		.blob = { .media_type = x_strdup(d->media_type), .digest = d->digest, .size = d->size },
	};
	slot->resolved = true;
	vec_push(&r->slots, slot);
}

int rootfs_open(struct store *s, const struct image *image, struct rootfs *ret, struct err *e)
{
	*ret = (struct rootfs){ .build = { .store = s, .tmp_fd = -1 } };
	fsview_init(&ret->view);
	for (size_t i = 0; i < image->manifest.layers.n; i++) {
		struct listing l = { 0 };
		add_slot(ret, image, i);
		if (get_listing(s, &ret->slots.v[i]->layer, &l, e) < 0)
			return -1;
		int r = fsview_apply(&ret->view, &l, (unsigned)i, e);
		listing_fini(&l);
		if (r < 0)
			return -1;
	}
	ret->from = (struct copy_from){
		.slots = ret->slots.v,
		.n_slots = ret->slots.n,
		.view = &ret->view,
		.spool_fd = -1,
	};
	return 0;
}

void rootfs_fini(struct rootfs *r)
{
	content_drop(&r->from);
	for (size_t i = 0; i < r->slots.n; i++)
		slot_unref(r->slots.v[i]);
	vec_fini(&r->slots);
	fsview_fini(&r->view);
}

int rootfs_gather(struct rootfs *r, struct fsnode ***ret, size_t *ret_n, struct err *e)
{
	VEC(struct fsnode *) order = { 0 };
	VEC(struct fsnode *) todo = { 0 };
	int result = 0;
	vec_push(&todo, r->view.root);
	while (todo.n && result == 0) {
		struct fsnode *n = todo.v[--todo.n];
		if (n != r->view.root)
			vec_push(&order, n);
		if (n->type != TAR_DIR)
			continue;
		result = fsview_kids(&r->view, n, e);
		for (size_t i = n->n_kids; i > 0 && result == 0; i--)
			vec_push(&todo, n->kids[i - 1]);
	}
	vec_fini(&todo);
	*ret = order.v;
	*ret_n = order.n;
	return result;
}
