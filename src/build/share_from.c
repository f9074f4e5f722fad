/* Shared caches while a build runs: their records, read once, and what is believed of them. */
#include <stdlib.h>
#include <string.h>

#include "share_priv.h"
#include "store/blob.h"

static void free_source(struct share_source *s)
{
	share_place_fini(&s->place);
	share_records_fini(&s->records);
	free(s);
}

void share_free(struct share *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->sources.n; i++)
		free_source(s->sources.v[i]);
	vec_fini(&s->sources);
	free(s);
}

void share_warn(struct build *b, const char *what, const char *name, const struct err *why)
{
	AUTO(free_drop) char *text = x_asprintf("WARNING: the cache %s %s: %s", name, what, why->msg);
	progress_note(b->progress, text);
}

/* Said once of each cache. */
static void give_up(struct build *b, struct share_source *s, const char *what, const struct err *why)
{
	s->bad = true;
	share_warn(b, what, s->place.name, why);
}

/* ---- the records ---- */

struct read_job {
	struct build *build;
	struct share_source *source;
};

/* In a worker. The result is empty when there is no cache yet. */
static int read_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct read_job *j = ctx;
	struct build *b = j->build;
	AUTO(share_records_fini) struct share_records records = { 0 };
	(void)r;
	/* An image may be one for each platform. */
	for (size_t i = 0; i < b->graphs.n; i++) {
		AUTO(share_records_fini) struct share_records more = { 0 };
		int rc = share_read(&j->source->place, b->store, &b->graphs.v[i]->target, &more, e);
		if (rc)
			return rc < 0 ? -1 : 0;
		share_records_merge(&records, &more, b->start_time);
	}
	AUTO(free_drop) char *text = share_records_write(&records);
	str_add(result, text);
	return 0;
}

static int read_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct share_source *s = j->ctx;
	AUTO(free_drop) char *note = NULL;
	struct err why;
	(void)e;
	s->job = NULL;
	if (failed) {
		give_up(b, s, "is not used", failed);
		return 0;
	}
	if (!result->len) {
		note = x_asprintf("the cache %s is not there yet", s->place.name);
		progress_note(b->progress, note);
		return 0;
	}
	if (share_records_parse(result->buf, result->len, s->place.name, &s->records, &why) < 0) {
		give_up(b, s, "is not used", &why);
		return 0;
	}
	note = x_asprintf("the cache %s has %zu steps", s->place.name, s->records.steps.n);
	progress_note(b->progress, note);
	return 0;
}

static bool is_known(const struct share *share, const struct share_place *p)
{
	for (size_t i = 0; i < share->sources.n; i++)
		if (share_place_eq(&share->sources.v[i]->place, p))
			return true;
	return false;
}

static int open_one(struct build *b, const char *text, struct err *e)
{
	struct share_spec spec;
	struct share_place place = { 0 };
	if (share_spec_parse(text, false, &spec, e) < 0)
		return -1;
	int r = share_place_of(&spec, &place, e);
	share_spec_fini(&spec);
	if (r < 0)
		return -1;
	if (is_known(b->share, &place)) {
		share_place_fini(&place);
		return 0;
	}
	struct share_source *s = x_alloc(sizeof *s);
	s->place = place;
	vec_push(&b->share->sources, s);
	struct read_job j = { .build = b, .source = s };
	s->job = job_worker(b, NULL, "nacre-share", read_work, &j, e);
	if (!s->job)
		return -1;
	s->job->done = read_done;
	s->job->ctx = s;
	return 0;
}

int share_open(struct build *b, struct err *e)
{
	const struct strv *from = &b->options->cache_from;
	if (!from->n || b->options->no_cache)
		return 0;
	b->share = x_alloc(sizeof *b->share);
	for (size_t i = 0; i < from->n; i++)
		if (open_one(b, from->v[i], e) < 0)
			return -1;
	return 0;
}

bool share_is_ready(const struct build *b)
{
	for (size_t i = 0; b->share && i < b->share->sources.n; i++)
		if (b->share->sources.v[i]->job)
			return false;
	return true;
}

bool share_has_records(const struct build *b)
{
	for (size_t i = 0; b->share && i < b->share->sources.n; i++) {
		const struct share_source *s = b->share->sources.v[i];
		if (!s->bad && (s->job || s->records.steps.n))
			return true;
	}
	return false;
}

bool share_is_lazy(const struct build *b)
{
	for (size_t i = 0; b->share && i < b->share->sources.n; i++)
		if (!b->share->sources.v[i]->bad)
			return true;
	return false;
}

bool share_is_broken(const struct build *b)
{
	return b->share && b->share->broken;
}

void share_blame(struct build *b, struct share_source *s, const struct err *why)
{
	b->share->broken = true;
	if (!s->bad)
		give_up(b, s, "is wrong, and the build begins again without it", why);
}

/* ---- looking up ---- */

/* Whether the store has the layer, and knows by itself that it unpacks to this diffID. */
static bool is_here(struct build *b, const struct layer *l)
{
	struct layer there = { 0 };
	struct err ignored;
	uint64_t size;
	bool here = layer_by_diffid(b->store, &l->diffid, &there, &ignored) == 0 &&
		    digest_eq(&there.blob.digest, &l->blob.digest) && blob_exists(b->store, &l->blob.digest, &size) &&
		    size == l->blob.size;
	descriptor_fini(&there.blob);
	return here;
}

int share_lookup(struct build *b, const struct cache_key *k, struct step_record *ret, struct err *e)
{
	(void)e;
	for (size_t i = 0; b->share && i < b->share->sources.n; i++) {
		struct share_source *s = b->share->sources.v[i];
		const struct share_step *found = s->bad ? NULL : share_step_find(&s->records, &k->digest);
		if (!found)
			continue;
		const struct step_record *r = &found->record;
		*ret = *r;
		ret->created = r->created ? x_strdup(r->created) : NULL;
		if (r->has_layer)
			ret->layer.blob.media_type = x_strdup(r->layer.blob.media_type);
		ret->from = s;
		ret->elsewhere = r->has_layer && !is_here(b, &r->layer);
		return 0;
	}
	return 1;
}

int share_keep(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->stages.n; i++)
		for (size_t k = 0; k < b->stages.v[i]->steps.n; k++) {
			struct step *s = b->stages.v[i]->steps.v[k];
			if (s->shared && s->has_key && !(s->slot && s->slot->origin) && record_put(b, s, e) < 0)
				return -1;
		}
	return 0;
}
