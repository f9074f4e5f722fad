#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/str.h"
#include "build/call.h"
#include "cli/command.h"
#include "cli/format.h"

struct options {
	const char *store, *file, *target, *format;
	struct strv platforms, build_args, contexts;
};

#define AT(field) offsetof(struct options, field)

static const struct option_def table[] = {
	{ "build-arg", 0, OPTION_LIST, AT(build_args), "K[=V]",
	  "set a build argument; without a value, from the environment" },
	{ "build-context", 0, OPTION_LIST, AT(contexts), "NAME=VALUE", "a named context, as for nacre build" },
	{ "file", 'f', OPTION_STRING, AT(file), "FILE",
	  "the Dockerfile (default: CONTEXT/Dockerfile; - is standard input)" },
	{ "format", 0, OPTION_STRING, AT(format), "FORMAT", "table (default) or json" },
	{ "platform", 0, OPTION_LIST, AT(platforms), "OS/ARCH", "the platform to build for" },
	{ "store", 0, OPTION_STRING, AT(store), "DIR", "where images and cache are kept (also $NACRE_STORE)" },
	{ "target", 0, OPTION_STRING, AT(target), "STAGE", "of this stage instead of the last one" },
};

static int list(struct store *s, const struct build_options *b, bool json, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	size_t failing;
	if (build_call(s, b, CALL_CONTEXT, json ? CALL_JSON : CALL_TEXT, &text, &failing, e) < 0)
		return -1;
	fwrite(str_text(&text), 1, text.len, stdout);
	return failing ? EXIT_CODE_BUILD : EXIT_CODE_OK;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct store store;
	bool json;
	if (args_count(&cmd_context, args, 2, 2, e) < 0 || format_is_json(o->format, &json, e) < 0)
		return -1;
	if (strcmp(args->v[0], "ls") != 0)
		return err_set(e, ERR_USAGE, "unknown word \"%s\"; usage: nacre context %s", args->v[0],
			       cmd_context.usage);
	struct build_options build = {
		.context = args->v[1],
		.file = o->file,
		.build_args = o->build_args,
		.contexts = o->contexts,
		.target = o->target,
		.platforms = o->platforms,
	};
	if (store_open(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = list(&store, &build, json, e);
	store_fini(&store);
	return r;
}

const struct command cmd_context = {
	.name = "context",
	.usage = "ls [OPTIONS] CONTEXT",
	.summary = "List the files a Dockerfile reads, and those that the ignore file drops",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
