/*
 * Layers and listings that the store does not have yet.
 *
 * A slot whose layer is elsewhere knows where (`origin`). Whatever wants bytes asks for them first; what only wants to
 * know what a layer holds is given a listing that came with the cache, until the layer itself has come and says whether
 * that was true.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "oci/layer_apply.h"
#include "oci/listing.h"
#include "room_priv.h"
#include "share_priv.h"
#include "store/record.h"

/* ---- a layer ---- */

struct fetch {
	struct build *build;
	const struct layer_slot *slot;
};

/* What a listing says of digests depends on who made it: one of the same kind is needed to compare. */
static bool has_digests(const struct str *text)
{
	AUTO(listing_fini) struct listing l = { 0 };
	struct err ignored;
	bool found = false;
	if (listing_parse(str_text(text), text->len, "listing", &l, &ignored) < 0)
		return false;
	for (size_t i = 0; i < l.n && !found; i++)
		found = l.v[i].has_digest;
	return found;
}

static int compare_listing(struct store *s, const struct layer_slot *slot, struct err *e)
{
	AUTO(free_drop) char *name = x_asprintf("list/%s", digest_hex(&slot->layer.diffid.d).s);
	AUTO(str_fini) struct str text = { 0 };
	int r = store_file_get(s, name, LIMIT_LISTING, &text, e);
	if (r == 0 && text.len == slot->borrowed.len && memcmp(text.buf, slot->borrowed.buf, text.len) == 0)
		return 0;
	return r < 0 ? -1 : err_set(e, ERR_INTEGRITY, "layer %s does not hold what the cache says it holds",
				    digest_text(&slot->layer.blob.digest).s);
}

/* Layers of base images are compared with their diffIDs where they are unpacked, as always. */
static int verify(struct store *s, const struct layer_slot *slot, struct err *e)
{
	const bool told = slot->borrowed.len > 0;
	struct diffid got;
	if (!told && !slot->source)
		return 0;
	const struct layer_apply a = {
		.store = s,
		.blob = &slot->layer.blob,
		.want = &slot->layer.diffid,
		.tree_fd = -1,
		.digest_files = told ? has_digests(&slot->borrowed) : !slot->of_base,
	};
	if (layer_apply(&a, &got, e) < 0)
		return -1;
	return told ? compare_listing(s, slot, e) : 0;
}

static int fetch_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct fetch *f = ctx;
	const struct layer_slot *slot = f->slot;
	struct share_place place = *slot->origin; /* of this process */
	struct room_fetch way;
	(void)result;
	room_fetch_init(&way, f->build, r);
	if (way.progress.coming)
		way.progress.coming(way.progress.ctx, slot->layer.blob.size);
	int rc = share_place_fetch(&place, f->build->store, "layer", &slot->layer.blob, 1, &way.progress, e);
	room_fetch_end(&way, rc == 0);
	return rc < 0 ? -1 : verify(f->build->store, slot, e);
}

static int fetch_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct layer_slot *s = j->slot;
	struct share_source *told = s->lister ? s->lister : s->source;
	(void)result;
	s->job = NULL;
	if (!failed) {
		s->origin = NULL;
		s->lister = NULL;
		str_fini(&s->borrowed);
		b->store_dirty = true;
	}
	slot_unref(s);
	if (!failed)
		return 0;
	if (told) {
		share_blame(b, told, failed);
		return 0;
	}
	*e = *failed;
	return j->step ? df_err_at(e, j->step->in, NULL) : -1;
}

static int start_fetch(struct build *b, struct step *step, struct layer_slot *s, struct err *e)
{
	struct fetch f = { .build = b, .slot = s };
	if (step)
		progress_step_start(b->progress, step);
	struct job *j = job_worker(b, step, "nacre-fetch", fetch_work, &f, e);
	if (!j)
		return -1;
	j->done = fetch_done;
	j->slot = slot_ref(s);
	s->job = j;
	return 0;
}

int slots_need_blobs(struct build *b, struct step *step, struct layer_slot **slots, size_t n, struct err *e)
{
	int waits = 0;
	for (size_t i = 0; i < n; i++) {
		if (!slots[i]->origin)
			continue;
		waits = 1;
		if (!slots[i]->job && !jobs_full(b) && start_fetch(b, step, slots[i], e) < 0)
			return -1;
	}
	return waits;
}

/* ---- a listing ---- */

struct listing_job {
	struct build *build;
	struct share_source *source;
	const struct descriptor *blob;
};

static int listing_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct listing_job *l = ctx;
	struct store *s = l->build->store;
	struct share_place place = l->source->place;
	(void)r;
	if (share_place_fetch(&place, s, "listing", l->blob, 1, NULL, e) < 0)
		return -1;
	return share_text(s, l->blob, LIMIT_SHARE_LISTING, result, e);
}

/* The layers tell the same: slower, and without any need to believe it. */
static void do_without(struct build *b, struct share_source *s, const struct err *why)
{
	if (!s->unlisted)
		share_warn(b, "has listings that are not used", s->place.name, why);
	s->unlisted = true;
}

static int listing_done(struct build *b, struct job *j, const struct str *result, const struct err *failed,
			struct err *e)
{
	struct layer_slot *s = j->slot;
	struct share_source *source = j->ctx;
	AUTO(listing_fini) struct listing l = { 0 };
	struct err why;
	(void)e;
	s->job = NULL;
	if (failed) {
		do_without(b, source, failed);
	} else if (listing_parse(str_text(result), result->len, "listing", &l, &why) < 0) {
		do_without(b, source, &why);
	} else {
		str_addn(&s->borrowed, str_text(result), result->len);
		s->lister = source;
	}
	slot_unref(s);
	return 0;
}

static int start_listing(struct build *b, struct step *step, struct layer_slot *s, struct share_source *source,
			 const struct descriptor *blob, struct err *e)
{
	struct listing_job l = { .build = b, .source = source, .blob = blob };
	struct job *j = job_worker(b, step, "nacre-fetch", listing_work, &l, e);
	if (!j)
		return -1;
	j->done = listing_done;
	j->ctx = source;
	j->slot = slot_ref(s);
	s->job = j;
	return 0;
}

int share_listing_start(struct build *b, struct step *step, struct layer_slot *s, struct err *e)
{
	/* A layer that is here says it better. */
	for (size_t i = 0; b->share && s->origin && i < b->share->sources.n; i++) {
		struct share_source *source = b->share->sources.v[i];
		const struct share_listing *l =
			source->bad || source->unlisted ? NULL : share_listing_find(&source->records, &s->layer.diffid);
		if (l)
			return start_listing(b, step, s, source, &l->blob, e);
	}
	return 1;
}

int share_listing_get(struct layer_slot *s, struct listing *ret)
{
	struct err ignored;
	return s->borrowed.len ? listing_parse(s->borrowed.buf, s->borrowed.len, "listing", ret, &ignored) : 1;
}
