#include "oci/descriptor.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "document_priv.h"

void descriptor_fini(struct descriptor *d)
{
	free(d->media_type);
	*d = (struct descriptor){ 0 };
}

/* RFC 6838 section 4.2, which image-spec descriptor.md demands; so a media type needs no escaping anywhere. */
static bool media_type_is_valid(const char *mt)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+";
	size_t type = strspn(mt, alphabet);
	if (!type || type > 127 || mt[type] != '/')
		return false;
	size_t sub = strspn(mt + type + 1, alphabet);
	return sub && sub <= 127 && !mt[type + 1 + sub];
}

int descriptor_parse(const struct json *j, const char *name, struct descriptor *ret, struct err *e)
{
	static const char *const known[] = { "mediaType", "digest", "size", "platform", "annotations" };
	if (!j || j->type != JSON_OBJECT)
		return err_set(e, ERR_SPEC, "%s is not a descriptor", name);
	if (doc_check_keys(j, known, ARRAY_LEN(known), name, e) < 0)
		return -1;
	const char *mt = json_str(j, "mediaType"), *digest = json_str(j, "digest");
	int64_t size = json_int(j, "size", -1);
	struct digest d;
	if (!mt || !media_type_is_valid(mt))
		return err_set(e, ERR_SPEC, "%s has no valid mediaType", name);
	if (!digest)
		return err_set(e, ERR_SPEC, "%s has no digest", name);
	if (digest_parse(digest, &d, e) < 0)
		return err_in(e, "%s", name);
	if (size < 0)
		return err_set(e, ERR_SPEC, "%s has no valid size", name);
	*ret = (struct descriptor){ .media_type = x_strdup(mt), .digest = d, .size = (uint64_t)size };
	return 0;
}

void descriptor_members(struct json_out *o, const struct descriptor *d)
{
	json_kv_str(o, "mediaType", d->media_type);
	json_kv_str(o, "digest", digest_text(&d->digest).s);
	json_kv_int(o, "size", (int64_t)d->size);
}

void descriptor_write(struct json_out *o, const struct descriptor *d)
{
	json_begin(o, '{');
	descriptor_members(o, d);
	json_end(o, '}');
}
