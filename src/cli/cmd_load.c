#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "build/image_set.h"
#include "build/load.h"
#include "cli/command.h"

struct options {
	const char *store, *input;
	bool quiet;
};

static const struct option_def table[] = {
	{ "input", 'i', OPTION_STRING, offsetof(struct options, input), "FILE",
	  "archive or OCI layout directory; standard input without it, or \"-\"" },
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct options, quiet), NULL, "do not say what was loaded" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

/* A name that moves is said: it is the archive that chose it, not the user. */
static void tell_move(struct store *s, const char *name, const struct digest *to)
{
	struct err ignored;
	struct digest was;
	AUTO(free_drop) char *found = NULL;
	if (image_find_named(s, name, &was, &found, &ignored) == 0 && found && !digest_eq(&was, to))
		fprintf(stderr, "%s was %s\n", name, digest_text(&was).s);
}

static int give_names(struct store *s, const struct loaded_image *loaded, bool quiet, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { 0 };
	if (image_set_load(s, &loaded->manifest, &set, e) < 0)
		return -1;
	for (size_t i = 0; i < loaded->names.n; i++) {
		tell_move(s, loaded->names.v[i], &set.top.digest);
		if (image_tag(s, loaded->names.v[i], &set.top, image_set_created(&set), e) < 0)
			return -1;
		if (!quiet)
			printf("Loaded image: %s\n", loaded->names.v[i]);
	}
	if (loaded->names.n == 0 && !quiet)
		printf("Loaded image ID: %s\n", digest_text(&set.top.digest).s);
	return 0;
}

static int load(struct store *s, const struct options *o, const char *path, struct err *e)
{
	AUTO(loaded_images_fini) struct loaded_images images = { 0 };
	if (load_images(s, path, &images, e) < 0 || store_sync(s, e) < 0)
		return -1;
	for (size_t i = 0; i < images.n; i++)
		if (give_names(s, &images.v[i], o->quiet, e) < 0)
			return -1;
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	const char *path = str_eq(o->input, "-") ? NULL : o->input;
	struct store store;
	if (args_count(&cmd_load, args, 0, 0, e) < 0)
		return err_hint(e, "an archive is given with --input FILE");
	if (!path && isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "standard input is a terminal; give an archive with --input FILE");
	if (store_open(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = load(&store, o, path, e);
	store_fini(&store);
	return r;
}

const struct command cmd_load = {
	.name = "load",
	.usage = "[OPTIONS]",
	.summary = "Read images from an archive",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
