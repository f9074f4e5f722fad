#include "store/ref.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "layout_priv.h"

#define ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"
#define ANNOTATION_CREATED "org.opencontainers.image.created"

static int read_index(int layout_fd, struct json *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	if (file_read(layout_fd, "index.json", LIMIT_STORE_JSON, &text, e) < 0 ||
	    json_parse(str_text(&text), text.len, "index.json", &j, e) < 0)
		return -1;
	const struct json *manifests = json_get(&j, "manifests");
	if (j.type != JSON_OBJECT || (manifests && manifests->type != JSON_ARRAY && manifests->type != JSON_NULL))
		return err_set(e, ERR_SPEC, "index.json is not an image index");
	*ret = j;
	j = (struct json){ 0 };
	return 0;
}

static const char *ref_name_of(const struct json *descriptor)
{
	return json_str(json_get(descriptor, "annotations"), ANNOTATION_REF_NAME);
}

static char *copy_or_null(const char *s)
{
	return s ? x_strdup(s) : NULL;
}

static int parse_entry(const struct json *j, struct ref_entry *ret, struct err *e)
{
	const char *mt = json_str(j, "mediaType"), *digest = json_str(j, "digest");
	int64_t size = json_int(j, "size", -1);
	const struct json *platform = json_get(j, "platform");
	struct digest d;
	if (!mt || !digest || size < 0)
		return err_set(e, ERR_SPEC, "a descriptor lacks its mediaType, digest or size");
	if (digest_parse(digest, &d, e) < 0)
		return -1;
	*ret = (struct ref_entry){
		.name = copy_or_null(ref_name_of(j)),
		.media_type = x_strdup(mt),
		.digest = d,
		.size = (uint64_t)size,
		.created = copy_or_null(json_str(json_get(j, "annotations"), ANNOTATION_CREATED)),
		.platform_os = copy_or_null(json_str(platform, "os")),
		.platform_arch = copy_or_null(json_str(platform, "architecture")),
		.platform_variant = copy_or_null(json_str(platform, "variant")),
	};
	return 0;
}

int ref_list(int layout_fd, struct ref_list *ret, struct err *e)
{
	AUTO(json_fini) struct json index = { 0 };
	struct ref_list list = { 0 };
	if (read_index(layout_fd, &index, e) < 0)
		return -1;
	const struct json *manifests = json_get(&index, "manifests");
	for (size_t i = 0; i < json_len(manifests); i++) {
		struct ref_entry entry;
		struct err why;
		/* Other tools write here too; what we cannot read (another digest algorithm, say) stays theirs. */
		if (parse_entry(json_at(manifests, i), &entry, &why) < 0)
			log_debug("index.json, entry %zu does not count: %s", i, why.msg);
		else
			vec_push(&list, entry);
	}
	*ret = list;
	return 0;
}

static void ref_entry_fini(struct ref_entry *r)
{
	free(r->name);
	free(r->media_type);
	free(r->created);
	free(r->platform_os);
	free(r->platform_arch);
	free(r->platform_variant);
}

void ref_list_fini(struct ref_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		ref_entry_fini(&l->v[i]);
	vec_fini(l);
}

void ref_write_annotations(struct json_out *o, const char *name, const char *created, const struct json *others)
{
	if (!created && !name && !json_len(others))
		return;
	json_put_key(o, "annotations");
	json_begin(o, '{');
	if (created)
		json_kv_str(o, ANNOTATION_CREATED, created);
	if (name)
		json_kv_str(o, ANNOTATION_REF_NAME, name);
	for (size_t i = 0; i < json_len(others); i++) {
		const struct json *other = json_at(others, i);
		if ((created && str_eq(other->key, ANNOTATION_CREATED)) || (name && str_eq(other->key, ANNOTATION_REF_NAME)))
			continue;
		json_kv_str(o, other->key, other->text);
	}
	json_end(o, '}');
}

