#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/proc.h"
#include "build/image.h"
#include "cli/command.h"
#include "cli/registry_options.h"
#include "registry/push.h"
#include "registry/reference.h"

struct options {
	const char *store, *digest_file;
	struct registry_options registry;
	bool quiet;
};

static const struct option_def table[] = {
	REGISTRY_OPTIONS(struct options, registry),
	{ "digestfile", 0, OPTION_STRING, offsetof(struct options, digest_file), "FILE",
	  "write the image's digest there" },
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct options, quiet), NULL, "print nothing but the image's digest" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

struct push {
	struct store *store;
	const struct digest *image;
	const struct reference *to;
};

static void report_line(void *ctx, const char *text)
{
	worker_line(ctx, text);
}

/* What opens connections is a process of its own. */
static int work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	const struct push *p = ctx;
	struct pull_progress progress = { .line = report_line, .ctx = r };
	return push_image(p->store, p->image, p->to, &progress, e);
}

static void print_line(void *ctx, const char *text)
{
	const struct options *o = ctx;
	if (!o->quiet)
		fprintf(stderr, "%s\n", text);
}

static int push_to(struct store *s, struct options *o, const struct digest *image, const char *name, struct err *e)
{
	AUTO(reference_fini) struct reference to = { 0 };
	struct worker w;
	if (reference_parse(name, &to, e) < 0) {
		e->kind = ERR_USAGE;
		return -1;
	}
	struct push p = { .store = s, .image = image, .to = &to };
	if (to.has_digest && !digest_eq(&to.digest, image))
		return err_set(e, ERR_USAGE, "%s names another image than %s", name, digest_text(image).s);
	if (registry_options_apply(&o->registry, to.registry, e) < 0)
		return -1;
	return worker_start(&w, "nacre-push", work, &p, e) < 0 ? -1 : worker_wait(&w, print_line, o, NULL, e);
}

static int write_digest(const char *path, const struct digest *image, struct err *e)
{
	struct digest_text text = digest_text(image);
	AUTO(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(e, "write %s", path);
	return fd_write_all(fd, text.s, strlen(text.s), path, e);
}

static int push(struct store *s, struct options *o, const struct strv *args, struct err *e)
{
	struct digest image;
	AUTO(free_drop) char *name = NULL;
	AUTO(strv_fini) struct strv to = { 0 };
	if (image_find_named(s, args->v[0], &image, &name, e) < 0)
		return -1;
	for (size_t i = 1; i < args->n; i++)
		strv_push(&to, args->v[i]);
	if (to.n == 0 && !name)
		return err_set(e, ERR_USAGE, "%s is an id; say under which name to push it: nacre push %s REFERENCE",
			       args->v[0], args->v[0]);
	if (to.n == 0)
		strv_push(&to, name);
	for (size_t i = 0; i < to.n; i++)
		if (push_to(s, o, &image, to.v[i], e) < 0)
			return -1;
	if (o->digest_file && write_digest(o->digest_file, &image, e) < 0)
		return -1;
	printf("%s\n", digest_text(&image).s);
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	struct options *o = options;
	struct store store;
	if (args_count(&cmd_push, args, 1, SIZE_MAX, e) < 0)
		return -1;
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = push(&store, o, args, e);
	store_fini(&store);
	return r;
}

const struct command cmd_push = {
	.name = "push",
	.usage = "[OPTIONS] IMAGE [REFERENCE...]",
	.summary = "Send an image from the store to a registry",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
