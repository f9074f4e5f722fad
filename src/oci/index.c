#include "oci/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "document_priv.h"
#include "oci/media_type.h"
#include "platform_priv.h"

static void entry_fini(struct index_entry *x)
{
	descriptor_fini(&x->desc);
	free(x->ref_name);
	free(x->full_name);
	json_fini(&x->annotations);
}

void index_fini(struct index *x)
{
	for (size_t i = 0; i < x->manifests.n; i++)
		entry_fini(&x->manifests.v[i]);
	vec_fini(&x->manifests);
	json_fini(&x->annotations);
}

static int parse_entry(const struct json *j, const char *name, struct index_entry *x, struct err *e)
{
	const struct json *platform, *annotations;
	const char *artifact = json_str(j, "artifactType");
	if (descriptor_parse(j, name, &x->desc, e) < 0 || doc_get(j, "platform", JSON_OBJECT, name, &platform, e) < 0 ||
	    doc_get(j, "annotations", JSON_OBJECT, name, &annotations, e) < 0 ||
	    doc_str(annotations, "org.opencontainers.image.ref.name", name, &x->ref_name, e) < 0 ||
	    doc_str(annotations, "io.containerd.image.name", name, &x->full_name, e) < 0)
		return -1;
	if (platform && platform_from_json(platform, name, &x->platform, e) < 0)
		return -1;
	/* BuildKit keeps provenance and SBOM beside the image that they are about, as manifests that run nowhere. */
	x->attestation = json_get(annotations, "vnd.docker.reference.type") ||
			 /* Of an image manifest it may be the type of its config: image-spec descriptor.md. */
			 (artifact && *artifact && !str_eq(artifact, MT_CONFIG) && !str_eq(artifact, MT_DOCKER_CONFIG)) ||
			 (str_eq(x->platform.os, "unknown") && str_eq(x->platform.arch, "unknown"));
	return 0;
}

static int parse(const struct json *j, const char *name, struct index *x, struct err *e)
{
	static const char *const known[] = { "schemaVersion", "mediaType", "config", "layers", "manifests" };
	const struct json *manifests;
	AUTO(free_drop) char *own_type = NULL;
	if (doc_check_keys(j, known, ARRAY_LEN(known), name, e) < 0 || doc_str(j, "mediaType", name, &own_type, e) < 0)
		return -1;
	if (json_get(j, "layers") || json_get(j, "config"))
		return err_set(e, ERR_SPEC, "%s is an index and a manifest at once", name);
	if (own_type && !media_type_is_index(own_type))
		return err_set(e, ERR_SPEC, "%s came as an index but says it is %.120s", name, own_type);
	if (json_int(j, "schemaVersion", 0) != 2)
		return err_set(e, ERR_SPEC, "%s does not have schemaVersion 2", name);
	if (!json_get(j, "manifests"))
		return err_set(e, ERR_SPEC, "%s has no manifests", name);
	if (doc_get(j, "manifests", JSON_ARRAY, name, &manifests, e) < 0)
		return -1;
	if (json_len(manifests) > LIMIT_INDEX_ENTRIES)
		return err_set(e, ERR_LIMIT, "%s has %zu entries, more than %u", name, json_len(manifests),
			       LIMIT_INDEX_ENTRIES);
	for (size_t i = 0; i < json_len(manifests); i++) {
		AUTO(free_drop) char *what = x_asprintf("%s: entry %zu", name, i);
		if (parse_entry(json_at(manifests, i), what, vec_add(&x->manifests), e) < 0)
			return -1;
	}
	return 0;
}

int index_parse(const char *bytes, size_t n, const char *name, struct index *ret, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	struct index x = { 0 };
	if (doc_parse(bytes, n, LIMIT_MANIFEST, name, &j, e) < 0)
		return -1;
	if (parse(&j, name, &x, e) < 0) {
		index_fini(&x);
		return -1;
	}
	*ret = x;
	return 0;
}

/* An entry without a platform may run anywhere: it comes after all that say they do. */
static int score(const struct index_entry *x, const struct platform *want)
{
	if (x->attestation || !(media_type_is_manifest(x->desc.media_type) || media_type_is_index(x->desc.media_type)))
		return 0;
	if (!x->platform.os[0] && !x->platform.arch[0])
		return 1;
	int match = platform_match(want, &x->platform);
	return match ? match + 1 : 0;
}

const struct index_entry *index_select(const struct index *x, const struct platform *want)
{
	const struct index_entry *best = NULL;
	int best_score = 0;
	for (size_t i = 0; i < x->manifests.n; i++) {
		int s = score(&x->manifests.v[i], want);
		if (s > best_score) {
			best = &x->manifests.v[i];
			best_score = s;
		}
	}
	return best;
}

const struct index_entry *index_only(const struct index *x)
{
	const struct index_entry *only = NULL;
	for (size_t i = 0; i < x->manifests.n; i++) {
		if (x->manifests.v[i].attestation)
			continue;
		if (only)
			return NULL;
		only = &x->manifests.v[i];
	}
	return only;
}

static void write_platform(struct json_out *o, const struct platform *p)
{
	json_put_key(o, "platform");
	json_begin(o, '{');
	json_kv_str(o, "architecture", p->arch);
	json_kv_str(o, "os", p->os);
	if (p->os_version[0])
		json_kv_str(o, "os.version", p->os_version);
	if (p->variant[0])
		json_kv_str(o, "variant", p->variant);
	json_end(o, '}');
}

static void write_annotations(struct json_out *o, const struct json *annotations)
{
	if (!json_len(annotations))
		return;
	json_put_key(o, "annotations");
	json_put_raw(o, annotations);
}

char *index_write(const struct index *x)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "schemaVersion", 2);
	json_kv_str(&o, "mediaType", MT_INDEX);
	json_put_key(&o, "manifests");
	json_begin(&o, '[');
	for (size_t i = 0; i < x->manifests.n; i++) {
		const struct index_entry *entry = &x->manifests.v[i];
		json_begin(&o, '{');
		descriptor_members(&o, &entry->desc);
		write_annotations(&o, &entry->annotations);
		if (entry->platform.os[0])
			write_platform(&o, &entry->platform);
		json_end(&o, '}');
	}
	json_end(&o, ']');
	write_annotations(&o, &x->annotations);
	json_end(&o, '}');
	return json_out_take(&o);
}
