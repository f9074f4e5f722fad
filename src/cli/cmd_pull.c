#include <stdio.h>
#include <stdlib.h>

#include "base/proc.h"
#include "build/image.h"
#include "cli/command.h"
#include "cli/registry_options.h"
#include "registry/pull.h"
#include "registry/reference.h"

struct options {
	const char *store, *platform;
	struct registry_options registry;
	bool quiet;
};

static const struct option_def table[] = {
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
	struct pull p = { .store = s, .reference = &ref };
	struct worker w;
	struct digest digest;
	struct image image = { 0 };
	if (image_name(text, &name, e) < 0 || reference_parse(text, &ref, e) < 0 ||
	    registry_options_apply(&o->registry, ref.registry, e) < 0)
		return -1;
	if (o->platform) {
		if (platform_parse(o->platform, &want, e) < 0) {
			e->kind = ERR_USAGE;
			return -1;
		}
		p.want = &want;
	}
	if (worker_start(&w, "nacre-pull", work, &p, e) < 0 || worker_wait(&w, print_line, o, &result, e) < 0)
		return -1;
	if (digest_parse(result.buf, &digest, e) < 0 || image_load(s, &digest, &image, e) < 0)
		return -1;
	int r = store_sync(s, e);
	if (r == 0)
		r = image_tag(s, name, &image.desc, image.config.created, e);
	image_fini(&image);
	if (r == 0)
		printf("%s\n", result.buf);
	return r;
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
