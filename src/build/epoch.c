/* SOURCE_DATE_EPOCH: a number, or the name of something that has a time (SDE-01). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "copy_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"
#include "oci/time.h"

static const char variable[] = "SOURCE_DATE_EPOCH";

struct epoch { bool known; int64_t time; };

/* A directory of the user's has no time that others would see too. */
static int of_context(struct build *b, struct context *c, struct epoch *ret, struct err *e)
{
	if (c->kind == CONTEXT_DIR || c->kind == CONTEXT_IMAGE)
		return 0;
	if (context_open(b, c, NULL, e) < 0)
		return -1;
	*ret = (struct epoch){ .known = c->has_time, .time = c->time };
	return 0;
}

/* ---- a stage that is nothing but one remote ADD ---- */

static int wrong_stage(const struct df_instruction *in, const char *why, struct err *e)
{
	return err_at(e, ERR_BUILD, in->line, in->line_end, "the stage that %s names must %s", variable, why);
}

static int set_args(struct build *b, const struct df_instruction *in, struct strv *env, struct err *e)
{
	for (size_t i = 0; i < in->kvs.n; i++) {
		const struct df_kv *kv = &in->kvs.v[i];
		const char *given = env_get(&b->build_args, kv->key);
		struct df_scope scope = { .env = env, .escape = b->file.escape };
		AUTO(free_drop) char *value = given ? x_strdup(given) : NULL;
		if (!value && kv->value && df_expand(&scope, kv->value, &value, e) < 0)
			return -1;
		if (value)
			env_set(env, kv->key, value);
	}
	return 0;
}

static int of_add(struct build *b, const struct df_instruction *in, const struct strv *env, struct epoch *ret,
		  struct err *e)
{
	struct df_scope scope = { .env = env, .escape = b->file.escape };
	struct context c = { .fd = -1, .time_only = true };
	AUTO(free_drop) char *source = NULL;
	if (in->args.n != 2 || in->heredocs.n)
		return wrong_stage(in, "add exactly one remote source", e);
	if (df_expand(&scope, in->args.v[0], &source, e) < 0)
		return -1;
	if (!git_is_source(source) && !remote_is_url(source))
		return wrong_stage(in, "add an HTTP(S) or git source", e);
	c.kind = git_is_source(source) ? CONTEXT_GIT : CONTEXT_HTTP;
	c.name = x_strdup(variable);
	c.path = ptr_take(&source);
	int r = of_context(b, &c, ret, e);
	context_fini(&c);
	return r;
}

static int of_stage(struct build *b, const struct df_stage *st, struct epoch *ret, struct err *e)
{
	const struct df_instruction *from = &b->file.instructions.v[st->from], *add = NULL;
	AUTO(strv_fini) struct strv env = { 0 };
	AUTO(free_drop) char *base = NULL;
	const struct strv *global = &b->graphs.v[0]->global_args;
	for (size_t i = 0; i < global->n; i++)
		if (!str_starts(global->v[i], "SOURCE_DATE_EPOCH="))
			strv_push(&env, global->v[i]);
	struct df_scope scope = { .env = &env, .escape = b->file.escape };
	if (df_expand(&scope, from->image, &base, e) < 0)
		return -1;
	if (strcmp(base, "scratch") != 0)
		return wrong_stage(from, "be FROM scratch", e);
	for (size_t i = st->first; i < st->end; i++) {
		const struct df_instruction *in = &b->file.instructions.v[i];
		if (in->op == DF_ARG && set_args(b, in, &env, e) < 0)
			return -1;
		if ((in->op != DF_ARG && in->op != DF_ADD) || (in->op == DF_ADD && add))
			return wrong_stage(in, "hold nothing but ARG and one remote ADD", e);
		if (in->op == DF_ADD) {
			add = in;
			if (of_add(b, in, &env, ret, e) < 0)
				return -1;
		}
	}
	return add ? 0 : wrong_stage(from, "hold one remote ADD", e);
}

/* ---- --reproducible ---- */

static int head_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	int64_t seconds = 0;
	(void)r;
	if (git_head_time(ctx, &seconds, e) < 0)
		return -1;
	str_addf(result, "%" PRId64, seconds);
	return 0;
}

/* Of the context's commit; of one that has none, the beginning of 1970. */
static int of_commit(struct build *b, struct epoch *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	struct worker w;
	uint64_t seconds = 0;
	if (of_context(b, &b->context, ret, e) < 0)
		return -1;
	if (b->context.kind == CONTEXT_DIR) {
		if (worker_start(&w, "nacre-git", head_work, b->context.path, e) < 0 ||
		    worker_wait(&w, NULL, NULL, &text, e) < 0)
			return -1;
		if (str_to_u64(str_text(&text), INT64_MAX, &seconds))
			ret->time = (int64_t)seconds;
	}
	ret->known = true;
	AUTO(free_drop) char *value = x_asprintf("%" PRId64, ret->time);
	env_set(&b->build_args, variable, value);
	return 0;
}

/* ---- which of them ---- */

static int of_name(struct build *b, const char *text, struct epoch *ret, struct err *e)
{
	if (strcmp(text, "context") == 0)
		return of_context(b, &b->context, ret, e);
	struct named_context *named = named_context_find(b->graphs.v[0], text);
	if (named)
		return of_context(b, &named->dir, ret, e);
	for (size_t i = 0; i < b->file.stages.n; i++)
		if (b->file.stages.v[i].name && str_case_eq(b->file.stages.v[i].name, text))
			return of_stage(b, &b->file.stages.v[i], ret, e);
	return err_set(e, ERR_USAGE,
		       "%s \"%s\" is neither a number of seconds nor \"context\", a named context or a stage", variable,
		       text);
}

int epoch_read(struct build *b, struct err *e)
{
	const char *arg = env_get(&b->build_args, variable);
	const char *text = arg ? arg : env_get(&b->graphs.v[0]->global_args, variable);
	struct epoch epoch = { 0 };
	uint64_t seconds;
	if (text && str_to_u64(text, INT64_MAX, &seconds)) {
		epoch = (struct epoch){ .known = true, .time = (int64_t)seconds };
	} else if (text && *text) {
		if (of_name(b, text, &epoch, e) < 0)
			return -1;
		/* Instructions see the time, not the name. */
		AUTO(free_drop) char *value = epoch.known ? x_asprintf("%" PRId64, epoch.time) : x_strdup("");
		if (arg)
			env_set(&b->build_args, variable, value);
		for (size_t i = 0; i < b->graphs.n; i++)
			if (env_get(&b->graphs.v[i]->global_args, variable))
				env_set(&b->graphs.v[i]->global_args, variable, value);
	}
	if (b->options->reproducible && !epoch.known && of_commit(b, &epoch, e) < 0)
		return -1;
	b->has_epoch = epoch.known;
	if (epoch.known)
		b->epoch = b->made_time = epoch.time;
	b->created = time_rfc3339(b->has_epoch ? b->epoch : b->start_time);
	return 0;
}
