/*
 * Keys and records of steps.
 *
 * A key is a JSON object of every input by name, so that what changed can be told; its SHA-256 names the record:
 *   step/HEX.json  {"key":{…},"milliseconds":…,"caches":[…],"created":…,"ran":…,
 *                   "layer":{"diffid":…,"mediaType":…,"digest":…,"size":…}}
 * "caches" are the cache mounts of a RUN, by their names in mount/.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/tree.h"
#include "build_log_priv.h"
#include "build_priv.h"
#include "share_priv.h"
#include "oci/media_type.h"
#include "oci/time.h"
#include "store/blob.h"
#include "store/record.h"

void key_begin(struct cache_key *k, const char *op)
{
	key_fini(k);
	json_out_init(&k->fields);
	json_begin(&k->fields, '{');
	json_kv_str(&k->fields, "op", op);
}

/* JSON holds no bytes that are not UTF-8; two texts that differ only in those must not become one key. */
static void put_exact(struct json_out *o, const char *value)
{
	AUTO(str_fini) struct str hex = { 0 };
	if (str_is_utf8(value, strlen(value))) {
		json_put_str(o, value);
		return;
	}
	for (const char *p = value; *p; p++)
		str_addf(&hex, "%02x", (unsigned char)*p);
	json_begin(o, '{');
	json_kv_str(o, "bytes", hex.buf);
	json_end(o, '}');
}

void key_str(struct cache_key *k, const char *name, const char *value)
{
	if (!value)
		return;
	json_put_key(&k->fields, name);
	put_exact(&k->fields, value);
}

void key_digest(struct cache_key *k, const char *name, const struct digest *d)
{
	json_kv_str(&k->fields, name, digest_text(d).s);
}

void key_strv(struct cache_key *k, const char *name, const struct strv *values)
{
	json_put_key(&k->fields, name);
	json_begin(&k->fields, '[');
	for (size_t i = 0; i < values->n; i++)
		put_exact(&k->fields, values->v[i]);
	json_end(&k->fields, ']');
}

void key_end(struct cache_key *k)
{
	json_end(&k->fields, '}');
	k->text = json_out_take(&k->fields);
	k->digest = digest_of(k->text, strlen(k->text));
}

void key_fini(struct cache_key *k)
{
	json_out_drop(&k->fields);
	free(k->text);
	*k = (struct cache_key){ 0 };
}

void step_record_fini(struct step_record *r)
{
	descriptor_fini(&r->layer.blob);
	free(r->created);
	*r = (struct step_record){ 0 };
}

static char *record_name(const struct cache_key *k)
{
	return x_asprintf("step/%s.json", digest_hex(&k->digest).s);
}

/* {"diffid":…, descriptor members} */
static bool read_layer(const struct json *j, struct layer *ret)
{
	struct err ignored;
	struct layer l = { 0 };
	const char *diffid = json_str(j, "diffid");
	if (!diffid || digest_parse(diffid, &l.diffid.d, &ignored) < 0 ||
	    descriptor_parse(j, "step record", &l.blob, &ignored) < 0)
		return false;
	if (!media_type_is_layer(l.blob.media_type)) {
		descriptor_fini(&l.blob);
		return false;
	}
	*ret = l;
	return true;
}

bool step_record_read(const struct json *j, struct step_record *ret)
{
	struct step_record rec = { 0 };
	const struct json *layer = json_get(j, "layer");
	rec.has_layer = layer != NULL;
	if (layer && !read_layer(layer, &rec.layer))
		return false;
	const char *created = json_str(j, "created");
	int64_t when = 0;
	rec.created = created && time_parse(created, &when) == 0 ? x_strdup(created) : NULL;
	rec.ran = json_int(j, "ran", 0);
	if (!rec.ran)
		rec.ran = when;
	*ret = rec;
	return true;
}

void step_record_write(struct json_out *o, const struct step_record *r)
{
	if (r->created)
		json_kv_str(o, "created", r->created);
	if (r->ran)
		json_kv_int(o, "ran", r->ran); /* `created` may be an epoch */
	if (!r->has_layer)
		return;
	json_put_key(o, "layer");
	json_begin(o, '{');
	json_kv_str(o, "diffid", digest_text(&r->layer.diffid.d).s);
	descriptor_members(o, &r->layer.blob);
	json_end(o, '}');
}

