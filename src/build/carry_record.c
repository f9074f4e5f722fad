/* Records that come from elsewhere: read, checked, and written anew from what was understood. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "build/image.h"
#include "carry_priv.h"
#include "oci/descriptor.h"
#include "oci/media_type.h"
#include "oci/time.h"
#include "store/blob.h"
#include "store/record.h"

void carried_record_fini(struct carried_record *r)
{
	free(r->text);
	strv_fini(&r->caches);
	*r = (struct carried_record){ 0 };
}

/* A descriptor of a layer: into *r, and as members of the open object of `o`. */
static int take_layer(const struct json *j, struct carried_record *r, struct json_out *o, struct err *e)
{
	struct descriptor d = { 0 };
	if (descriptor_parse(j, "record", &d, e) < 0)
		return -1;
	int rc = media_type_is_layer(d.media_type) ? 0 : err_set(e, ERR_SPEC, "its media type is not that of a layer");
	if (rc == 0) {
		r->has_blob = true;
		r->blob = d.digest;
		r->size = d.size;
		json_kv_str(o, "mediaType", d.media_type);
		json_kv_str(o, "digest", digest_text(&d.digest).s);
		json_kv_int(o, "size", (int64_t)d.size);
	}
	descriptor_fini(&d);
	return rc;
}

static int take_step_layer(const struct json *j, struct carried_record *r, struct json_out *o, struct err *e)
{
	const char *diffid = json_str(j, "diffid");
	if (!diffid || digest_parse(diffid, &r->diffid.d, e) < 0)
		return err_set(e, ERR_SPEC, "its layer has no diffid");
	r->has_diffid = true;
	json_put_key(o, "layer");
	json_begin(o, '{');
	json_kv_str(o, "diffid", digest_text(&r->diffid.d).s);
	if (take_layer(j, r, o, e) < 0)
		return -1;
	json_end(o, '}');
	return 0;
}

/* Names of cache mounts, as cache_mount.c makes them. */
static int take_caches(const struct json *j, struct carried_record *r, struct json_out *o, struct err *e)
{
	json_strv(j, &r->caches);
	for (size_t i = 0; i < r->caches.n; i++) {
		AUTO(free_drop) char *text = x_asprintf("sha256:%s", r->caches.v[i]);
		if (!digest_is_valid(text))
			return err_set(e, ERR_SPEC, "it names a cache mount that can be none");
	}
	if (r->caches.n)
		json_kv_strv(o, "caches", &r->caches);
	return 0;
}

/* The name of a record is the digest of its key. */
static int take_key(const struct json *key, const struct carried_record *r, struct json_out *o, struct err *e)
{
	struct json_out alone;
	if (!key || key->type != JSON_OBJECT)
		return err_set(e, ERR_SPEC, "it has no key");
	json_out_init(&alone);
	json_put_raw(&alone, key);
	AUTO(free_drop) char *text = json_out_take(&alone);
	struct digest d = digest_of(text, strlen(text));
	if (!digest_eq(&d, &r->id))
		return err_set(e, ERR_INTEGRITY, "its key has the digest %s", digest_text(&d).s);
	json_put_key(o, "key");
	json_put_raw(o, key);
	return 0;
}

static int take_step(const struct json *j, struct carried_record *r, struct json_out *o, struct err *e)
{
	static const char *const numbers[] = { "ran", "milliseconds" };
	const char *created = json_str(j, "created");
	const struct json *layer = json_get(j, "layer");
	int64_t ignored;
	if (take_key(json_get(j, "key"), r, o, e) < 0)
		return -1;
	if (created && time_parse(created, &ignored) == 0)
		json_kv_str(o, "created", created);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int64_t n = json_int(j, numbers[i], -1);
		if (n >= 0)
			json_kv_int(o, numbers[i], n);
	}
	if (take_caches(json_get(j, "caches"), r, o, e) < 0)
		return -1;
	return layer ? take_step_layer(layer, r, o, e) : 0;
}

static int take_base(const struct json *j, struct carried_record *r, struct json_out *o, struct err *e)
{
	const char *manifest = json_str(j, "manifest");
	if (!manifest || digest_parse(manifest, &r->blob, e) < 0)
		return err_set(e, ERR_SPEC, "it names no manifest");
	r->has_blob = true;
	json_kv_str(o, "manifest", digest_text(&r->blob).s);
	return 0;
}

int carried_record_parse(enum object_kind kind, const struct digest *id, const char *bytes, size_t n,
			 struct carried_record *ret, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	AUTO(carried_record_fini) struct carried_record r = { .kind = kind, .id = *id };
	const struct str text = { .buf = (char *)bytes, .len = n }; /* borrowed */
	struct json_out o;
	if (store_json_parse(&text, "record", &j, e) < 0)
		return -1;
	if (j.type != JSON_OBJECT)
		return err_set(e, ERR_SPEC, "record: not an object");
	json_out_init(&o);
	json_begin(&o, '{');
	int rc = kind == OBJECT_STEP ? take_step(&j, &r, &o, e)
		 : kind == OBJECT_LAYER ? take_layer(&j, &r, &o, e)
					: take_base(&j, &r, &o, e);
	if (rc < 0) {
		json_out_drop(&o);
		return -1;
	}
	json_end(&o, '}');
	r.text = json_out_take(&o);
	*ret = r;
	r = (struct carried_record){ 0 };
	return 0;
}

char *carry_base_text(const struct digest *manifest)
{
	return x_asprintf("{\"manifest\":\"%s\"}", digest_text(manifest).s);
}

int carried_record_get(struct store *s, enum object_kind kind, const struct digest *id, struct carried_record *ret,
		       struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(free_drop) char *name = carry_name(kind, id);
	struct err why;
	if (file_read(s->fd, name, LIMIT_STORE_JSON, &text, &why) < 0) {
		if (why.kind != ERR_SYS || why.sysno == ENOENT || why.sysno == ENOTDIR)
			return 1;
		*e = why;
		return err_in(e, "store %s", s->path);
	}
	if (carried_record_parse(kind, id, str_text(&text), text.len, ret, &why) == 0)
		return 0;
	log_debug("%s/%s does not count: %s", s->path, name, why.msg);
	return 1;
}

/* A base counts when its documents and all layers are there. */
static bool base_is_whole(struct store *s, const struct digest *manifest)
{
	struct err ignored;
	AUTO(image_fini) struct image i = { 0 };
	uint64_t size;
	if (image_load(s, manifest, &i, &ignored) < 0)
		return false;
	for (size_t k = 0; k < i.manifest.layers.n; k++)
		if (!blob_exists(s, &i.manifest.layers.v[k].digest, &size) || size != i.manifest.layers.v[k].size)
			return false;
	return true;
}

bool carried_record_is_whole(struct store *s, const struct carried_record *r)
{
	uint64_t size;
	if (!r->has_blob)
		return true;
	if (r->kind == OBJECT_BASE)
		return base_is_whole(s, &r->blob);
	return blob_exists(s, &r->blob, &size) && size == r->size;
}
