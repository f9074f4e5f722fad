#include <stdio.h>
#include <stdlib.h>

#include "base/proc.h"
#include "build/image_set.h"
#include "cli/command.h"
#include "cli/registry_options.h"
#include "registry/pull.h"
#include "registry/reference.h"

struct options {
	const char *store, *platform;
	struct registry_options registry;
	bool all_platforms, quiet;
};

static const struct option_def table[] = {
	{ "all-platforms", 0, OPTION_FLAG, offsetof(struct options, all_platforms), NULL,
	  "all images of the index, and the index" },
	REGISTRY_OPTIONS(struct options, registry),
	{ "platform", 0, OPTION_STRING, offsetof(struct options, platform), "OS/ARCH",
	  "of an image for several platforms, this one" },
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct options, quiet), NULL, "print nothing but the image's digest" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

struct pull {
	struct store *store;
	const struct reference *reference;
	const struct platform *want;
	bool all;
};

static void report_line(void *ctx, const char *text)
{
	worker_line(ctx, text);
}

/* Foreign bytes are fetched and looked at in a process of its own. */
static int work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct pull *p = ctx;
	struct pull_progress progress = { .line = report_line, .ctx = r };
	struct pulled got = { 0 };
	struct digest top;
	if (p->all) {
		if (pull_all(p->store, p->reference, &progress, &top, e) < 0)
			return -1;
		str_add(result, digest_text(&top).s);
		return 0;
	}
	if (pull_image(p->store, p->reference, p->want, true, &progress, &got, e) < 0)
		return -1;
	str_add(result, digest_text(&got.manifest.digest).s);
	pulled_fini(&got);
	return 0;
}

static void print_line(void *ctx, const char *text)
{
	const struct options *o = ctx;
	if (!o->quiet)
		fprintf(stderr, "%s\n", text);
}

static int pull(struct store *s, struct options *o, const char *text, struct err *e)
{
	AUTO(reference_fini) struct reference ref = { 0 };
	AUTO(str_fini) struct str result = { 0 };
	AUTO(free_drop) char *name = NULL;
	struct platform want;
	struct pull p = { .store = s, .reference = &ref, .all = o->all_platforms };
	struct worker w;
	struct digest digest;
	AUTO(image_set_fini) struct image_set set = { 0 };
	if (image_name(text, &name, e) < 0 || reference_parse(text, &ref, e) < 0 ||
	    registry_options_apply(&o->registry, ref.registry, e) < 0)
		return -1;
	if (o->platform && o->all_platforms)
		return err_set(e, ERR_USAGE, "--platform and --all-platforms cannot both be");
	if (o->platform) {
		if (platform_parse(o->platform, &want, e) < 0) {
			e->kind = ERR_USAGE;
			return -1;
		}
		p.want = &want;
	}
	if (worker_start(&w, "nacre-pull", work, &p, e) < 0 || worker_wait(&w, print_line, o, &result, e) < 0)
		return -1;
	if (digest_parse(result.buf, &digest, e) < 0 || image_set_load(s, &digest, &set, e) < 0)
		return -1;
	if (store_sync(s, e) < 0 || image_tag(s, name, &set.top, image_set_created(&set), e) < 0)
		return -1;
	printf("%s\n", result.buf);
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	struct options *o = options;
	struct store store;
	if (args_count(&cmd_pull, args, 1, 1, e) < 0 || store_open(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = pull(&store, o, args->v[0], e);
	store_fini(&store);
	return r;
}

const struct command cmd_pull = {
	.name = "pull",
	.usage = "[OPTIONS] REFERENCE",
	.summary = "Fetch an image from a registry into the store",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