static void write_entry(struct json_out *o, const struct ref_entry *r)
{
	json_begin(o, '{');
	json_kv_str(o, "mediaType", r->media_type);
	json_kv_str(o, "digest", digest_text(&r->digest).s);
	json_kv_int(o, "size", (int64_t)r->size);
	if (r->artifact_type)
		json_kv_str(o, "artifactType", r->artifact_type);
	ref_write_annotations(o, r->name, r->created, r->annotations);
	if (r->platform_os && r->platform_arch) {
		json_put_key(o, "platform");
		json_begin(o, '{');
		json_kv_str(o, "architecture", r->platform_arch);
		json_kv_str(o, "os", r->platform_os);
		if (r->platform_variant)
			json_kv_str(o, "variant", r->platform_variant);
		json_end(o, '}');
	}
	json_end(o, '}');
}

/* What an edit takes away: every descriptor of that name; `only`: of that digest besides. */
struct doomed {
	const char *name;              /* NULL: without one */
	const struct digest *only;     /* NULL: any */
};

static bool gives_way(const struct json *present, const struct doomed *d)
{
	return str_eq(ref_name_of(present), d->name) &&
	       (!d->only || str_eq(json_str(present, "digest"), digest_text(d->only).s));
}

/* The index with every descriptor that gives way left out and `entry` (may be NULL) in the place of the first. */
static char *edited_index(const struct json *index, const struct doomed *doomed, const struct ref_entry *entry,
			  size_t *ret_gone)
{
	struct json_out o;
	const struct json *manifests = json_get(index, "manifests");
	*ret_gone = 0;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "schemaVersion", 2);
	json_kv_str(&o, "mediaType", "application/vnd.oci.image.index.v1+json");
	json_put_key(&o, "manifests");
	json_begin(&o, '[');
	for (size_t i = 0; i < json_len(manifests); i++) {
		if (!gives_way(json_at(manifests, i), doomed))
			json_put_raw(&o, json_at(manifests, i));
		else if ((*ret_gone)++ == 0 && entry)
			write_entry(&o, entry);
	}
	if (entry && !*ret_gone)
		write_entry(&o, entry);
	json_end(&o, ']');
	for (size_t i = 0; i < json_len(index); i++) {
		const struct json *m = json_at(index, i);
		if (str_eq(m->key, "schemaVersion") || str_eq(m->key, "mediaType") || str_eq(m->key, "manifests"))
			continue;
		json_put_key(&o, m->key);
		json_put_raw(&o, m);
	}
	json_end(&o, '}');
	return json_out_take(&o);
}

static int edit(int layout_fd, const struct doomed *doomed, const struct ref_entry *entry, size_t *ret_gone,
		struct err *e)
{
	AUTO(fd_drop) int lock = -1;
	AUTO(json_fini) struct json index = { 0 };
	if (layout_lock(layout_fd, &lock, e) < 0 || read_index(layout_fd, &index, e) < 0)
		return -1;
	AUTO(free_drop) char *text = edited_index(&index, doomed, entry, ret_gone);
	if (!entry && !*ret_gone)
		return 0;
	return layout_replace(layout_fd, "index.json", text, strlen(text), e);
}

int ref_put(int layout_fd, const struct ref_entry *entry, struct err *e)
{
	/* One without a name replaces only itself. */
	const struct doomed before = { .name = entry->name, .only = entry->name ? NULL : &entry->digest };
	size_t gone;
	return edit(layout_fd, &before, entry, &gone, e);
}

static int remove_doomed(int layout_fd, const struct doomed *d, bool *ret_was_there, struct err *e)
{
	size_t gone;
	if (edit(layout_fd, d, NULL, &gone, e) < 0)
		return -1;
	*ret_was_there = gone > 0;
	return 0;
}

int ref_remove(int layout_fd, const char *name, bool *ret_was_there, struct err *e)
{
	return remove_doomed(layout_fd, &(struct doomed){ .name = name }, ret_was_there, e);
}

int ref_remove_entry(int layout_fd, const char *name, const struct digest *d, bool *ret_was_there, struct err *e)
{
	return remove_doomed(layout_fd, &(struct doomed){ .name = name, .only = d }, ret_was_there, e);
}

int layout_check_index(int dir_fd, size_t *ret_entries, struct err *e)
{
	AUTO(json_fini) struct json index = { 0 };
	if (read_index(dir_fd, &index, e) < 0)
		return -1;
	*ret_entries = json_len(json_get(&index, "manifests"));
	return 0;
}
