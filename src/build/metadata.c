#include "metadata_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "build/image_set.h"
#include "registry/reference.h"

/* Names in full, as buildx writes them. */
static int full_names(const struct strv *names, struct strv *ret, struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		AUTO(reference_fini) struct reference r = { 0 };
		if (reference_parse(names->v[i], &r, e) < 0)
			return -1;
		strv_push_taken(ret, reference_text(&r));
	}
	return 0;
}

int metadata_make(struct store *s, const struct build_result *result, char **ret, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { 0 };
	AUTO(strv_fini) struct strv names = { 0 };
	struct json_out o;
	if (image_set_load(s, &result->image.digest, &set, e) < 0 || full_names(&result->names, &names, e) < 0)
		return -1;
	json_out_init(&o);
	json_begin(&o, '{');
	if (!set.is_index)
		json_kv_str(&o, "containerimage.config.digest",
			    digest_text(&set.members.v[0].image.manifest.config.digest).s);
	json_put_key(&o, "containerimage.descriptor");
	descriptor_write(&o, &result->image);
	json_kv_str(&o, "containerimage.digest", digest_text(&result->image.digest).s);
	AUTO(free_drop) char *joined = strv_join(&names, ",");
	if (names.n)
		json_kv_str(&o, "image.name", joined);
	json_end(&o, '}');
	*ret = json_out_take(&o);
	return 0;
}
