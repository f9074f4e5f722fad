#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "build/prune.h"
#include "cli/age.h"
#include "cli/command.h"
#include "dockerfile/values.h"

struct options {
	const char *store, *older_than, *keep;
	bool all, dry_run;
};

static const struct option_def table[] = {
	{ "all", 'a', OPTION_FLAG, offsetof(struct options, all), NULL, "the whole cache; images with names stay" },
	{ "dry-run", 0, OPTION_FLAG, offsetof(struct options, dry_run), NULL, "say what would go, and remove nothing" },
	{ "keep", 0, OPTION_STRING, offsetof(struct options, keep), "SIZE",
	  "cache, least recently used first, until the store is no larger (\"10GB\")" },
	{ "older-than", 0, OPTION_STRING, offsetof(struct options, older_than), "TIME",
	  "cache that was not used for so long (\"12h\", \"7d\")" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

static int read_options(const struct options *o, struct prune_options *ret, struct err *e)
{
	*ret = (struct prune_options){ .all = o->all, .older_than = -1, .keep = UINT64_MAX, .dry_run = o->dry_run };
	if (o->older_than && age_parse("--older-than", o->older_than, &ret->older_than, e) < 0)
		return -1;
	if (o->keep && !df_size(o->keep, &ret->keep))
		return err_set(e, ERR_USAGE, "--keep %s: a size like 500MB or 10GB is wanted", o->keep);
	return 0;
}

static void print_result(const struct prune_result *r, bool dry_run)
{
	uint64_t sum = 0;
	AUTO(str_fini) struct str freed = { 0 };
	AUTO(str_fini) struct str left = { 0 };
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		AUTO(str_fini) struct str size = { 0 };
		if (!r->n[k])
			continue;
		str_add_size(&size, r->bytes[k]);
		printf("%-20s %8zu %10s\n", object_kind_name(k), r->n[k], size.buf);
		sum += r->bytes[k];
	}
	str_add_size(&freed, sum);
	str_add_size(&left, r->left);
	printf("%s %s; %s %s\n", freed.buf, dry_run ? "would be removed" : "removed", left.buf,
	       dry_run ? "would be left" : "left");
}

static int run(void *options, const struct strv *args, struct err *e)
{
	struct prune_options want;
	struct prune_result result;
	const struct options *o = options;
	struct store store;
	if (args_count(&cmd_prune, args, 0, 0, e) < 0 || read_options(o, &want, e) < 0)
		return -1;
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = store_prune(&store, &want, &result, e);
	if (r == 0)
		print_result(&result, want.dry_run);
	store_fini(&store);
	return r;
}

const struct command cmd_prune = {
	.name = "prune",
	.usage = "[OPTIONS]",
	.summary = "Remove from the store what is not needed",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
