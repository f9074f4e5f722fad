#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "build/save.h"
#include "cli/command.h"
#include "store/store.h"

struct options {
	const char *store, *output, *format;
};

static const struct option_def table[] = {
	{ "format", 0, OPTION_STRING, offsetof(struct options, format), "FORMAT",
	  "oci-archive (default), docker-archive or oci-dir" },
	{ "output", 'o', OPTION_STRING, offsetof(struct options, output), "FILE",
	  "where to, or oci:DIR, oci-archive:FILE, docker-archive:FILE; standard output without it, or \"-\"" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

/* The format may stand before the path, as with -o of build. */
static void read_transport(const char **path, enum save_format *how)
{
	static const struct {
		const char *prefix;
		enum save_format how;
	} transports[] = {
		{ "oci:", SAVE_OCI_DIR },
		{ "oci-archive:", SAVE_OCI_ARCHIVE },
		{ "docker-archive:", SAVE_DOCKER_ARCHIVE },
	};
	for (size_t i = 0; *path && i < ARRAY_LEN(transports); i++)
		if (str_starts(*path, transports[i].prefix)) {
			*path += strlen(transports[i].prefix);
			*how = transports[i].how;
			return;
		}
}

static int check_output(enum save_format how, const char *path, struct err *e)
{
	if (!path && how == SAVE_OCI_DIR)
		return err_set(e, ERR_USAGE, "--format oci-dir needs a directory to write to: --output DIR");
	if (!path && isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE, "standard output is a terminal; redirect it, or give --output FILE");
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	const char *path = str_eq(o->output, "-") ? NULL : o->output;
	enum save_format how = SAVE_OCI_ARCHIVE;
	struct store store;
	if (!o->format)
		read_transport(&path, &how);
	if (args_count(&cmd_save, args, 1, SIZE_MAX, e) < 0 ||
	    (o->format && save_format_parse(o->format, &how, e) < 0) || check_output(how, path, e) < 0)
		return -1;
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = save_images(&store, how, args, path, e);
	store_fini(&store);
	return r;
}

const struct command cmd_save = {
	.name = "save",
	.usage = "[OPTIONS] IMAGE...",
	.summary = "Write images to an archive",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
