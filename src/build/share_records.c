/* The records of a shared cache as a document. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "share_priv.h"

enum { DAY = 24 * 60 * 60, KEPT_DAYS = 30 };

static void step_fini(struct share_step *s)
{
	step_record_fini(&s->record);
}

void share_records_fini(struct share_records *r)
{
	for (size_t i = 0; i < r->steps.n; i++)
		step_fini(&r->steps.v[i]);
	for (size_t i = 0; i < r->listings.n; i++)
		descriptor_fini(&r->listings.v[i].blob);
	vec_fini(&r->steps);
	vec_fini(&r->listings);
}

/* ---- order ---- */

/* Both kinds of records begin with the digest they are looked up by. */
static int by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

_Static_assert(offsetof(struct share_step, key) == 0 && offsetof(struct share_listing, diffid) == 0,
	       "compared as digests");

void share_records_sort(struct share_records *r)
{
	size_t n = 0;
	if (r->steps.n)
		qsort(r->steps.v, r->steps.n, sizeof *r->steps.v, by_digest);
	for (size_t i = 0; i < r->steps.n; i++)
		if (n && by_digest(&r->steps.v[n - 1], &r->steps.v[i]) == 0)
			step_fini(&r->steps.v[i]);
		else
			r->steps.v[n++] = r->steps.v[i];
	r->steps.n = n;
	n = 0;
	if (r->listings.n)
		qsort(r->listings.v, r->listings.n, sizeof *r->listings.v, by_digest);
	for (size_t i = 0; i < r->listings.n; i++)
		if (n && by_digest(&r->listings.v[n - 1], &r->listings.v[i]) == 0)
			descriptor_fini(&r->listings.v[i].blob);
		else
			r->listings.v[n++] = r->listings.v[i];
	r->listings.n = n;
}

const struct share_step *share_step_find(const struct share_records *r, const struct digest *key)
{
	return r->steps.n ? bsearch(key, r->steps.v, r->steps.n, sizeof *r->steps.v, by_digest) : NULL;
}

const struct share_listing *share_listing_find(const struct share_records *r, const struct diffid *d)
{
	return r->listings.n ? bsearch(d, r->listings.v, r->listings.n, sizeof *r->listings.v, by_digest) : NULL;
}

/* ---- reading ---- */

static int parse_step(const struct json *j, struct share_records *r, struct err *e)
{
	struct share_step s = { .used = json_int(j, "used", 0) };
	const char *key = json_str(j, "key");
	if (!key || digest_parse(key, &s.key, e) < 0)
		return err_set(e, ERR_SPEC, "a step has no key");
	if (!step_record_read(j, &s.record))
		return err_set(e, ERR_SPEC, "the layer of step %s is none", key);
	if (s.record.has_layer && s.record.layer.blob.size > LIMIT_LAYER_BYTES) {
		step_fini(&s);
		return err_set(e, ERR_LIMIT, "the layer of step %s has more than %llu bytes", key, LIMIT_LAYER_BYTES);
	}
	vec_push(&r->steps, s);
	return 0;
}

static int parse_listing(const struct json *j, struct share_records *r, struct err *e)
{
	struct share_listing l = { .used = json_int(j, "used", 0) };
	const char *diffid = json_str(j, "diffid");
	if (!diffid || digest_parse(diffid, &l.diffid.d, e) < 0)
		return err_set(e, ERR_SPEC, "a listing has no diffid");
	if (descriptor_parse(j, "listing", &l.blob, e) < 0)
		return -1;
	vec_push(&r->listings, l);
	if (!str_eq(l.blob.media_type, MT_SHARE_LISTING))
		return err_set(e, ERR_SPEC, "the listing of %s is of type %s", diffid, l.blob.media_type);
	if (l.blob.size > LIMIT_SHARE_LISTING)
		return err_set(e, ERR_LIMIT, "the listing of %s has more than %u bytes", diffid, LIMIT_SHARE_LISTING);
	return 0;
}

static int parse_all(const struct json *j, struct share_records *r, struct err *e)
{
	const struct json *steps = json_get(j, "steps"), *listings = json_get(j, "listings");
	if (json_int(j, "version", 0) != 1)
		return err_set(e, ERR_SPEC, "they are not of version 1");
	if (json_len(steps) > LIMIT_SHARE_RECORDS || json_len(listings) > LIMIT_SHARE_RECORDS)
		return err_set(e, ERR_LIMIT, "there are more than %u", LIMIT_SHARE_RECORDS);
	for (size_t i = 0; i < json_len(steps); i++)
		if (parse_step(json_at(steps, i), r, e) < 0)
			return -1;
	for (size_t i = 0; i < json_len(listings); i++)
		if (parse_listing(json_at(listings, i), r, e) < 0)
			return -1;
	return 0;
}

int share_records_parse(const char *bytes, size_t n, const char *name, struct share_records *ret, struct err *e)
{
	AUTO(share_records_fini) struct share_records r = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	if (n > LIMIT_SHARE_BYTES)
		return err_set(e, ERR_LIMIT, "%s has more than %u bytes", name, LIMIT_SHARE_BYTES);
	if (json_parse(bytes, n, name, &j, e) < 0)
		return -1;
	if (parse_all(&j, &r, e) < 0)
		return err_in(e, "%s", name);
	share_records_sort(&r);
	*ret = r;
	r = (struct share_records){ 0 };
	return 0;
}

