#include <stdlib.h>

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

/* All before the first is given: a typing error in the last one must not leave half of them. */
static int read_names(const struct strv *args, struct strv *ret, struct err *e)
{
	for (size_t i = 1; i < args->n; i++) {
		AUTO(free_drop) char *name = NULL;
		if (image_name_new(args->v[i], &name, e) < 0)
			return -1;
		strv_push(ret, name);
	}
	return 0;
}

static int tag(struct store *s, const char *text, const struct strv *names, struct err *e)
{
	struct digest digest;
	AUTO(image_set_fini) struct image_set set = { 0 };
	if (image_find(s, text, &digest, e) < 0 || image_set_load(s, &digest, &set, e) < 0)
		return -1;
	/* A prune that runs now leaves what is asked for here. */
	for (size_t i = 0; i < set.members.n; i++) {
		const struct manifest *m = &set.members.v[i].image.manifest;
		for (size_t k = 0; k < m->layers.n; k++)
			blob_exists(s, &m->layers.v[k].digest, NULL);
	}
	if (store_sync(s, e) < 0)
		return -1;
	for (size_t i = 0; i < names->n; i++)
		if (image_tag(s, names->v[i], &set.top, image_set_created(&set), e) < 0)
			return -1;
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	AUTO(strv_fini) struct strv names = { 0 };
	struct store store;
	if (args_count(&cmd_tag, args, 2, SIZE_MAX, e) < 0 || read_names(args, &names, e) < 0)
		return -1;
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = tag(&store, args->v[0], &names, e);
	store_fini(&store);
	return r;
}

const struct command cmd_tag = {
	.name = "tag",
	.usage = "[OPTIONS] IMAGE NAME...",
	.summary = "Give an image further names",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
