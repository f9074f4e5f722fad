#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "build/image.h"
#include "cli/command.h"
#include "store/ref.h"

struct options {
	const char *store;
	bool force;
};

static const struct option_def table[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct options, force), NULL,
	  "an image given by its id: all of its names" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

static int remove_name(struct store *s, const char *name, struct err *e)
{
	bool was_there;
	if (ref_remove(s->fd, name, &was_there, e) < 0)
		return -1;
	if (was_there)
		printf("Untagged: %s\n", name);
	return 0;
}

static int remove_image(struct store *s, const char *text, bool force, struct err *e)
{
	AUTO(free_drop) char *name = NULL;
	AUTO(strv_fini) struct strv names = { 0 };
	struct digest digest;
	if (image_find_named(s, text, &digest, &name, e) < 0)
		return -1;
	if (name)
		return remove_name(s, name, e);
	if (image_names(s, &digest, &names, e) < 0)
		return -1;
	if (names.n > 1 && !force) {
		AUTO(free_drop) char *all = strv_join(&names, ", ");
		return err_set(e, ERR_USAGE, "image %s has several names: %.300s; give one of them, or --force", text,
			       all);
	}
	if (names.n == 0)
		return err_set(e, ERR_NOTFOUND, "image %s has no name that could be removed", text);
	for (size_t i = 0; i < names.n; i++)
		if (remove_name(s, names.v[i], e) < 0)
			return -1;
	return 0;
}

/* The exit status is that of the first failure, 0 without one. */
static int remove_all(struct store *s, const struct strv *images, bool force)
{
	int status = 0;
	for (size_t i = 0; i < images->n; i++) {
		struct err e = { 0 };
		if (remove_image(s, images->v[i], force, &e) == 0)
			continue;
		log_error("%s", e.msg);
		status = status ? status : err_exit_code(&e);
	}
	return status;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct store store;
	if (args_count(&cmd_rmi, args, 1, SIZE_MAX, e) < 0 ||
	    store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = remove_all(&store, args, o->force);
	store_fini(&store);
	return r;
}

const struct command cmd_rmi = {
	.name = "rmi",
	.usage = "[OPTIONS] IMAGE...",
	.summary = "Remove names of images",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
