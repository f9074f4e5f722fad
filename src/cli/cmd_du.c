#include <stdio.h>

#include "build/usage.h"
#include "cli/command.h"
#include "cli/format.h"

struct options {
	const char *store, *format;
};

static const struct option_def table[] = {
	{ "format", 0, OPTION_STRING, offsetof(struct options, format), "FORMAT", "table (default) or json" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	AUTO(str_fini) struct str out = { 0 };
	struct store store;
	bool json;
	if (args_count(&cmd_du, args, 0, 0, e) < 0 || format_is_json(o->format, &json, e) < 0)
		return -1;
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = store_usage(&store, json, &out, e);
	if (r == 0)
		printf("%s", out.buf);
	store_fini(&store);
	return r;
}

const struct command cmd_du = {
	.name = "du",
	.usage = "[OPTIONS]",
	.summary = "Say where the bytes of the store are",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
