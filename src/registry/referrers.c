/* distribution-spec 1.1, "Pushing Manifests with Subject" and "Referrers Tag Schema". */
#include "referrers_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/index.h"
#include "oci/media_type.h"
#include "repository_priv.h"

static bool is_listed(const struct json *list, const struct descriptor *d)
{
	const struct json *manifests = json_get(list, "manifests");
	for (size_t i = 0; i < json_len(manifests); i++)
		if (str_eq(json_str(json_at(manifests, i), "digest"), digest_text(&d->digest).s))
			return true;
	return false;
}

static void write_entry(const struct descriptor *d, const struct json *manifest, struct json_out *o)
{
	const char *type = json_str(manifest, "artifactType");
	const struct json *annotations = json_get(manifest, "annotations");
	if (!type)
		type = json_str(json_get(manifest, "config"), "mediaType");
	json_begin(o, '{');
	json_kv_str(o, "mediaType", d->media_type);
	json_kv_str(o, "digest", digest_text(&d->digest).s);
	json_kv_int(o, "size", (int64_t)d->size);
	if (type)
		json_kv_str(o, "artifactType", type);
	if (json_len(annotations)) {
		json_put_key(o, "annotations");
		json_put_raw(o, annotations);
	}
	json_end(o, '}');
}

/* With all that the list has, also what is not understood here: others wrote it. */
static char *write_list(const struct json *list, const struct descriptor *d, const struct json *manifest)
{
	const struct json *manifests = json_get(list, "manifests");
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	if (!list) {
		json_kv_int(&o, "schemaVersion", 2);
		json_kv_str(&o, "mediaType", MT_INDEX);
	}
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *member = json_at(list, i);
		if (member == manifests)
			continue;
		json_put_key(&o, member->key);
		json_put_raw(&o, member);
	}
	json_put_key(&o, "manifests");
	json_begin(&o, '[');
	for (size_t i = 0; i < json_len(manifests); i++)
		json_put_raw(&o, json_at(manifests, i));
	write_entry(d, manifest, &o);
	json_end(&o, ']');
	json_end(&o, '}');
	return json_out_take(&o);
}

/* 1: there is none. What is no index under that tag is left alone. */
static int get_list(struct repository *r, const char *tag, struct json *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(free_drop) char *type = NULL;
	AUTO(index_fini) struct index x = { 0 };
	int result = repository_get(r, tag, 0, &text, &type, e);
	if (result != 0)
		return result;
	if (index_parse(str_text(&text), text.len, tag, &x, e) < 0)
		return -1;
	if (x.manifests.n >= LIMIT_INDEX_ENTRIES)
		return err_set(e, ERR_LIMIT, "%s lists more than %u manifests", tag, LIMIT_INDEX_ENTRIES - 1);
	return json_parse(str_text(&text), text.len, tag, ret, e);
}

static int add_to_list(struct repository *r, const struct digest *subject, const struct descriptor *d,
		       const struct json *manifest, struct err *e)
{
	AUTO(json_fini) struct json list = { 0 };
	AUTO(free_drop) char *tag = x_asprintf("sha256-%s", digest_hex(subject).s);
	int there = get_list(r, tag, &list, e);
	if (there < 0)
		return -1;
	if (is_listed(&list, d))
		return 0;
	AUTO(free_drop) char *text = write_list(there == 0 ? &list : NULL, d, manifest);
	const char *type = json_str(&list, "mediaType");
	return repository_put(r, tag, type ? type : MT_INDEX, text, strlen(text), e);
}

int referrers_add(struct repository *r, const struct descriptor *d, const char *text, const char *name, struct err *e)
{
	AUTO(json_fini) struct json manifest = { 0 };
	struct descriptor subject = { 0 };
	if (r->took_subject)
		return 0;
	if (json_parse(text, d->size, name, &manifest, e) < 0)
		return -1;
	if (!json_get(&manifest, "subject"))
		return 0;
	if (descriptor_parse(json_get(&manifest, "subject"), name, &subject, e) < 0)
		return -1;
	struct digest of = subject.digest;
	descriptor_fini(&subject);
	if (add_to_list(r, &of, d, &manifest, e) < 0)
		return err_in(e, "%s: list what refers to %s", name, digest_text(&of).s);
	return 0;
}
