#include "oci/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "document_priv.h"
#include "oci/media_type.h"

void manifest_fini(struct manifest *m)
{
	free(m->media_type);
	descriptor_fini(&m->config);
	for (size_t i = 0; i < m->layers.n; i++)
		descriptor_fini(&m->layers.v[i]);
	vec_fini(&m->layers);
	json_fini(&m->annotations);
	for (size_t i = 0; i < m->layer_annotations.n; i++)
		strv_fini(&m->layer_annotations.v[i]);
	vec_fini(&m->layer_annotations);
	*m = (struct manifest){ 0 };
}

static int parse_layers(const struct json *j, const char *name, struct manifest *m, struct err *e)
{
	const struct json *layers;
	if (!json_get(j, "layers"))
		return err_set(e, ERR_SPEC, "%s has no layers", name);
	if (doc_get(j, "layers", JSON_ARRAY, name, &layers, e) < 0)
		return -1;
	if (json_len(layers) > LIMIT_LAYERS)
		return err_set(e, ERR_LIMIT, "%s has %zu layers, more than %u", name, json_len(layers), LIMIT_LAYERS);
	for (size_t i = 0; i < json_len(layers); i++) {
		AUTO(free_drop) char *what = x_asprintf("%s: layer %zu", name, i);
		struct descriptor d;
		if (descriptor_parse(json_at(layers, i), what, &d, e) < 0)
			return -1;
		vec_push(&m->layers, d);
	}
	return 0;
}

static int parse(const struct json *j, const char *media_type, const char *name, struct manifest *m, struct err *e)
{
	static const char *const known[] = { "schemaVersion", "mediaType", "config",
					     "layers",        "manifests", "annotations" };
	const struct json *annotations;
	AUTO(free_drop) char *own_type = NULL;
	AUTO(free_drop) char *config = x_asprintf("%s: config", name);
	if (doc_check_keys(j, known, ARRAY_LEN(known), name, e) < 0 || doc_str(j, "mediaType", name, &own_type, e) < 0)
		return -1;
	/* Two readers must not see two images: CVE-2021-41190. */
	if (json_get(j, "manifests"))
		return err_set(e, ERR_SPEC, "%s is an index and a manifest at once", name);
	if (!media_type)
		media_type = own_type ? own_type : MT_MANIFEST;
	if (!media_type_is_manifest(media_type))
		return err_set(e, ERR_SPEC, "%s has media type %s, not that of a manifest", name, media_type);
	if (own_type && !str_eq(own_type, media_type))
		return err_set(e, ERR_SPEC, "%s came as %s but says it is %.120s", name, media_type, own_type);
	if (json_int(j, "schemaVersion", 0) != 2)
		return err_set(e, ERR_SPEC, "%s does not have schemaVersion 2", name);
	m->media_type = x_strdup(media_type);
	if (descriptor_parse(json_get(j, "config"), config, &m->config, e) < 0 || parse_layers(j, name, m, e) < 0 ||
	    doc_get(j, "annotations", JSON_OBJECT, name, &annotations, e) < 0)
		return -1;
	if (annotations)
		json_copy(&m->annotations, annotations);
	return 0;
}

int manifest_parse(const char *bytes, size_t n, const char *media_type, const char *name, struct manifest *ret,
		   struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	struct manifest m = { 0 };
	if (doc_parse(bytes, n, LIMIT_MANIFEST, name, &j, e) < 0)
		return -1;
	if (parse(&j, media_type, name, &m, e) < 0) {
		manifest_fini(&m);
		return -1;
	}
	*ret = m;
	return 0;
}

/* annotations: KEY=VALUE, or NULL */
static void write_as(struct json_out *o, const struct descriptor *d, const char *(*type)(const char *mt),
		     const struct strv *annotations)
{
	struct descriptor named = *d;
	named.media_type = (char *)type(d->media_type);
	json_begin(o, '{');
	descriptor_members(o, &named);
	if (annotations && annotations->n) {
		json_put_key(o, "annotations");
		json_begin(o, '{');
		for (size_t i = 0; i < annotations->n; i++) {
			const char *equals = strchr(annotations->v[i], '=');
			AUTO(free_drop) char *key = x_strndup(annotations->v[i], (size_t)(equals - annotations->v[i]));
			json_kv_str(o, key, equals + 1);
		}
		json_end(o, '}');
	}
	json_end(o, '}');
}

static char *write_manifest(const struct manifest *m, const char *media_type, const char *(*type)(const char *mt))
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "schemaVersion", 2);
	json_kv_str(&o, "mediaType", media_type);
	json_put_key(&o, "config");
	write_as(&o, &m->config, type, NULL);
	json_put_key(&o, "layers");
	json_begin(&o, '[');
	for (size_t i = 0; i < m->layers.n; i++)
		write_as(&o, &m->layers.v[i], type,
			 i < m->layer_annotations.n ? &m->layer_annotations.v[i] : NULL);
	json_end(&o, ']');
	if (m->annotations.type == JSON_OBJECT && json_len(&m->annotations)) {
		json_put_key(&o, "annotations");
		json_put_raw(&o, &m->annotations);
	}
	json_end(&o, '}');
	return json_out_take(&o);
}

char *manifest_write(const struct manifest *m)
{
	return write_manifest(m, MT_MANIFEST, media_type_oci);
}

char *manifest_write_docker(const struct manifest *m)
{
	return write_manifest(m, MT_DOCKER_MANIFEST, media_type_docker);
}
