#include "check_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "call_priv.h"
#include "check_walk_priv.h"
#include "context_reads_priv.h"
#include "copy_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"
#include "dockerfile/ignore.h"
#include "dockerfile/lint.h"
#include "dockerfile/mount.h"
#include "dockerfile/values.h"

/* One instruction under examination. */
struct look {
	struct walk *w;
	struct scene *s;
	const struct df_instruction *in;
	struct df_scope scope; /* gathers undefined names */
	struct strv undefined;
	bool unknown;          /* what was expanded last depends on the environment of an image that is not there yet */
};

static int expand(struct look *l, const char *word, char **ret, struct err *e)
{
	return df_expand(&l->scope, word, ret, e);
}

/* ---- instructions ---- */

static int look_pairs(struct look *l, struct err *e)
{
	AUTO(strv_fini) struct strv set = { 0 };
	const struct df_instruction *in = l->in;
	for (size_t i = 0; i < in->kvs.n; i++) {
		char *text = NULL;
		if (expand(l, in->kvs.v[i].key, &text, e) < 0)
			return df_err_at(e, in, &in->kvs.v[i].at);
		strv_push_taken(&set, text);
		if (expand(l, in->kvs.v[i].value, &text, e) < 0)
			return df_err_at(e, in, &in->kvs.v[i].at);
		strv_push_taken(&set, text);
	}
	/* Every name saw what was before this instruction (EXP-06). */
	for (size_t i = 0; in->op == DF_ENV && i < set.n; i += 2)
		env_set(&l->s->env, set.v[i], set.v[i + 1]);
	return 0;
}

/* The ARG that says most about `name`: without a default here, that is the global one. */
static const struct df_instruction *declaration(const struct look *l, const struct df_kv *kv)
{
	const struct df_file *f = &l->w->b->file;
	for (size_t i = f->n_global; !kv->value && i-- > 0;)
		for (size_t k = 0; k < f->instructions.v[i].kvs.n; k++)
			if (strcmp(f->instructions.v[i].kvs.v[k].key, kv->key) == 0)
				return &f->instructions.v[i];
	return l->in;
}

/* As step_meta.c gives ARG its value (ARG-03). */
static int look_arg(struct look *l, struct err *e)
{
	const struct build *b = l->w->b;
	for (size_t i = 0; i < l->in->kvs.n; i++) {
		const struct df_kv *kv = &l->in->kvs.v[i];
		const char *value = env_get(&b->build_args, kv->key);
		AUTO(free_drop) char *text = NULL;
		if (!value && kv->value && expand(l, kv->value, &text, e) < 0)
			return df_err_at(e, l->in, &kv->at);
		if (!value)
			value = kv->value ? text : env_get(&l->w->graph->global_args, kv->key);
		if (value)
			env_set(&l->s->env, kv->key, value);
		if (l->w->outline)
			outline_arg(l->w->outline, declaration(l, kv), kv->key, value);
		strv_push(&l->s->declared, kv->key);
	}
	return 0;
}

static int look_ignored(struct look *l, const char *word, const struct df_pos *at, struct err *e)
{
	struct build *b = l->w->b;
	const struct df_instruction *in = l->in;
	if (df_flag_get(in, "from") || remote_is_url(word) || git_is_source(word))
		return 0;
	if (b->context.kind != CONTEXT_DIR)
		return 0; /* nothing is ignored */
	if (context_open(b, &b->context, b->file_path, e) < 0)
		return -1;
	/* With "!" lines an ignored directory may still have something in it. */
	if (!b->context.ignore || df_ignore_has_exceptions(b->context.ignore))
		return 0;
	AUTO(free_drop) char *path = path_rooted(word);
	if (path[1] ? df_ignored(b->context.ignore, path + 1, NULL) : df_ignore_is_total(b->context.ignore))
		df_warn(&b->file, l->w->check, in, at, DF_RULE_COPY_IGNORED_FILE,
			"%s of \"%s\", which the ignore file excludes from the context", df_op_name(in->op),
			path[1] ? path + 1 : "/");
	return 0;
}

