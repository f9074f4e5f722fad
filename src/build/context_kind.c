/* What the user calls a context: the kind of the build context, and the named ones (CTX-07, CTX-09). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "build_priv.h"
#include "copy_priv.h"

static const char docker_image[] = "docker-image://";

int context_kind_of(const char *text, enum context_kind *ret, struct err *e)
{
	if (str_starts(text, docker_image) || str_starts(text, "oci-layout://"))
		*ret = CONTEXT_IMAGE;
	else if (git_is_context(text))
		*ret = CONTEXT_GIT;
	else if (remote_is_url(text))
		*ret = CONTEXT_HTTP;
	else if (str_starts(text, "target:"))
		return err_set(e, ERR_USAGE,
			       "\"%s\" names a target of a bake file, which only bake resolves; build that target first "
			       "and name its image with docker-image:// or oci-layout://",
			       text);
	else if (strstr(text, "://"))
		return err_set(e, ERR_USAGE,
			       "\"%s\" is no kind of context: a directory, git, HTTP, docker-image:// or oci-layout:// is "
			       "wanted",
			       text);
	else
		*ret = CONTEXT_DIR;
	return 0;
}

static int check_directory(const char *path, struct err *e)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		bool missing = errno == ENOENT || errno == ENOTDIR;
		err_sys(e, "open the build context %s", path);
		e->kind = missing ? ERR_NOTFOUND : e->kind;
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "the build context %s is not a directory", path);
	return 0;
}

int context_main(struct build *b, struct err *e)
{
	const struct build_options *o = b->options;
	struct context *c = &b->context;
	struct stat st;
	c->path = x_strdup(o->context);
	if (strcmp(c->path, "-") == 0) {
		c->kind = CONTEXT_STDIN;
		if (o->file && strcmp(o->file, "-") == 0)
			return err_set(e, ERR_USAGE,
				       "standard input cannot be both the build context and the Dockerfile");
		return 0;
	}
	/* What exists as a directory is one, whatever else its name could mean. */
	if (stat(c->path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (context_kind_of(c->path, &c->kind, e) < 0)
		return -1;
	if (c->kind == CONTEXT_IMAGE)
		return err_set(e, ERR_USAGE, "%s: an image can be a context for --build-context only", c->path);
	return c->kind == CONTEXT_DIR ? check_directory(c->path, e) : 0;
}

/* ---- named contexts ---- */

/* As docker prints an image's name, so that "alpine" and "docker.io/library/alpine:latest" are one. */
static char *plain_name(const char *text)
{
	struct err ignored;
	char *name;
	if (image_name(text, &name, &ignored) < 0)
		name = x_strdup(text);
	str_lower(name);
	return name;
}

static int read_name(struct named_context *c, const char *text, size_t n, struct err *e)
{
	AUTO(free_drop) char *name = x_strndup(text, n);
	char *platform = strstr(name, "::");
	if (platform) {
		*platform = '\0';
		c->has_platform = true;
		if (platform_parse(platform + 2, &c->platform, e) < 0) {
			e->kind = ERR_USAGE;
			return -1;
		}
	}
	if (!*name)
		return err_set(e, ERR_USAGE, "a name is wanted before \"::\"");
	c->name = plain_name(name);
	return 0;
}

static int read_one(struct build *b, const char *given, struct err *e)
{
	const char *equals = strchr(given, '=');
	if (!equals || equals == given || !equals[1])
		return err_set(e, ERR_USAGE, "NAME=VALUE is wanted");
	struct named_context *c = x_alloc(sizeof *c);
	vec_push(&b->contexts, c);
	c->dir.fd = -1;
	c->value = x_strdup(equals + 1);
	if (read_name(c, given, (size_t)(equals - given), e) < 0 || context_kind_of(c->value, &c->dir.kind, e) < 0)
		return -1;
	c->is_dir = c->dir.kind != CONTEXT_IMAGE;
	c->dir.name = x_strdup(c->name);
	c->dir.path = x_strdup(c->value);
	/* Without its scheme, an image is looked for in the store as any other. */
	c->reference = str_starts(c->value, docker_image) ? c->value + strlen(docker_image) : c->value;
	return c->dir.kind == CONTEXT_DIR ? check_directory(c->value, e) : 0;
}

int named_contexts_read(struct build *b, struct err *e)
{
	const struct strv *given = &b->options->contexts;
	for (size_t i = 0; i < given->n; i++)
		if (read_one(b, given->v[i], e) < 0)
			return err_in(e, "--build-context %s", given->v[i]);
	return 0;
}

struct named_context *named_context_for(struct build *b, const char *name, const struct platform *p)
{
	AUTO(free_drop) char *plain = plain_name(name);
	struct named_context *any = NULL;
	/* Of two with one name, the last one given counts. */
	for (size_t i = b->contexts.n; i > 0; i--) {
		struct named_context *c = b->contexts.v[i - 1];
		if (strcmp(c->name, plain) != 0)
			continue;
		if (c->has_platform && platform_eq(&c->platform, p))
			return c;
		if (!c->has_platform && !any)
			any = c;
	}
	return any;
}

struct named_context *named_context_find(const struct graph *g, const char *name)
{
	return named_context_for(g->build, name, &g->target);
}
