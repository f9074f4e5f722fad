/* The manifest of a shared cache: image-spec manifest.md, "Guidelines for Artifact Usage". */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "oci/media_type.h"
#include "share_priv.h"

const char share_empty[] = "{}";

static int by_blob(const void *a, const void *b)
{
	const struct descriptor *x = *(const struct descriptor *const *)a, *y = *(const struct descriptor *const *)b;
	return memcmp(&x->digest, &y->digest, sizeof x->digest);
}

/* Steps may share a layer; a manifest names each blob once. */
static void write_blobs(struct json_out *o, const struct share_records *r)
{
	VEC(const struct descriptor *) blobs = { 0 };
	for (size_t i = 0; i < r->steps.n; i++)
		if (r->steps.v[i].record.has_layer)
			vec_push(&blobs, &r->steps.v[i].record.layer.blob);
	for (size_t i = 0; i < r->listings.n; i++)
		vec_push(&blobs, &r->listings.v[i].blob);
	if (blobs.n)
		qsort(blobs.v, blobs.n, sizeof *blobs.v, by_blob);
	for (size_t i = 0; i < blobs.n; i++)
		if (!i || by_blob(&blobs.v[i - 1], &blobs.v[i]) != 0)
			descriptor_write(o, blobs.v[i]);
	vec_fini(&blobs);
}

char *share_manifest_write(const struct descriptor *records, const struct share_records *r)
{
	const struct descriptor empty = {
		.media_type = (char *)(uintptr_t)MT_EMPTY,
		.digest = digest_of(share_empty, strlen(share_empty)),
		.size = strlen(share_empty),
	};
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "schemaVersion", 2);
	json_kv_str(&o, "mediaType", MT_MANIFEST);
	json_kv_str(&o, "artifactType", MT_SHARE);
	json_put_key(&o, "config");
	descriptor_write(&o, &empty);
	json_put_key(&o, "layers");
	json_begin(&o, '[');
	descriptor_write(&o, records);
	write_blobs(&o, r);
	json_end(&o, ']');
	json_end(&o, '}');
	return json_out_take(&o);
}

int share_manifest_read(const struct json *manifest, const char *name, struct descriptor *ret, struct err *e)
{
	const struct json *layers = json_get(manifest, "layers");
	const char *type = json_str(manifest, "artifactType");
	struct descriptor d;
	if (!str_eq(type, MT_SHARE))
		return 1;
	/* The others are there for the registry's sake; what they are, the records say. */
	if (descriptor_parse(json_at(layers, 0), "records", &d, e) < 0)
		return err_in(e, "%s", name);
	int r = 0;
	if (!str_eq(d.media_type, MT_SHARE_RECORDS))
		r = err_set(e, ERR_SPEC, "%s: its records are of type %s", name, d.media_type);
	else if (d.size > LIMIT_SHARE_BYTES)
		r = err_set(e, ERR_LIMIT, "%s: its records have more than %u bytes", name, LIMIT_SHARE_BYTES);
	if (r < 0)
		descriptor_fini(&d);
	else
		*ret = d;
	return r;
}
