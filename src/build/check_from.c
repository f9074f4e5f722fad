/* Checks of FROM: arguments in it, platforms, base images. */
#include <stdlib.h>
#include <string.h>

#include "base_image_priv.h"
#include "call_priv.h"
#include "check_walk_priv.h"
#include "context_reads_priv.h"
#include "graph_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"
#include "dockerfile/lint.h"
#include "registry/reference.h"

/* Looking for a near name compares with all there are; a file that is wrong everywhere must not take minutes. */
enum { SUGGESTED_MAX = 100 };

char *check_suggest(const struct build *b, const char *name, const struct strv *env, const char *sigil)
{
	if (b->file.warnings.n >= SUGGESTED_MAX)
		return x_strdup("");
	AUTO(strv_fini) struct strv names = { 0 };
	for (size_t i = 0; i < env->n; i++)
		strv_push_taken(&names, x_strndup(env->v[i], strcspn(env->v[i], "=")));
	const char *near = str_nearest(name, (const char *const *)names.v, names.n);
	return near ? x_asprintf(" (did you mean %s%s?)", sigil, near) : x_strdup("");
}

/* Names of everything FROM may use: automatic and global ARGs, with a value or not. */
static void global_names(const struct graph *g, struct strv *ret)
{
	const struct build *b = g->build;
	strv_copy(ret, &g->global_args);
	for (size_t i = 0; i < b->file.n_global; i++)
		for (size_t k = 0; k < b->file.instructions.v[i].kvs.n; k++)
			strv_push(ret, b->file.instructions.v[i].kvs.v[k].key);
}

static void undefined_args(struct walk *w, const struct df_instruction *in, const char *word, const struct strv *known)
{
	struct build *b = w->b;
	AUTO(strv_fini) struct strv undefined = { 0 };
	AUTO(free_drop) char *text = NULL;
	struct df_scope scope = { .env = &w->graph->global_args, .escape = b->file.escape, .undefined = &undefined };
	struct err ignored;
	if (df_expand(&scope, word, &text, &ignored) < 0)
		return; /* graph_check says so */
	for (size_t i = 0; i < undefined.n; i++) {
		const char *name = undefined.v[i];
		if (!*name || strv_has(known, name))
			continue;
		struct df_pos at = df_find_variable(&b->file, in->line, in->line_end, name);
		AUTO(free_drop) char *near = check_suggest(b, name, known, "");
		df_warn(&b->file, w->check, in, &at, DF_RULE_UNDEFINED_ARG_IN_FROM,
			"FROM uses the argument '%s', which no ARG before the first FROM declares%s", name, near);
	}
}

static const struct df_pos *platform_at(const struct df_instruction *in)
{
	size_t i = 0;
	while (strcmp(in->flags.v[i].name, "platform") != 0)
		i++;
	return &in->flags.v[i].at;
}

/* Nothing but TARGETPLATFORM is used, and its value is what comes out. */
static void redundant_platform(struct walk *w, const struct df_instruction *in, const char *platform)
{
	struct build *b = w->b;
	const char *value = env_get(&w->graph->global_args, "TARGETPLATFORM");
	AUTO(strv_fini) struct strv nothing = { 0 }, used = { 0 };
	AUTO(free_drop) char *empty = NULL;
	AUTO(free_drop) char *text = NULL;
	struct df_scope names = { .env = &nothing, .escape = b->file.escape, .undefined = &used };
	struct df_scope scope = { .env = &w->graph->global_args, .escape = b->file.escape };
	struct err ignored;
	/* The first fails for such as ${X:?}, of which only the values tell. */
	if (df_expand(&names, platform, &empty, &ignored) < 0 || df_expand(&scope, platform, &text, &ignored) < 0)
		return;
	if (used.n == 1 && strcmp(used.v[0], "TARGETPLATFORM") == 0 && str_eq(text, value))
		df_warn(&b->file, w->check, in, platform_at(in), DF_RULE_REDUNDANT_TARGET_PLATFORM,
			"FROM --platform=%s asks for what is the default anyway", platform);
}

/* The global ARGs as they would be without --build-arg. */
static int default_args(const struct graph *g, struct strv *ret, struct err *e)
{
	const struct build *b = g->build;
	strv_copy(ret, &g->platform_args);
	for (size_t i = 0; i < b->file.n_global; i++) {
		const struct df_instruction *in = &b->file.instructions.v[i];
		for (size_t k = 0; k < in->kvs.n; k++) {
			struct df_scope scope = { .env = ret, .escape = b->file.escape };
			AUTO(free_drop) char *value = NULL;
			if (in->kvs.v[k].value && df_expand(&scope, in->kvs.v[k].value, &value, e) < 0)
				return -1;
			if (value)
				env_set(ret, in->kvs.v[k].key, value);
		}
	}
	return 0;
}

static void invalid_default(struct walk *w, const struct df_instruction *in, const struct strv *defaults)
{
	struct build *b = w->b;
	AUTO(reference_fini) struct reference ref = { 0 };
	AUTO(free_drop) char *image = NULL;
	struct df_scope scope = { .env = defaults, .escape = b->file.escape };
	struct err ignored;
	if (df_expand(&scope, in->image, &image, &ignored) == 0 && reference_parse(image, &ref, &ignored) < 0)
		df_warn(&b->file, w->check, in, &in->args_at.v[0], DF_RULE_INVALID_DEFAULT_ARG_IN_FROM,
			"without --build-arg, %s gives an empty or invalid image name", in->image);
}

