/* Root filesystems as trees of nodes, merged from the listings of their layers. */
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "oci/layer_apply.h"
#include "oci/listing.h"

struct list_job {
	struct build *build;
	struct layer layer; /* borrowed from the slot */
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
		.tree_fd = -1,
	};
	return layer_apply(&a, &got, e);
}

static int list_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	(void)b;
	(void)result;
	j->slot->job = NULL;
	slot_unref(j->slot);
	if (!failed)
		return 0;
	*e = *failed;
	return -1;
}

static int start_listing(struct build *b, struct step *step, struct layer_slot *s, struct err *e)
{
	struct list_job l = { .build = b, .layer = s->layer };
	struct job *j = job_worker(b, step, "nacre-list", list_work, &l, e);
	if (!j)
		return -1;
	j->done = list_done;
	j->slot = slot_ref(s);
	s->job = j;
	return 0;
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
		if (!s->resolved || s->job) {
			waiting = 1;
			continue; /* the ones above can be listed meanwhile */
		}
		if (waiting && s->listed)
			continue;
		int r = listing_load(b->store, &s->layer.diffid, &l, e);
		if (r < 0)
			return -1;
		if (r == 1) {
			progress_step_start(b->progress, step);
			if (start_listing(b, step, s, e) < 0)
				return -1;
			waiting = 1;
			continue;
		}
		s->listed = true;
		if (!waiting) {
			r = fsview_apply(*view, &l, (unsigned)i, e);
			*done = i + 1;
		}
		listing_fini(&l);
		if (r < 0)
			return -1;
	}
	return waiting;
}
