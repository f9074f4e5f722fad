/* Root filesystems as trees of nodes, merged from the listings of their layers. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "build_priv.h"
#include "copy_priv.h"
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
	if (s->lister && !view->missed) {
		share_blame(b, s->lister, &why);
		return 1;
	}
	*e = why;
	return -1;
}

/* The listing of a slot, or of what the view wants of it: 0, 1 it has none yet, -1. */
static int load_listing(struct build *b, struct layer_slot *s, struct fsview *view, struct listing *ret, struct err *e)
{
	int r = listing_load_part(b->store, &s->layer.diffid, &view->scope, ret, e);
	if (r == 1) {
		r = share_listing_get(s, ret);
		if (r == 0 && view->scope.paths.n) {
			listing_fini(ret); /* it is parsed already */
			r = 2;
		}
	}
	return r == 2 ? fsview_miss(view, "", e) : r;
}

static int merge_slots(struct build *b, struct step *step, struct layer_slot **slots, size_t n, struct fsview *view,
		       size_t *done, struct err *e)
{
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
		int r = load_listing(b, s, view, &l, e);
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
			r = apply_listing(b, s, view, &l, (unsigned)i, e);
			*done = i + 1;
		}
		listing_fini(&l);
		if (r < 0)
			return -1;
		waiting |= r;
	}
	return waiting;
}

/* ---- views of a part ---- */

void view_want(struct strv *want, const char *dest, const char *owner)
{
	if (dest)
		strv_push(want, dest);
	if (owner && owner_has_name(owner)) {
		strv_push(want, "/etc/passwd");
		strv_push(want, "/etc/group");
	}
}

enum { MANY = 8 }; /* paths or tries: each reads the listings once more */

/* Begins anew with one more path; with many, or "", all is wanted. */
static void widen(struct fsview *view, size_t *done, const char *path)
{
	struct list_scope scope = view->scope;
	view->scope = (struct list_scope){ 0 };
	list_scope_add(&scope, scope.paths.n < MANY ? path : "");
	fsview_fini(view);
	fsview_init(view);
	fsview_narrow(view, &scope);
	*done = 0;
}

static void make_view(struct fsview **view, const struct strv *want)
{
	struct list_scope scope = { 0 };
	bool part = want != NULL;
	for (size_t i = 0; part && i < want->n; i++) {
		list_scope_add(&scope, want->v[i]);
		part = scope.paths.n > 0;
	}
	*view = x_alloc(sizeof **view);
	fsview_init(*view);
	if (part)
		fsview_narrow(*view, &scope);
}

/* -1 with what is missing when a link on the way to what is wanted leads out of what was read. */
static int check_ways(struct fsview *view, const struct strv *want, struct err *e)
{
	for (size_t i = 0; i < (want ? want->n : 0); i++)
		if (fsview_check(view, want->v[i], e) < 0)
			return -1;
	return 0;
}

static const char *first_missing(const struct fsview *view, const struct strv *want)
{
	if (!want)
		return view->scope.paths.n ? "" : NULL;
	for (size_t i = 0; i < want->n; i++) {
		AUTO(free_drop) char *path = path_rooted(want->v[i]);
		if (!list_scope_covers(&view->scope, path + 1))
			return want->v[i];
	}
	return NULL;
}

int view_update(struct build *b, struct step *step, struct layer_slot **slots, size_t n, const struct strv *want,
		struct fsview **view, size_t *done, struct err *e)
{
	const char *missing;
	if (!*view)
		make_view(view, want);
	while ((missing = first_missing(*view, want)))
		widen(*view, done, missing);
	for (unsigned tries = 1;; tries++) {
		int r = merge_slots(b, step, slots, n, *view, done, e);
		if (r == 0)
			r = check_ways(*view, want, e);
		if (r >= 0 || !(*view)->missed)
			return r;
		AUTO(free_drop) char *path = x_strdup((*view)->missed);
		widen(*view, done, tries < MANY ? path : "");
	}
}