void check_froms(struct walk *w)
{
	struct build *b = w->b;
	AUTO(strv_fini) struct strv known = { 0 }, defaults = { 0 };
	struct err ignored;
	global_names(w->graph, &known);
	bool have_defaults = default_args(w->graph, &defaults, &ignored) == 0;
	for (size_t i = 0; i < b->file.stages.n; i++) {
		const struct df_instruction *in = &b->file.instructions.v[b->file.stages.v[i].from];
		const char *platform = df_flag_get(in, "platform");
		undefined_args(w, in, in->image, &known);
		if (platform) {
			undefined_args(w, in, platform, &known);
			redundant_platform(w, in, platform);
		}
		if (have_defaults)
			invalid_default(w, in, &defaults);
	}
}

/* The global ARGs that a needed FROM takes, with those their defaults take. */
static void outline_globals(struct walk *w, const struct df_instruction *from)
{
	struct build *b = w->b;
	AUTO(strv_fini) struct strv nothing = { 0 }, used = { 0 };
	AUTO(free_drop) char *image = NULL;
	AUTO(free_drop) char *platform = NULL;
	struct df_scope scope = { .env = &nothing, .escape = b->file.escape, .undefined = &used };
	const char *flag = df_flag_get(from, "platform");
	struct err ignored;
	if (df_expand(&scope, from->image, &image, &ignored) < 0 ||
	    (flag && df_expand(&scope, flag, &platform, &ignored) < 0))
		return;
	for (size_t i = b->file.n_global; i-- > 0;) {
		const struct df_instruction *in = &b->file.instructions.v[i];
		for (size_t k = in->kvs.n; k-- > 0;) {
			AUTO(free_drop) char *text = NULL;
			if (!strv_has(&used, in->kvs.v[k].key))
				continue;
			outline_arg(w->outline, in, in->kvs.v[k].key, env_get(&w->graph->global_args, in->kvs.v[k].key));
			if (in->kvs.v[k].value && df_expand(&scope, in->kvs.v[k].value, &text, &ignored) < 0)
				return;
		}
	}
}

/* ---- what a stage begins with ---- */

static void from_scene(struct scene *s, const struct scene *base)
{
	strv_copy(&s->env, &base->env);
	strv_copy(&s->declared, &base->declared);
	s->env_known = base->env_known;
	s->shell_set = base->shell_set;
	s->workdir_set = base->workdir_set;
}

static void from_config(struct walk *w, const struct df_instruction *in, const char *name, const struct platform *want,
			const struct image_config *c, struct scene *s)
{
	strv_copy(&s->env, &c->env);
	strv_copy(&s->triggers, &c->onbuild);
	s->shell_set = c->shell.n > 0;
	if (strcmp(want->os, c->platform.os) == 0 && strcmp(want->arch, c->platform.arch) == 0)
		return;
	AUTO(free_drop) char *asked = platform_text(want);
	AUTO(free_drop) char *have = platform_text(&c->platform);
	df_warn(&w->b->file, w->check, in, &in->args_at.v[0], DF_RULE_INVALID_BASE_IMAGE_PLATFORM,
		"base image %s is for platform \"%s\", this build asks for \"%s\"", name, have, asked);
}

/* Before the pull that --pull asks for, an image of the store may be another than the one that will be used. */
static bool may_change(const struct walk *w)
{
	return w->b->options->pull && !w->fetch && !w->b->images.n;
}

int check_base(struct walk *w, struct stage *st, struct scene *s, struct err *e)
{
	struct build *b = w->b;
	struct platform want;
	bool given;
	const struct df_instruction *in = &b->file.instructions.v[st->df->from];
	AUTO(free_drop) char *name = NULL;
	AUTO(image_fini) struct image image = { 0 };
	if (w->outline)
		outline_globals(w, in);
	if (st->base_stage) {
		from_scene(s, &w->scenes.v[st->base_stage->df->index]);
		return 0;
	}
	if (stage_expand_base(st, &name, e) < 0 || stage_platform(w->graph, in, &want, &given, e) < 0)
		return -1;
	const struct named_context *named = named_context_for(b, name, &want);
	const char *reference = named ? named->reference : name;
	s->env_known = true;
	/* The files of a context come without a configuration. */
	if (strcmp(reference, "scratch") == 0 || (named && named->is_dir))
		;
	else if (!may_change(w) && base_image_peek(b, reference, given ? &want : NULL, w->fetch, &image))
		from_config(w, in, name, &want, &image.config, s);
	else
		s->env_known = false;
	if (named && named->is_dir) /* as step_from.c takes it in */
		strv_pushf(&s->triggers, "COPY --from=%s . /", named->name);
	else if (!s->env_known && w->reads && !strv_has(&w->reads->unknown, name))
		strv_push(&w->reads->unknown, name);
	if (!env_get(&s->env, "PATH"))
		env_set(&s->env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	return 0;
}
