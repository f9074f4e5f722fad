/* Root filesystems as trees of nodes, merged from the listings of their layers. */
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "share_priv.h"
#include "oci/layer_apply.h"
#include "oci/listing.h"
#include "store/use.h"

struct list_job {
	struct build *build;
	struct layer layer; /* borrowed from the slot */
	const struct blob_follow *follow; /* NULL: the store has it */
	bool digest_files;
};

/* In a worker: reads a layer that was fetched but never unpacked here, only to know what it holds. */
static int list_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct list_job *l = ctx;
	struct diffid got;
	struct listing there = { 0 };
	(void)r;
	(void)result;
	AUTO(free_drop) char *name = x_asprintf("list-%s", digest_hex(&l->layer.diffid.d).s);
	AUTO(claim_drop) struct claim claim = { 0 };
	claim_take(l->build->store, name, &claim);
	int found = listing_load(l->build->store, &l->layer.diffid, &there, e);
	listing_fini(&there);
	if (found != 1)
		return found;
	struct layer_apply a = {
		.store = l->build->store,
		.blob = &l->layer.blob,
		.want = &l->layer.diffid,
		.follow = l->follow,
		.tree_fd = -1,
		.digest_files = l->digest_files,
	};
	return layer_apply(&a, &got, e);
}

static int list_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	(void)b;
	(void)result;
	j->slot->job = NULL;
	bool forgiven = failed && slot_forgives(j->slot, failed);
	slot_unref(j->slot);
	if (!failed || forgiven)
		return 0;
	*e = *failed;
	return -1;
}

static int start_listing(struct build *b, struct step *step, struct layer_slot *s, struct err *e)
{
	/* A step's layer has digests from its making on, and keys of what is copied from it are made with them. */
	struct blob_follow follow;
	struct list_job l = {
		.build = b,
		.layer = s->layer,
		.follow = slot_follow(b, s, &follow),
		.digest_files = !s->of_base,
	};
	struct job *j = job_worker(b, step, "nacre-list", list_work, &l, e);
	if (!j)
		return -1;
	j->done = list_done;
	j->idle = s->follows;
	j->slot = slot_ref(s);
	s->job = j;
	return 0;
}

/* It is not in the store: it is fetched, or made of the layer, which may have to be fetched. */
static int want_listing(struct build *b, struct step *step, struct layer_slot *s, struct err *e)
{
	progress_step_start(b->progress, step);
	int r = share_listing_start(b, step, s, e);
	if (r != 1)
		return r;
	if (s->origin)
		return slots_need_blobs(b, step, &s, 1, e) < 0 ? -1 : 0;
	return start_listing(b, step, s, e);
}

int view_prepare(struct build *b, struct step *step, struct layer_slot **slots, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct layer_slot *s = slots[i];
		AUTO(free_drop) char *name = x_asprintf("list/%s", digest_hex(&s->layer.diffid.d).s);
		if (s->job || slot_is_missed(s) || store_use(b->store, name, NULL))
			continue;
		if (want_listing(b, step, s, e) < 0)
			return -1;
	}
	return 0;
}

/* 1: it cannot be a listing of a layer, and whoever gave it is not believed any more. */
static int apply_listing(struct build *b, struct layer_slot *s, struct fsview *view, const struct listing *l, unsigned at,
			 struct err *e)
{
	struct err why;
	if (fsview_apply(view, l, at, &why) == 0)
		return 0;
	if (s->lister) {
		share_blame(b, s->lister, &why);
		return 1;
	}
	*e = why;
	return -1;
}

int view_update(struct build *b, struct step *step, struct layer_slot **slots, size_t n, struct fsview **view,
		size_t *done, struct err *e)
{
	if (!*view) {
		*view = x_alloc(sizeof **view);
		fsview_init(*view);
	}
	int waiting = 0;
	for (size_t i = *done; i < n; i++) {
		struct layer_slot *s = slots[i];
		struct listing l = { 0 };
		if (!s->resolved || s->job || slot_is_missed(s)) {
			waiting = 1;
			continue; /* the ones above can be listed meanwhile */
		}
		if (waiting && s->listed)
			continue;
		int r = listing_load(b->store, &s->layer.diffid, &l, e);
		if (r == 1)
			r = share_listing_get(s, &l);
		if (r < 0)
			return -1;
		if (r == 1) {
			if (want_listing(b, step, s, e) < 0)
				return -1;
			waiting = 1;
			continue;
		}
		s->listed = true;
		if (!waiting) {
			r = apply_listing(b, s, *view, &l, (unsigned)i, e);
			*done = i + 1;
		}
		listing_fini(&l);
		if (r < 0)
			return -1;
		waiting |= r;
	}
	return waiting;
}
