/* Writing a shared cache: what this build has is merged with what is there. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/stream.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/log.h"
#include "copy_priv.h"
#include "room_priv.h"
#include "share_priv.h"
#include "store/blob.h"
#include "store/record.h"

/* ---- what this build has ---- */

struct save {
	struct build *build;
	struct share_place place;
	struct share_records ours;
	VEC(struct diffid) listed;    /* layers whose listings others need for their keys */
	bool replaces;                /* what is there was found wrong */
};

static void save_fini(struct save *s)
{
	share_place_fini(&s->place);
	share_records_fini(&s->ours);
	vec_fini(&s->listed);
}

static void add_step(struct share_records *r, const struct step *s, int64_t now)
{
	if (!s->has_key || s->undigested || (s->slot && !s->slot->resolved))
		return;
	struct share_step *add = vec_add(&r->steps);
	*add = (struct share_step){
		.key = s->key.digest,
		.used = now,
		.record = { .has_layer = s->slot, .ran = s->ran ? s->ran : s->stage->build->start_time },
	};
	add->record.created = s->history.created ? x_strdup(s->history.created) : NULL;
	if (!s->slot)
		return;
	add->record.layer = s->slot->layer;
	add->record.layer.blob.media_type = x_strdup(s->slot->layer.blob.media_type);
}

/* Where the present build would have to fetch a layer itself. */
static const struct share_place *origin_of(const struct build *b, const struct digest *blob)
{
	for (size_t i = 0; i < b->stages.n; i++)
		for (size_t k = 0; k < b->stages.v[i]->slots.n; k++) {
			const struct layer_slot *s = b->stages.v[i]->slots.v[k];
			if (s->origin && digest_eq(&s->layer.blob.digest, blob))
				return s->origin;
		}
	return NULL;
}

static void add_listed(struct save *s, const struct step *step)
{
	size_t n;
	struct layer_slot *const *slots = step_copy_slots(step, &n);
	for (size_t i = 0; i < n; i++)
		vec_push(&s->listed, slots[i]->layer.diffid);
}

/* Steps of the stages that the layers of `goal` come from. */
static void gather(const struct stage *goal, struct share_records *ret)
{
	for (const struct stage *st = goal; st; st = st->base_stage)
		for (size_t k = 0; k < st->steps.n; k++)
			add_step(ret, st->steps.v[k], st->build->start_time);
	share_records_sort(ret);
}

static void gather_all(struct save *s, bool all)
{
	const struct build *b = s->build;
	for (size_t i = 0; i < b->graphs.n && !all; i++)
		gather(b->graphs.v[i]->goal, &s->ours);
	for (size_t i = 0; i < b->stages.n; i++) {
		const struct stage *st = b->stages.v[i];
		for (size_t k = 0; k < st->steps.n; k++)
			add_listed(s, st->steps.v[k]);
		if (all && st->needed)
			gather(st, &s->ours);
	}
}

/* ---- blobs ---- */

static int compressed_blob(struct store *s, const struct str *text, const char *media_type, struct descriptor *ret,
			   struct err *e)
{
	AUTO(str_fini) struct str bytes = { 0 };
	AUTO(sink_drop) struct sink *out = sink_compress(COMPRESSION_ZSTD, 0, 1, sink_mem(&bytes));
	struct digest d;
	if (sink_write(out, text->buf, text->len, e) < 0 || sink_finish(out, e) < 0 ||
	    blob_put(s, bytes.buf, bytes.len, &d, e) < 0)
		return -1;
	*ret = (struct descriptor){ .media_type = x_strdup(media_type), .digest = d, .size = bytes.len };
	return 0;
}

/* A layer that nobody here needed is passed on from where it is, unless it is in this place too. */
static int bring(struct save *s, const struct descriptor *blob, struct err *e)
{
	struct store *store = s->build->store;
	uint64_t size;
	bool has = blob_exists(store, &blob->digest, &size) && size == blob->size;
	if (!has && share_place_has(&s->place, blob, 1, &has, e) < 0)
		return -1;
	if (has)
		return 0;
	const struct share_place *origin = origin_of(s->build, &blob->digest);
	if (!origin)
		return err_set(e, ERR_NOTFOUND, "layer %s is gone", digest_text(&blob->digest).s);
	struct share_place from = *origin; /* of this process */
	return share_place_fetch(&from, store, "layer", blob, 1, NULL, e);
}