/* The word that source i of n came from; NULL when heredocs stand among them. */
static const struct df_pos *word_at(const struct df_instruction *in, size_t n, size_t i)
{
	return in->args_at.n == n + 1 ? &in->args_at.v[i] : NULL;
}

static int look_copy(struct look *l, struct err *e)
{
	struct copy_spec spec = { 0 };
	AUTO(free_drop) char *dest = NULL;
	int r = copy_spec_read(l->in, &l->scope, "/", &spec, &dest, e);
	if (r < 0 && l->unknown)
		r = 0;
	for (size_t i = 0; r == 0 && i < spec.sources.n; i++)
		r = look_ignored(l, spec.sources.v[i], word_at(l->in, spec.sources.n, i), e);
	copy_spec_fini(&spec);
	return r == 0 && l->w->reads ? context_reads_copy(l->w->reads, l->w->stage, l->in, &l->scope, e) : r;
}

static int look_run(struct look *l, struct err *e)
{
	for (size_t i = 0; i < l->in->flags.n; i++) {
		const struct df_flag *f = &l->in->flags.v[i];
		struct df_mount m = { 0 };
		if (strcmp(f->name, "mount") != 0 || !f->value)
			continue;
		l->unknown = false;
		if (df_mount_parse(f->value, &l->scope, &m, e) < 0) {
			if (l->unknown)
				continue;
			return df_err_at(e, l->in, &f->at);
		}
		if (l->w->outline)
			outline_mount(l->w->outline, l->in, f->at, &m);
		int r = l->w->reads ? context_reads_mount(l->w->reads, l->w->stage, l->in, &m, e) : 0;
		df_mount_fini(&m);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* The first WORKDIR of the file: what it is relative to, the base image decides. */
static int look_workdir(struct look *l, struct err *e)
{
	AUTO(free_drop) char *text = NULL;
	if (expand(l, l->in->args.v[0], &text, e) < 0)
		return df_err_at_arg(e, l->in, 0);
	if (!l->s->workdir_set && text[0] != '/')
		df_warn(&l->w->b->file, l->w->check, l->in, &l->in->args_at.v[0],
			DF_RULE_WORKDIR_RELATIVE_PATH,
			"WORKDIR \"%s\" is relative: where it leads changes with the base image", text);
	l->s->workdir_set = true;
	return 0;
}

static int look_ports(struct look *l, size_t i, struct err *e)
{
	AUTO(strv_fini) struct strv words = { 0 }, ports = { 0 };
	enum df_rule warning;
	if (df_expand_words(&l->scope, l->in->args.v[i], &words, e) < 0)
		return -1;
	for (size_t k = 0; k < words.n && !l->unknown; k++)
		if (df_expose(words.v[k], &ports, &warning, e) < 0)
			return -1;
	return 0;
}

static int look_value(struct look *l, size_t i, struct err *e)
{
	AUTO(free_drop) char *text = NULL;
	if (expand(l, l->in->args.v[i], &text, e) < 0)
		return -1;
	return l->unknown ? 0 : meta_check(l->in, text, e);
}

static int look_values(struct look *l, struct err *e)
{
	for (size_t i = 0; i < l->in->args.n; i++) {
		l->unknown = false;
		if ((l->in->op == DF_EXPOSE ? look_ports(l, i, e) : look_value(l, i, e)) < 0)
			return df_err_at_arg(e, l->in, i);
	}
	return 0;
}

static int look_at(struct look *l, struct err *e)
{
	switch (l->in->op) {
	case DF_ENV:
	case DF_LABEL:
		return look_pairs(l, e);
	case DF_ARG:
		return look_arg(l, e);
	case DF_ADD:
	case DF_COPY:
		return look_copy(l, e);
	case DF_RUN:
		return look_run(l, e);
	case DF_WORKDIR:
		return look_workdir(l, e);
	case DF_EXPOSE:
	case DF_USER:
	case DF_VOLUME:
	case DF_STOPSIGNAL:
		return look_values(l, e);
	case DF_CMD:
	case DF_ENTRYPOINT:
		if (l->s->shell_set)
			df_unwarn(&l->w->b->file, l->in, DF_RULE_JSON_ARGS_RECOMMENDED);
		return 0;
	case DF_FROM:
	case DF_HEALTHCHECK:
	case DF_MAINTAINER:
	case DF_ONBUILD:
	case DF_SHELL:
		break;
	}
	return 0;
}

static void report_undefined(const struct look *l, const struct strv *declared, const struct strv *env)
{
	for (size_t i = 0; l->s->env_known && i < l->undefined.n; i++) {
		const char *name = l->undefined.v[i];
		if (!*name || arg_is_control(name) || strv_has(declared, name))
			continue;
		struct df_pos at = df_find_variable(&l->w->b->file, l->in->line, l->in->line_end, name);
		AUTO(free_drop) char *near = check_suggest(l->w->b, name, env, "$");
		df_warn(&l->w->b->file, l->w->check, l->in, &at, DF_RULE_UNDEFINED_VAR,
			"the variable '$%s' is used but not defined%s", name, near);
	}
}

static int look_instruction(struct walk *w, struct scene *s, const struct df_instruction *in, struct err *e)
{
	struct look l = { .w = w, .s = s, .in = in };
	l.scope = (struct df_scope){ .env = &s->env, .escape = w->b->file.escape, .undefined = &l.undefined };
	l.scope.unknown = s->env_known ? NULL : &l.unknown;
	int r = look_at(&l, e);
	if (r == 0) {
		report_undefined(&l, &s->declared, &s->env);
	} else {
		df_err_at(e, in, NULL);
		r = df_errors_take(&w->b->file.errors, e);
		s->env_known &= in->op != DF_ENV && in->op != DF_ARG; /* what it was to set is not known */
	}
	strv_fini(&l.undefined);
	return r;
}

/* ---- stages ---- */

static int look_triggers(struct walk *w, struct scene *s, const struct df_instruction *from, struct err *e)
{
	for (size_t i = 0; i < s->triggers.n; i++) {
		struct df_instruction *in = arena_alloc(&w->b->arena, sizeof *in);
		if (df_parse_trigger(s->triggers.v[i], &w->b->arena, in, e) < 0) {
			err_in(e, "ONBUILD trigger \"%.60s\" of the base image", s->triggers.v[i]);
			df_err_at(e, from, NULL);
			df_errors_add(&w->b->file.errors, e);
			continue;
		}
		in->line = from->line;
		in->line_end = from->line_end;
		if (look_instruction(w, s, in, e) < 0)
			return -1;
	}
	return 0;
}

static int look_stage(struct walk *w, struct stage *st, struct err *e)
{
	const struct df_file *f = &w->b->file;
	const struct df_instruction *from = &f->instructions.v[st->df->from];
	struct scene *s = &w->scenes.v[st->df->index];
	w->stage = st;
	if (check_base(w, st, s, e) < 0) {
		s->env_known = false;
		df_err_at(e, from, NULL);
		if (df_errors_take(&w->b->file.errors, e) < 0)
			return -1;
	}
	w->b->checks_complete &= s->env_known;
	if (look_triggers(w, s, from, e) < 0)
		return -1;
	for (size_t i = st->df->first; i < stage_end(st); i++)
		if (look_instruction(w, s, &f->instructions.v[i], e) < 0)
			return -1;
	return 0;
}

static int walk_graph(struct walk *w, struct err *e)
{
	const struct graph *g = w->graph;
	int r = 0;
	for (size_t i = 0; i < g->stages.n; i++)
		vec_add(&w->scenes);
	check_froms(w);
	/* A stage is FROM earlier ones only. */
	for (size_t i = 0; r == 0 && i < g->stages.n; i++)
		if (g->stages.v[i]->needed)
			r = look_stage(w, g->stages.v[i], e);
	for (size_t i = 0; i < w->scenes.n; i++) {
		strv_fini(&w->scenes.v[i].env);
		strv_fini(&w->scenes.v[i].declared);
		strv_fini(&w->scenes.v[i].triggers);
	}
	vec_fini(&w->scenes);
	return r;
}

int check_walk(struct build *b, const struct df_check *c, bool fetch, struct outline *outline,
	       struct context_reads *reads, struct err *e)
{
	struct walk w = { .b = b, .check = c, .fetch = fetch, .outline = outline, .reads = reads };
	int r = 0;
	b->checks_complete = true;
	for (size_t i = 0; r == 0 && i < b->graphs.n; i++) {
		w.graph = b->graphs.v[i];
		r = walk_graph(&w, e);
	}
	df_warnings_sort(&b->file);
	if (b->graphs.n > 1)
		df_warnings_unique(&b->file);
	return r == 0 ? df_errors_verdict(&b->file.errors, b->file_name, e) : -1;
}

/* ---- which checks, and what they mean for the build ---- */

static bool is_needed(const struct build *b, size_t index)
{
	bool needed = false;
	for (size_t i = 0; i < b->graphs.n; i++)
		needed |= b->graphs.v[i]->stages.v[index]->needed;
	return needed;
}

/* These rules look at what an instruction does, so that one which is not reached breaks none of them. */
void check_forget_unneeded(struct build *b)
{
	static const enum df_rule rules[] = {
		DF_RULE_JSON_ARGS_RECOMMENDED, DF_RULE_MULTIPLE_INSTRUCTIONS_DISALLOWED,
		DF_RULE_LEGACY_KEY_VALUE_FORMAT, DF_RULE_SECRETS_USED_IN_ARG_OR_ENV, DF_RULE_EXPOSE_PROTO_CASING,
		DF_RULE_EXPOSE_INVALID_FORMAT,
	};
	for (size_t s = 0; s < b->file.stages.n && b->file.warnings.n; s++) {
		const struct df_stage *st = &b->file.stages.v[s];
		for (size_t i = st->first; i < st->end && !is_needed(b, s); i++)
			for (size_t r = 0; r < ARRAY_LEN(rules); r++)
				df_unwarn(&b->file, &b->file.instructions.v[i], rules[r]);
	}
}

int check_begin(struct build *b, struct df_check *ret, struct err *e)
{
	const char *text = env_get(&b->build_args, "BUILDKIT_DOCKERFILE_CHECK");
	if (df_check_parse(text ? text : b->file.check, ret, e) < 0) {
		if (text)
			return err_in(e, "--build-arg BUILDKIT_DOCKERFILE_CHECK");
		e->line = e->line_end = e->at_line = b->file.check_at.line;
		e->col = b->file.check_at.col;
		return -1;
	}
	if (text)
		df_lint(&b->file, ret);
	return 0;
}

int check_verdict(const struct build *b, const struct df_check *c, struct err *e)
{
	if (!c->as_error || !b->file.warnings.n)
		return 0;
	AUTO(strv_fini) struct strv rules = { 0 };
	for (size_t i = 0; i < b->file.warnings.n; i++)
		if (!strv_has(&rules, df_rule_name(b->file.warnings.v[i].rule)))
			strv_push(&rules, df_rule_name(b->file.warnings.v[i].rule));
	AUTO(free_drop) char *names = strv_join(&rules, ", ");
	const struct df_warning *w = &b->file.warnings.v[0];
	return err_at(e, ERR_PARSE, w->line, w->line_end, "lint violation found for rules: %s (check=error=true)",
		      names);
}
