#include "oci/docker_archive.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "document_priv.h"

void docker_images_fini(struct docker_images *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].config);
		strv_fini(&l->v[i].names);
		strv_fini(&l->v[i].layers);
	}
	vec_fini(l);
}

static int member_path(const char *text, const char *name, char **ret, struct err *e)
{
	if (!text[0] || text[0] == '/' || path_has_dotdot(text))
		return err_set(e, ERR_SPEC, "%s names the file \"%.100s\", which no archive can hold", name, text);
	*ret = path_clean(text);
	return 0;
}

static int parse_image(const struct json *j, const char *name, struct docker_image *i, struct err *e)
{
	static const char *const known[] = { "Config", "RepoTags", "Layers" };
	AUTO(free_drop) char *config = NULL;
	AUTO(strv_fini) struct strv layers = { 0 };
	if (j->type != JSON_OBJECT)
		return err_set(e, ERR_SPEC, "%s is not an object", name);
	if (doc_check_keys(j, known, ARRAY_LEN(known), name, e) < 0 || doc_str(j, "Config", name, &config, e) < 0 ||
	    doc_strv(j, "RepoTags", name, &i->names, NULL, e) < 0 || doc_strv(j, "Layers", name, &layers, NULL, e) < 0)
		return -1;
	if (!config)
		return err_set(e, ERR_SPEC, "%s has no Config", name);
	if (layers.n > LIMIT_LAYERS || i->names.n > LIMIT_INDEX_ENTRIES)
		return err_set(e, ERR_LIMIT, "%s has more than %u layers or %u names", name, LIMIT_LAYERS,
			       LIMIT_INDEX_ENTRIES);
	for (size_t k = 0; k < layers.n; k++) {
		AUTO(free_drop) char *path = NULL;
		if (member_path(layers.v[k], name, &path, e) < 0)
			return -1;
		strv_push(&i->layers, path);
	}
	return member_path(config, name, &i->config, e);
}

static int parse(const struct json *j, const char *name, struct docker_images *l, struct err *e)
{
	if (j->type != JSON_ARRAY)
		return err_set(e, ERR_SPEC, "%s is not a list", name);
	if (json_len(j) == 0)
		return err_set(e, ERR_SPEC, "%s names no image", name);
	if (json_len(j) > LIMIT_INDEX_ENTRIES)
		return err_set(e, ERR_LIMIT, "%s has %zu entries, more than %u", name, json_len(j),
			       LIMIT_INDEX_ENTRIES);
	for (size_t i = 0; i < json_len(j); i++) {
		AUTO(free_drop) char *what = x_asprintf("%s: entry %zu", name, i);
		if (parse_image(json_at(j, i), what, vec_add(l), e) < 0)
			return -1;
	}
	return 0;
}

int docker_archive_parse(const char *bytes, size_t n, const char *name, struct docker_images *ret, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	AUTO(docker_images_fini) struct docker_images l = { 0 };
	if (n > LIMIT_MANIFEST)
		return err_set(e, ERR_LIMIT, "%s is larger than %u bytes", name, LIMIT_MANIFEST);
	if (json_parse(bytes, n, name, &j, e) < 0 || parse(&j, name, &l, e) < 0)
		return -1;
	*ret = l;
	l = (struct docker_images){ 0 };
	return 0;
}