/* ---- writing ---- */

static void write_step(struct json_out *o, const struct share_step *s)
{
	json_begin(o, '{');
	json_kv_str(o, "key", digest_text(&s->key).s);
	if (s->used)
		json_kv_int(o, "used", s->used);
	step_record_write(o, &s->record);
	json_end(o, '}');
}

static void write_listing(struct json_out *o, const struct share_listing *l)
{
	json_begin(o, '{');
	json_kv_str(o, "diffid", digest_text(&l->diffid.d).s);
	json_kv_int(o, "used", l->used);
	descriptor_members(o, &l->blob);
	json_end(o, '}');
}

char *share_records_write(const struct share_records *r)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "version", 1);
	json_put_key(&o, "steps");
	json_begin(&o, '[');
	for (size_t i = 0; i < r->steps.n; i++)
		write_step(&o, &r->steps.v[i]);
	json_end(&o, ']');
	if (r->listings.n) {
		json_put_key(&o, "listings");
		json_begin(&o, '[');
		for (size_t i = 0; i < r->listings.n; i++)
			write_listing(&o, &r->listings.v[i]);
		json_end(&o, ']');
	}
	json_end(&o, '}');
	return json_out_take(&o);
}

/* ---- merging ---- */

/* The time is good to a day, so that a build that finds everything writes nothing. */
static bool use(int64_t *used, int64_t now)
{
	if (*used > now - DAY && *used <= now)
		return false;
	*used = now;
	return true;
}

bool share_records_merge(struct share_records *there, struct share_records *ours, int64_t now)
{
	bool changed = false;
	size_t steps = there->steps.n, listings = there->listings.n;
	for (size_t i = 0; i < ours->steps.n; i++) {
		struct share_step *s = &ours->steps.v[i];
		struct share_step *old = steps ? bsearch(s, there->steps.v, steps, sizeof *s, by_digest) : NULL;
		if (old) {
			changed |= use(&old->used, now);
			continue;
		}
		s->used = now;
		vec_push(&there->steps, *s);
		s->record = (struct step_record){ 0 };
		changed = true;
	}
	for (size_t i = 0; i < ours->listings.n; i++) {
		struct share_listing *l = &ours->listings.v[i];
		struct share_listing *old = listings ? bsearch(l, there->listings.v, listings, sizeof *l, by_digest) : NULL;
		if (old) {
			changed |= use(&old->used, now);
			continue;
		}
		l->used = now;
		vec_push(&there->listings, *l);
		l->blob = (struct descriptor){ 0 };
		changed = true;
	}
	share_records_sort(there);
	return changed;
}

static int latest_first(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x < *y) - (*x > *y);
}

/* Since when something must have been used to stay, if `max` are to stay. */
static int64_t oldest_kept(int64_t *used, size_t n, int64_t now)
{
	int64_t oldest = now - (int64_t)KEPT_DAYS * DAY;
	if (n <= LIMIT_SHARE_RECORDS)
		return oldest;
	qsort(used, n, sizeof *used, latest_first);
	/* Those of the same time as the first that is too much go with it. */
	int64_t limit = used[LIMIT_SHARE_RECORDS] + 1;
	return limit > oldest ? limit : oldest;
}

/* A clock that is wrong, or somebody who wants something to stay. */
static int64_t not_after(int64_t used, int64_t now)
{
	return used < now ? used : now;
}

static bool trim_steps(struct share_records *r, int64_t now)
{
	AUTO(free_drop) int64_t *used = x_alloc((r->steps.n + 1) * sizeof *used);
	size_t all = r->steps.n, n = 0;
	for (size_t i = 0; i < all; i++)
		used[i] = r->steps.v[i].used = not_after(r->steps.v[i].used, now);
	int64_t oldest = oldest_kept(used, all, now);
	for (size_t i = 0; i < all; i++)
		if (r->steps.v[i].used < oldest)
			step_fini(&r->steps.v[i]);
		else
			r->steps.v[n++] = r->steps.v[i];
	r->steps.n = n;
	return n < all;
}

static bool trim_listings(struct share_records *r, int64_t now)
{
	AUTO(free_drop) int64_t *used = x_alloc((r->listings.n + 1) * sizeof *used);
	size_t all = r->listings.n, n = 0;
	for (size_t i = 0; i < all; i++)
		used[i] = r->listings.v[i].used = not_after(r->listings.v[i].used, now);
	int64_t oldest = oldest_kept(used, all, now);
	for (size_t i = 0; i < all; i++)
		if (r->listings.v[i].used < oldest)
			descriptor_fini(&r->listings.v[i].blob);
		else
			r->listings.v[n++] = r->listings.v[i];
	r->listings.n = n;
	return n < all;
}

bool share_records_trim(struct share_records *r, int64_t now)
{
	bool steps = trim_steps(r, now), listings = trim_listings(r, now);
	return steps || listings;
}
