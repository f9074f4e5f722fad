#include "roots_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "build/image.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "store/blob.h"
#include "store/record.h"
#include "store/ref.h"

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

void digest_set_sort(struct digest_set *d)
{
	size_t n = 0;
	if (d->n)
		qsort(d->v, d->n, sizeof *d->v, by_bytes);
	for (size_t i = 0; i < d->n; i++)
		if (!n || !digest_eq(&d->v[n - 1], &d->v[i]))
			d->v[n++] = d->v[i];
	d->n = n;
}

bool digest_set_has(const struct digest_set *d, const struct digest *x)
{
	return d->n && bsearch(x, d->v, d->n, sizeof *d->v, by_bytes);
}

void digest_set_fini(struct digest_set *d)
{
	vec_fini(d);
}

static void add_manifest(const struct str *text, const char *name, struct digest_set *ret)
{
	struct manifest m = { 0 };
	struct err why;
	if (manifest_parse(text->buf, text->len, NULL, name, &m, &why) < 0) {
		log_debug("%s", why.msg);
		return;
	}
	vec_push(ret, m.config.digest);
	for (size_t i = 0; i < m.layers.n; i++)
		vec_push(ret, m.layers.v[i].digest);
	manifest_fini(&m);
}

/*
 * A document that is missing or damaged leads nowhere. One that can not be read now may be whole, so what it leads to is
 * unknown and nothing may be taken away: -1.
 */
static int add_image(struct store *s, const struct digest *top, struct digest_set *ret, struct err *e)
{
	VEC(struct digest) todo = { 0 };
	size_t seen = 0;
	int r = 0;
	vec_push(&todo, *top);
	while (r == 0 && seen < todo.n && seen < LIMIT_INDEX_ENTRIES) {
		struct digest d = todo.v[seen++];
		struct digest_text name = digest_text(&d);
		AUTO(str_fini) struct str text = { 0 };
		AUTO(json_fini) struct json j = { 0 };
		struct err why;
		vec_push(ret, d);
		if (blob_read(s, &d, LIMIT_MANIFEST, &text, &why) < 0 ||
		    json_parse(str_text(&text), text.len, name.s, &j, &why) < 0) {
			log_debug("%s", why.msg);
			if (why.kind == ERR_SYS) {
				*e = why;
				r = -1;
			}
			continue;
		}
		const struct json *manifests = json_get(&j, "manifests");
		if (!manifests)
			add_manifest(&text, name.s, ret);
		for (size_t i = 0; i < json_len(manifests); i++) {
			const char *text_of = json_str(json_at(manifests, i), "digest");
			struct digest next;
			if (text_of && digest_parse(text_of, &next, &why) == 0)
				vec_push(&todo, next);
		}
	}
	vec_fini(&todo);
	return r;
}

int roots_image(struct store *s, const struct digest *top, struct digest_set *ret, struct err *e)
{
	int r = add_image(s, top, ret, e);
	digest_set_sort(ret);
	return r;
}

int roots_named(struct store *s, struct digest_set *ret, struct err *e)
{
	struct ref_list refs = { 0 };
	int r = ref_list(s->fd, &refs, e);
	for (size_t i = 0; r == 0 && i < refs.n; i++)
		r = add_image(s, &refs.v[i].digest, ret, e);
	ref_list_fini(&refs);
	digest_set_sort(ret);
	return r;
}

static bool record_digest(const struct json *j, const char *key, struct digest *ret)
{
	struct err ignored;
	const char *text = json_str(j, key);
	return text && digest_parse(text, ret, &ignored) == 0;
}

bool layer_record_blob(struct store *s, const char *name, struct digest *ret)
{
	AUTO(json_fini) struct json j = { 0 };
	struct err ignored;
	return store_json_get(s, name, &j, &ignored) == 0 && record_digest(&j, "digest", ret);
}

static int add_last_build(struct store *s, const struct json *j, struct digest_set *ret, struct err *e)
{
	const struct json *steps = json_get(j, "steps");
	struct digest d;
	int r = record_digest(j, "image", &d) ? add_image(s, &d, ret, e) : 0;
	for (size_t i = 0; r == 0 && i < json_len(steps); i++)
		if (record_digest(json_at(steps, i), "image", &d))
			r = add_image(s, &d, ret, e);
	return r;
}

static int add_record(struct store *s, const struct object *o, struct digest_set *ret, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	struct digest d;
	int r = store_json_get(s, o->name, &j, e);
	if (r)
		return r < 0 ? -1 : 0;
	if (o->kind == OBJECT_LOG)
		return add_last_build(s, &j, ret, e);
	if (o->kind == OBJECT_BASE && record_digest(&j, "manifest", &d))
		return add_image(s, &d, ret, e);
	if (o->kind == OBJECT_STEP && record_digest(json_get(&j, "layer"), "digest", &d))
		vec_push(ret, d);
	else if (o->kind == OBJECT_URL && record_digest(&j, "digest", &d))
		vec_push(ret, d);
	return 0;
}

bool record_is_whole(struct store *s, const struct object *o)
{
	AUTO(json_fini) struct json j = { 0 };
	struct image image = { 0 };
	struct err ignored;
	struct digest d;
	bool leads = o->kind == OBJECT_STEP || o->kind == OBJECT_LAYER || o->kind == OBJECT_URL || o->kind == OBJECT_BASE;
	if (!leads || store_json_get(s, o->name, &j, &ignored) != 0)
		return true;
	if (o->kind == OBJECT_STEP && !json_get(&j, "layer"))
		return true;
	if (o->kind != OBJECT_BASE)
		return record_digest(o->kind == OBJECT_STEP ? json_get(&j, "layer") : &j, "digest", &d) &&
		       blob_exists(s, &d, NULL);
	/* Its layers may never have been fetched. */
	bool whole = record_digest(&j, "manifest", &d) && image_load(s, &d, &image, &ignored) == 0;
	image_fini(&image);
	return whole;
}

int roots_cached(struct store *s, const struct objects *objects, struct digest_set *ret, struct err *e)
{
	for (size_t i = 0; i < objects->n; i++) {
		const struct object *o = &objects->v[i];
		bool leads = o->kind == OBJECT_BASE || o->kind == OBJECT_STEP || o->kind == OBJECT_URL ||
			     strcmp(o->name, "log/last.json") == 0;
		if (leads && add_record(s, o, ret, e) < 0)
			return -1;
	}
	digest_set_sort(ret);
	return 0;
}
