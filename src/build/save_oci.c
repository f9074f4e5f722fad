/*
 * An OCI image layout as tar:
 *
 *   oci-layout  index.json  blobs/  blobs/sha256/  blobs/sha256/HEX …
 *
 * Blobs in the order of the images, of each its index if it has one, manifests, config and layers from the bottom; each once.
 * image-spec image-layout.md.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "oci/media_type.h"
#include "save_priv.h"
#include "store/ref.h"

static char *index_text(const struct save_images *images)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "schemaVersion", 2);
	json_kv_str(&o, "mediaType", MT_INDEX);
	json_put_key(&o, "manifests");
	json_begin(&o, '[');
	for (size_t i = 0; i < images->n; i++) {
		json_begin(&o, '{');
		descriptor_members(&o, &images->v[i].set.top);
		ref_write_annotations(&o, images->v[i].name, NULL, images->v[i].annotations);
		json_end(&o, '}');
	}
	json_end(&o, ']');
	json_end(&o, '}');
	return json_out_take(&o);
}

static int put_blob(struct store *s, struct sink *out, const struct descriptor *d, struct digests *there, struct err *e)
{
	AUTO(free_drop) char *path = x_asprintf("blobs/sha256/%s", digest_hex(&d->digest).s);
	return digests_add(there, &d->digest) ? save_blob(s, out, path, d, e) : 0;
}

static int put_image(struct store *s, struct sink *out, const struct image *i, struct digests *there, struct err *e)
{
	if (put_blob(s, out, &i->desc, there, e) < 0 || put_blob(s, out, &i->manifest.config, there, e) < 0)
		return -1;
	for (size_t k = 0; k < i->manifest.layers.n; k++)
		if (put_blob(s, out, &i->manifest.layers.v[k], there, e) < 0)
			return -1;
	return 0;
}

static int put_set(struct store *s, struct sink *out, const struct image_set *set, struct digests *there, struct err *e)
{
	if (set->is_index && put_blob(s, out, &set->top, there, e) < 0)
		return -1;
	for (size_t i = 0; i < set->members.n; i++)
		if (put_image(s, out, &set->members.v[i].image, there, e) < 0)
			return -1;
	return 0;
}

int save_oci(struct store *s, const struct save_images *images, struct sink *out, struct err *e)
{
	struct digests there = { 0 };
	AUTO(free_drop) char *index = index_text(images);
	int r = save_text(out, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", e);
	if (r == 0)
		r = save_text(out, "index.json", index, e);
	if (r == 0)
		r = save_directory(out, "blobs", e);
	if (r == 0)
		r = save_directory(out, "blobs/sha256", e);
	for (size_t i = 0; i < images->n && r == 0; i++)
		r = put_set(s, out, &images->v[i].set, &there, e);
	vec_fini(&there);
	return r;
}