static int send(struct save *s, const struct descriptor *blob, struct err *e)
{
	bool has;
	if (blob_exists(s->build->store, &blob->digest, NULL))
		return share_place_put(&s->place, s->build->store, blob, 1, e);
	if (share_place_has(&s->place, blob, 1, &has, e) < 0)
		return -1;
	return has ? 0 : err_set(e, ERR_NOTFOUND, "layer %s is gone", digest_text(&blob->digest).s);
}

static int send_layers(struct save *s, const struct share_records *there, struct err *e)
{
	for (size_t i = 0; i < s->ours.steps.n; i++) {
		const struct share_step *step = &s->ours.steps.v[i];
		if (!step->record.has_layer || share_step_find(there, &step->key))
			continue;
		if (bring(s, &step->record.layer.blob, e) < 0 || send(s, &step->record.layer.blob, e) < 0)
			return -1;
	}
	return 0;
}

/* What the cache had when this build began may be among what it has now: a listing that is not here is not missed. */
static int send_listings(struct save *s, const struct share_records *there, struct err *e)
{
	struct store *store = s->build->store;
	for (size_t i = 0; i < s->listed.n; i++) {
		const struct diffid *d = &s->listed.v[i];
		AUTO(free_drop) char *name = x_asprintf("list/%s", digest_hex(&d->d).s);
		AUTO(str_fini) struct str text = { 0 };
		struct share_listing l = { .diffid = *d, .used = s->build->start_time };
		const struct share_listing *known = share_listing_find(there, d);
		int r = known ? 0 : store_file_get(store, name, LIMIT_SHARE_LISTING, &text, e);
		if (r < 0)
			return -1;
		if (r == 1)
			continue;
		if (known) {
			l.blob = known->blob;
			l.blob.media_type = x_strdup(known->blob.media_type);
		} else if (compressed_blob(store, &text, MT_SHARE_LISTING, &l.blob, e) < 0) {
			return -1;
		}
		vec_push(&s->ours.listings, l);
		if (!known && share_place_put(&s->place, store, &l.blob, 1, e) < 0)
			return -1;
	}
	share_records_sort(&s->ours);
	return 0;
}

static int write_records(struct save *s, const struct share_records *r, struct err *e)
{
	struct store *store = s->build->store;
	AUTO(descriptor_fini) struct descriptor records = { 0 };
	AUTO(str_fini) struct str text = { 0 };
	AUTO(free_drop) char *json = share_records_write(r);
	struct descriptor empty = { .media_type = (char *)(uintptr_t)MT_EMPTY, .size = strlen(share_empty) };
	str_add(&text, json);
	if (compressed_blob(store, &text, MT_SHARE_RECORDS, &records, e) < 0 ||
	    blob_put(store, share_empty, strlen(share_empty), &empty.digest, e) < 0 ||
	    share_place_put(&s->place, store, &empty, 1, e) < 0 ||
	    share_place_put(&s->place, store, &records, 1, e) < 0)
		return -1;
	AUTO(free_drop) char *manifest = share_manifest_write(&records, r);
	return share_place_name(&s->place, store, manifest, e);
}

/* ---- with what is there ---- */

/* 0, 1 there is nothing that counts, -1. What has the name and is no cache keeps it. */
static int read_there(struct save *s, bool replaces, struct share_records *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	AUTO(descriptor_fini) struct descriptor records = { 0 };
	struct err why;
	int r = share_place_document(&s->place, NULL, &text, e);
	if (r)
		return r;
	r = json_parse(str_text(&text), text.len, "its manifest", &j, &why) < 0 ? 1 :
	    share_manifest_read(&j, "its manifest", &records, &why);
	if (r == 1) {
		err_set(e, ERR_SPEC, "there is something else of that name");
		return err_hint(e, "give another, or remove that");
	}
	if (r < 0 || replaces)
		return 1;
	if (share_read(&s->place, s->build->store, NULL, ret, &why) == 0)
		return 0;
	log_debug("%s: %s", s->place.name, why.msg);
	if (why.kind == ERR_NET || why.kind == ERR_AUTH || why.kind == ERR_SYS) {
		*e = why;
		return -1;
	}
	return 1;
}

/* Somebody who read before we wrote may write after us; the next look tells. */
static void let_others_write(void)
{
	uint8_t random;
	random_bytes(&random, sizeof random);
	const struct timespec t = { .tv_nsec = (100 + 2 * random) * 1000000L };
	nanosleep(&t, NULL);
}

