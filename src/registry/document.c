#include "document_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/media_type.h"

#define MT_DOCKER_SCHEMA1 "application/vnd.docker.distribution.manifest.v1+"

/* The type alone, in lower case: "Text/Plain; charset=utf-8" is text/plain. NULL for what names no document. */
static char *claim(const char *type)
{
	if (!type)
		return NULL;
	size_t n = strcspn(type, "; \t");
	AUTO(free_drop) char *bare = x_strndup(type, n);
	str_lower(bare);
	bool general = !bare[0] || str_eq(bare, "application/json") || str_eq(bare, "text/plain") ||
		       str_eq(bare, "text/json") || str_eq(bare, "application/octet-stream") ||
		       str_eq(bare, "binary/octet-stream");
	return general ? NULL : ptr_take(&bare);
}

static int guess(const struct json *j, const char *name, const char **ret, struct err *e)
{
	bool index = json_get(j, "manifests"), manifest = json_get(j, "layers") || json_get(j, "config");
	if (index && manifest)
		return err_set(e, ERR_SPEC, "%s: the document is an index and a manifest at once", name);
	if (!index && !manifest)
		return err_set(e, ERR_SPEC, "%s: the document is neither a manifest nor an index", name);
	*ret = index ? MT_INDEX : MT_MANIFEST;
	return 0;
}

int document_type(const char *bytes, size_t n, const char *header, const char *descriptor, const char *name, char **ret,
		  struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	AUTO(free_drop) char *from_header = claim(header);
	const char *guessed = NULL, *type = NULL;
	if (from_header && str_starts(from_header, MT_DOCKER_SCHEMA1))
		return err_set(e, ERR_SPEC, "%s: Docker's old schema 1 is not supported; push the image again", name);
	if (json_parse(bytes, n, name, &j, e) < 0 || guess(&j, name, &guessed, e) < 0)
		return -1;
	const char *claims[] = { json_str(&j, "mediaType"), from_header, descriptor };
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		if (claims[i] && type && !str_eq(claims[i], type))
			return err_set(e, ERR_SPEC,
				       "%s: the document is called %.80s in one place and %.80s in another", name, type,
				       claims[i]);
		if (claims[i])
			type = claims[i];
	}
	if (!type)
		type = guessed;
	if (!media_type_is_index(type) && !media_type_is_manifest(type))
		return err_set(e, ERR_SPEC, "%s: the media type %.80s is not that of an image", name, type);
	if (media_type_is_index(type) != str_eq(guessed, MT_INDEX))
		return err_set(e, ERR_SPEC, "%s: the document is not what its media type %.80s says", name, type);
	*ret = x_strdup(type);
	return 0;
}