static int look_in_store(struct build *b, const struct cache_key *k, struct step_record *ret, struct err *e)
{
	AUTO(free_drop) char *name = record_name(k);
	AUTO(json_fini) struct json j = { 0 };
	struct step_record rec;
	int r = store_json_get(b->store, name, &j, e);
	uint64_t size;
	if (r)
		return r;
	if (!step_record_read(&j, &rec))
		return 1;
	if (rec.has_layer &&
	    (!blob_exists(b->store, &rec.layer.blob.digest, &size) || size != rec.layer.blob.size)) {
		step_record_fini(&rec);
		return 1;
	}
	*ret = rec;
	return 0;
}

int record_get(struct build *b, const struct cache_key *k, struct step_record *ret, struct err *e)
{
	int r = look_in_store(b, k, ret, e);
	return r == 1 ? share_lookup(b, k, ret, e) : r;
}

static bool is_like(const struct json *ours, const struct json *theirs)
{
	static const char *const members[] = { "op", "parent", "dest" };
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (!str_eq(json_str(ours, members[i]), json_str(theirs, members[i])))
			return false;
	return true;
}

/* Only looked at: a prune may still take it as something that nobody used. */
static bool record_is(struct build *b, const char *file, const struct json *ours)
{
	AUTO(free_drop) char *name = x_asprintf("step/%s", file);
	AUTO(json_fini) struct json j = { 0 };
	AUTO(str_fini) struct str text = { 0 };
	struct err ignored;
	return str_ends(file, ".json") && file_read(b->store->fd, name, LIMIT_STORE_JSON, &text, &ignored) == 0 &&
	       store_json_parse(&text, name, &j, &ignored) == 0 && is_like(ours, json_get(&j, "key"));
}

/* Mostly the build before had it, and its log is at hand. */
static bool earlier_is(struct build *b, const struct json *ours)
{
	const struct json *steps = build_log_earlier(b);
	for (size_t i = 0; i < json_len(steps); i++)
		if (is_like(ours, json_get(json_at(steps, i), "key")))
			return true;
	return false;
}

bool record_is_like(struct build *b, const struct cache_key *k)
{
	enum { LOOKS = 300 }; /* some milliseconds */
	AUTO(strv_fini) struct strv names = { 0 };
	AUTO(json_fini) struct json ours = { 0 };
	struct err ignored;
	if (share_has_records(b) || json_parse(k->text, strlen(k->text), "step key", &ours, &ignored) < 0 ||
	    earlier_is(b, &ours))
		return true;
	AUTO(fd_drop) int fd = openat(b->store->fd, "step", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT;
	if (dir_names(fd, &names, &ignored) < 0 || names.n > LOOKS)
		return true;
	for (size_t i = 0; i < names.n; i++)
		if (record_is(b, names.v[i], &ours))
			return true;
	return false;
}

int record_put(struct build *b, const struct step *step, struct err *e)
{
	AUTO(free_drop) char *name = record_name(&step->key);
	AUTO(json_fini) struct json key = { 0 };
	/* All borrowed. */
	struct step_record rec = { .has_layer = step->slot, .created = step->history.created,
				   .ran = step->ran ? step->ran : b->start_time };
	struct json_out o;
	if (json_parse(step->key.text, strlen(step->key.text), "step key", &key, e) < 0)
		return -1;
	if (step->slot)
		rec.layer = step->slot->layer;
	json_out_init(&o);
	json_begin(&o, '{');
	json_put_key(&o, "key");
	json_put_raw(&o, &key);
	json_kv_int(&o, "milliseconds", step->ended_ms - step->started_ms);
	if (step->caches.n)
		json_kv_strv(&o, "caches", &step->caches);
	step_record_write(&o, &rec);
	json_end(&o, '}');
	AUTO(free_drop) char *text = json_out_take(&o);
	b->store_dirty = true;
	return store_json_put(b->store, name, text, e);
}

int layer_by_diffid(struct store *s, const struct diffid *d, struct layer *ret, struct err *e)
{
	AUTO(free_drop) char *name = x_asprintf("layer/%s.json", digest_hex(&d->d).s);
	AUTO(json_fini) struct json j = { 0 };
	struct layer l = { .diffid = *d };
	int r = store_json_get(s, name, &j, e);
	if (r)
		return r;
	if (descriptor_parse(&j, name, &l.blob, e) < 0)
		return -1;
	*ret = l;
	return 0;
}
