#include <stdio.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/str.h"
#include "build/verify.h"
#include "cli/command.h"
#include "cli/format.h"

struct options {
	const char *store, *format;
	bool repair;
};

static const struct option_def table[] = {
	{ "format", 0, OPTION_STRING, offsetof(struct options, format), "FORMAT", "table (default) or json" },
	{ "repair", 0, OPTION_FLAG, offsetof(struct options, repair), NULL,
	  "remove what is bad, so that the next build makes it again" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct verify_options want = { .repair = o->repair, .progress = isatty(STDERR_FILENO) };
	struct verify_result result;
	AUTO(str_fini) struct str out = { 0 };
	struct store store;
	if (args_count(&cmd_verify, args, 0, 0, e) < 0 || format_is_json(o->format, &want.json, e) < 0)
		return -1;
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = store_verify(&store, &want, &out, &result, e);
	if (r == 0)
		printf("%s", out.buf);
	store_fini(&store);
	return r == 0 && result.left ? EXIT_CODE_INTEGRITY : r;
}

const struct command cmd_verify = {
	.name = "verify",
	.usage = "[OPTIONS]",
	.summary = "Look for damage in the store",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