/* 0: the place has all of ours. 1: it was written, and is to be looked at again. */
static int merge_once(struct save *s, bool replaces, size_t *ret_steps, struct err *e)
{
	AUTO(share_records_fini) struct share_records there = { 0 }, ours = { 0 };
	AUTO(free_drop) char *text = share_records_write(&s->ours);
	if (share_records_parse(text, strlen(text), "records", &ours, e) < 0)
		return -1;
	AUTO(lock_drop) int lock = -1; /* stays -1 where nothing can be locked */
	lock = share_place_lock(&s->place);
	int r = read_there(s, replaces, &there, e);
	if (r < 0)
		return -1;
	bool changed = share_records_merge(&there, &ours, s->build->start_time);
	changed |= share_records_trim(&there, s->build->start_time);
	*ret_steps = there.steps.n;
	if (!changed && r == 0)
		return 0;
	return write_records(s, &there, e) < 0 ? -1 : 1;
}

static int save_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	enum { TRIES = 12 };
	struct save *s = ctx;
	AUTO(share_records_fini) struct share_records there = { 0 };
	size_t steps = 0;
	bool wrote = false;
	(void)r;
	s->place.writes = true;
	/* All that takes long comes first, so that little time is between the last look and the writing. */
	if (read_there(s, s->replaces, &there, e) < 0 || send_layers(s, &there, e) < 0 ||
	    send_listings(s, &there, e) < 0)
		return -1;
	/* After a write, all has to be there twice in a row. */
	for (int i = 0, seen = 0; i < TRIES && seen < 2; i++) {
		if (i)
			let_others_write();
		int rc = merge_once(s, s->replaces && !wrote, &steps, e);
		if (rc < 0)
			return -1;
		wrote |= rc == 1;
		seen = rc == 1 ? 0 : wrote ? seen + 1 : 2;
	}
	str_addf(result, wrote ? "the cache %s is written; it has %zu steps" : "the cache %s has it all already",
		 s->place.name, steps);
	return 0;
}

static bool is_wrong(const struct build *b, const struct share_place *p)
{
	for (size_t i = 0; b->share && i < b->share->sources.n; i++)
		if (b->share->sources.v[i]->bad && share_place_eq(&b->share->sources.v[i]->place, p))
			return true;
	return false;
}

static int keep_going(struct build *b, const struct share_spec *spec, const char *name, struct err *e)
{
	if (spec->must)
		return err_in(e, "write the cache %s", name);
	share_warn(b, "is not written", name, e);
	return 0;
}

static int save_one(struct build *b, const struct share_spec *spec, struct err *e)
{
	AUTO(save_fini) struct save s = { .build = b };
	AUTO(str_fini) struct str result = { 0 };
	struct worker w;
	if (share_place_of(spec, &s.place, e) < 0)
		return -1;
	s.replaces = is_wrong(b, &s.place);
	gather_all(&s, spec->all);
	if (worker_start(&w, "nacre-share", save_work, &s, e) < 0 || worker_wait(&w, NULL, NULL, &result, e) < 0)
		return keep_going(b, spec, s.place.name, e);
	progress_note(b->progress, str_text(&result));
	return 0;
}

int share_save(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->options->cache_to.n; i++) {
		AUTO(share_spec_fini) struct share_spec spec = { 0 };
		if (share_spec_parse(b->options->cache_to.v[i], true, &spec, e) < 0 ||
		    (spec.kind != SHARE_INLINE && save_one(b, &spec, e) < 0))
			return -1;
	}
	return 0;
}

/* ---- in the image ---- */

char *share_inline_text(struct build *b, const struct stage *goal)
{
	AUTO(share_records_fini) struct share_records r = { 0 };
	bool wanted = false;
	for (size_t i = 0; i < b->options->cache_to.n; i++) {
		AUTO(share_spec_fini) struct share_spec spec = { 0 };
		struct err ignored;
		if (share_spec_parse(b->options->cache_to.v[i], true, &spec, &ignored) == 0)
			wanted |= spec.kind == SHARE_INLINE;
	}
	if (!wanted)
		return NULL;
	gather(goal, &r);
	/* Equal builds give equal images, so nothing here may tell when it was. */
	for (size_t i = 0; i < r.steps.n; i++)
		r.steps.v[i].used = r.steps.v[i].record.ran = 0;
	return share_records_write(&r);
}
