#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "build/image_set.h"
#include "cli/command.h"
#include "store/blob.h"

struct options {
	const char *store;
};

static const struct option_def table[] = {
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

static int put_document(struct store *s, struct json_out *o, const char *key, const struct digest *d, size_t limit,
			struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	if (blob_read(s, d, limit, &text, e) < 0 || json_parse(text.buf, text.len, key, &j, e) < 0)
		return -1;
	json_put_key(o, key);
	json_put_raw(o, &j);
	return 0;
}

static int put_image(struct store *s, struct json_out *o, const struct image_member *m, struct err *e)
{
	json_begin(o, '{');
	json_kv_str(o, "digest", digest_text(&m->image.desc.digest).s);
	if (put_document(s, o, "manifest", &m->image.desc.digest, LIMIT_MANIFEST, e) < 0 ||
	    put_document(s, o, "config", &m->image.manifest.config.digest, LIMIT_CONFIG, e) < 0)
		return -1;
	json_end(o, '}');
	return 0;
}

static int put_index(struct store *s, struct json_out *o, const struct image_set *set, struct err *e)
{
	json_begin(o, '{');
	json_kv_str(o, "digest", digest_text(&set->top.digest).s);
	if (put_document(s, o, "index", &set->top.digest, LIMIT_MANIFEST, e) < 0)
		return -1;
	json_put_key(o, "images");
	json_begin(o, '[');
	for (size_t i = 0; i < set->members.n; i++)
		if (put_image(s, o, &set->members.v[i], e) < 0)
			return -1;
	json_end(o, ']');
	json_end(o, '}');
	return 0;
}

static int inspect(struct store *s, const char *name, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { 0 };
	struct digest digest;
	struct json_out o;
	if (image_find(s, name, &digest, e) < 0 || image_set_load(s, &digest, &set, e) < 0)
		return -1;
	json_out_init(&o);
	int r = set.is_index ? put_index(s, &o, &set, e) : put_image(s, &o, &set.members.v[0], e);
	if (r == 0) {
		AUTO(free_drop) char *text = json_out_take(&o);
		printf("%s\n", text);
	}
	json_out_drop(&o);
	return r;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct store store;
	if (args_count(&cmd_inspect, args, 1, 1, e) < 0 ||
	    store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = inspect(&store, args->v[0], e);
	store_fini(&store);
	return r;
}

const struct command cmd_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] IMAGE",
	.summary = "Show an image's manifest and config as JSON, of several platforms all",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
