#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "build/save.h"
#include "cli/command.h"
#include "oci/platform.h"
#include "store/store.h"

struct options {
	const char *store, *output, *platform;
};

static const struct option_def table[] = {
	{ "output", 'o', OPTION_STRING, offsetof(struct options, output), "FILE|DIR/",
	  "a tar, or files in a directory; without it, or \"-\", a tar on standard output" },
	{ "platform", 0, OPTION_STRING, offsetof(struct options, platform), "OS/ARCH",
	  "of an image for several platforms, this one" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

/* A directory is one that is there, or a name with a slash at its end. */
static bool is_directory(const char *path)
{
	struct stat st;
	return path && (str_ends(path, "/") || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)));
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	const char *path = str_eq(o->output, "-") ? NULL : o->output;
	struct platform want;
	struct store store;
	if (args_count(&cmd_export, args, 1, 1, e) < 0)
		return -1;
	if (o->platform && platform_parse(o->platform, &want, e) < 0) {
		e->kind = ERR_USAGE;
		return err_in(e, "--platform %s", o->platform);
	}
	if (!path && isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE, "standard output is a terminal; redirect it, or give --output FILE");
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = rootfs_export(&store, args->v[0], o->platform ? &want : NULL, is_directory(path), path, e);
	store_fini(&store);
	return r;
}

const struct command cmd_export = {
	.name = "export",
	.usage = "[OPTIONS] IMAGE",
	.summary = "Write the root filesystem of an image",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
