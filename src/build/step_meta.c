/* Instructions that only change the image config, and ARG (SEMANTICS sections 8, 9, 14, 17). */
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "share_priv.h"
#include "step_claim_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"
#include "dockerfile/values.h"
#include "oci/time.h"

static void set_string(char **field, const char *value)
{
	char *copy = x_strdup(value);
	free(*field);
	*field = copy;
}

static void set_list(struct strv *list, const struct strv *args)
{
	strv_clear(list);
	strv_copy(list, args);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the values that are not in the list, which is sorted by it: a range may be every port there is. */
static void merge_unique(struct strv *list, const struct strv *values)
{
	size_t kept = 0;
	strv_copy(list, values);
	if (list->n)
		qsort(list->v, list->n, sizeof *list->v, by_text);
	for (size_t i = 0; i < list->n; i++) {
		if (kept && strcmp(list->v[kept - 1], list->v[i]) == 0)
			free(list->v[i]);
		else
			list->v[kept++] = list->v[i];
	}
	list->n = kept;
}

static void add_unique(struct strv *list, const char *value)
{
	if (!strv_has(list, value))
		strv_push(list, value);
}

void stage_command(const struct stage *st, const struct df_instruction *in, const char *text, struct strv *ret)
{
	if (in->json) {
		strv_copy(ret, &in->args);
		return;
	}
	if (st->config.shell.n) {
		strv_copy(ret, &st->config.shell);
	} else {
		strv_push(ret, "/bin/sh");
		strv_push(ret, "-c");
	}
	strv_push(ret, text ? text : in->args.n ? in->args.v[0] : "");
}

/* ENV and LABEL: every name and value sees what was before this instruction (EXP-06). */
static int expand_pairs(struct stage *st, const struct df_instruction *in, struct strv *ret, struct str *history,
			struct err *e)
{
	for (size_t i = 0; i < in->kvs.n; i++) {
		AUTO(free_drop) char *key = NULL;
		AUTO(free_drop) char *value = NULL;
		if (scope_expand(st, in, in->kvs.v[i].key, &key, e) < 0 ||
		    scope_expand(st, in, in->kvs.v[i].value, &value, e) < 0)
			return -1;
		str_addf(history, " %s=%s", key, value);
		strv_push(ret, key);
		strv_push(ret, value);
	}
	return 0;
}

static int do_pairs(struct stage *st, const struct df_instruction *in, struct str *history, struct err *e)
{
	AUTO(strv_fini) struct strv pairs = { 0 };
	if (expand_pairs(st, in, &pairs, history, e) < 0)
		return -1;
	for (size_t i = 0; i < pairs.n; i += 2) {
		if (in->op == DF_LABEL) {
			env_set(&st->config.labels, pairs.v[i], pairs.v[i + 1]);
			continue;
		}
		env_set(&st->config.env, pairs.v[i], pairs.v[i + 1]);
		scope_set(&st->env, pairs.v[i], pairs.v[i + 1]);
	}
	return 0;
}

/* ARG: --build-arg, else its default, else the global or automatic value; unset stays unset (ARG-03, ARG-07). */
static int do_arg(struct stage *st, const struct df_instruction *in, struct str *history, struct err *e)
{
	struct build *b = st->build;
	for (size_t i = 0; i < in->kvs.n; i++) {
		const struct df_kv *kv = &in->kvs.v[i];
		const char *given = env_get(&b->build_args, kv->key);
		AUTO(free_drop) char *value = given ? x_strdup(given) : NULL;
		if (!value && kv->value && scope_expand(st, in, kv->value, &value, e) < 0)
			return -1;
		if (!value && !kv->value) {
			const char *global = env_get(&st->graph->global_args, kv->key);
			value = global ? x_strdup(global) : NULL;
		}
		str_addf(history, value ? " %s=%s" : " %s", kv->key, value);
		if (value && !arg_is_control(kv->key))
			scope_set(&st->env, kv->key, value);
		env_set(&st->args, kv->key, value ? value : "");
	}
	return 0;
}

static int do_expose(struct stage *st, const struct df_instruction *in, struct str *history, struct err *e)
{
	AUTO(strv_fini) struct strv words = { 0 };
	AUTO(strv_fini) struct strv ports = { 0 };
	struct df_scope scope = { .env = &st->env, .escape = st->build->file.escape };
	enum df_rule warn;
	for (size_t i = 0; i < in->args.n; i++)
		if (df_expand_words(&scope, in->args.v[i], &words, e) < 0)
			return -1;
	for (size_t i = 0; i < words.n; i++)
		if (df_expose(words.v[i], &ports, &warn, e) < 0)
			return -1;
	merge_unique(&st->config.exposed_ports, &ports);
	str_addc(history, ' ');
	go_list(history, &ports, false);
	return 0;
}

int meta_check(const struct df_instruction *in, const char *value, struct err *e)
{
	if (in->op == DF_VOLUME && !*value)
		return err_set(e, ERR_BUILD, "VOLUME: a path is empty");
	if (in->op == DF_STOPSIGNAL && !df_signal_is_valid(value))
		return err_set(e, ERR_BUILD, "invalid signal: %.60s; it is a name such as SIGTERM or a number", value);
	return 0;
}

static int do_volume(struct stage *st, const struct df_instruction *in, struct str *history, struct err *e)
{
	AUTO(strv_fini) struct strv volumes = { 0 };
	for (size_t i = 0; i < in->args.n; i++) {
		char *value = NULL;
		if (scope_expand(st, in, in->args.v[i], &value, e) < 0)
			return -1;
		strv_push_taken(&volumes, value);
		if (meta_check(in, value, e) < 0)
			return df_err_at_arg(e, in, i);
		add_unique(&st->config.volumes, value);
	}
	str_addc(history, ' ');
	go_list(history, &volumes, false);
	return 0;
}

/* USER, STOPSIGNAL, MAINTAINER: one text, stored as it comes out. */
static int do_text(struct stage *st, const struct df_instruction *in, struct str *history, struct err *e)
{
	AUTO(free_drop) char *value = NULL;
	if (in->op == DF_MAINTAINER)
		value = x_strdup(in->args.v[0]);
	else if (scope_expand(st, in, in->args.v[0], &value, e) < 0)
		return -1;
	if (meta_check(in, value, e) < 0)
		return df_err_at_arg(e, in, 0);
	set_string(in->op == DF_USER         ? &st->config.user
		   : in->op == DF_STOPSIGNAL ? &st->config.stop_signal
					     : &st->config.author,
		   value);
	str_addf(history, " %s", value);
	return 0;
}

static void do_command(struct stage *st, const struct df_instruction *in, struct str *history)
{
	AUTO(strv_fini) struct strv args = { 0 };
	stage_command(st, in, NULL, &args);
	if (in->op == DF_CMD) {
		set_list(&st->config.cmd, &args);
		st->config.has_cmd = true;
		st->config.args_escaped = true;
		st->cmd_set = true;
	} else {
		set_list(&st->config.entrypoint, &args);
		st->config.has_entrypoint = true;
		if (!st->cmd_set) { /* a CMD made for another ENTRYPOINT (CFG-08) */
			strv_clear(&st->config.cmd);
			st->config.has_cmd = false;
		}
	}
	str_addc(history, ' ');
	go_list(history, &args, true);
}

static int duration_flag(const struct df_instruction *in, const char *name, int64_t *ret, struct err *e)
{
	const char *text = df_flag_get(in, name);
	*ret = 0;
	return text && *text ? df_duration(text, ret, e) : 0;
}

static int do_healthcheck(struct stage *st, const struct df_instruction *in, struct str *history, struct err *e)
{
	struct healthcheck *h = &st->config.health;
	const char *retries = df_flag_get(in, "retries");
	uint64_t n = 0;
	strv_fini(&h->test);
	*h = (struct healthcheck){ .set = true };
	if (in->health_none) {
		strv_push(&h->test, "NONE");
	} else {
		strv_push(&h->test, in->json ? "CMD" : "CMD-SHELL");
		strv_copy(&h->test, &in->args);
		if (duration_flag(in, "interval", &h->interval, e) < 0 ||
		    duration_flag(in, "timeout", &h->timeout, e) < 0 ||
		    duration_flag(in, "start-period", &h->start_period, e) < 0 ||
		    duration_flag(in, "start-interval", &h->start_interval, e) < 0)
			return -1;
		if (retries && str_to_u64(retries + (*retries == '+'), INT32_MAX, &n))
			h->retries = (int64_t)n;
	}
	str_add(history, " {Test:");
	go_list(history, &h->test, false);
	const struct { const char *name; int64_t value; } times[] = {
		{ "Interval", h->interval }, { "Timeout", h->timeout },
		{ "StartPeriod", h->start_period }, { "StartInterval", h->start_interval },
	};
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		str_addf(history, " %s:", times[i].name);
		go_duration(history, times[i].value);
	}
	str_addf(history, " Retries:%lld}", (long long)h->retries);
	return 0;
}

static int apply(struct stage *st, const struct df_instruction *in, struct str *history, struct err *e)
{
	switch (in->op) {
	case DF_ENV:
	case DF_LABEL:
		return do_pairs(st, in, history, e);
	case DF_ARG:
		return do_arg(st, in, history, e);
	case DF_EXPOSE:
		return do_expose(st, in, history, e);
	case DF_VOLUME:
		return do_volume(st, in, history, e);
	case DF_USER:
	case DF_STOPSIGNAL:
	case DF_MAINTAINER:
		return do_text(st, in, history, e);
	case DF_CMD:
	case DF_ENTRYPOINT:
		do_command(st, in, history);
		return 0;
	case DF_SHELL:
		set_list(&st->config.shell, &in->args);
		str_addc(history, ' ');
		go_list(history, &in->args, false);
		return 0;
	case DF_HEALTHCHECK:
		return do_healthcheck(st, in, history, e);
	case DF_ONBUILD:
		strv_push(&st->config.onbuild, in->args.v[0]);
		return 0;
	case DF_FROM:
	case DF_RUN:
	case DF_COPY:
	case DF_ADD:
	case DF_WORKDIR:
		break;
	}
	return err_set(e, ERR_BUILD, "%s is no configuration instruction", df_op_name(in->op));
}

/*
 * Such a step costs nothing; all there is to remember is when it was done, so that a cached rebuild gives the same
 * image. After a step with a layer that is the layer's time; before any, it has a record of its own.
 */
static int stamp(struct build *b, struct stage *st, struct step *step, const char *text, struct err *e)
{
	struct step_record rec = { 0 };
	progress_step_start(b->progress, step);
	if (st->last_created) {
		set_string(&step->history.created, st->last_created);
		step->cached = !st->chain_missed && !rerun_option(b, step);
		return 0;
	}
	key_begin(&step->key, "config");
	key_digest(&step->key, "after", &st->meta_key);
	key_str(&step->key, "text", text);
	key_end(&step->key);
	step->has_key = true;
	int r = rerun_option(b, step) ? 1 : step_record_agree(b, step, &rec, e);
	if (r < 0)
		return -1;
	if (r == 0)
		step_use_record(st, step, &rec);
	step_record_fini(&rec);
	step_created(b, step);
	st->meta_key = step->key.digest;
	return 0;
}

int step_meta(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	struct str history = { 0 };
	if (!share_is_ready(b))
		return 1;
	str_add(&history, df_op_name(step->in->op));
	if (apply(st, step->in, &history, e) < 0) {
		str_fini(&history);
		return -1;
	}
	AUTO(free_drop) char *text = str_take(&history);
	if (stamp(b, st, step, text, e) < 0)
		return -1;
	if (step->in->op != DF_ONBUILD)
		step_history(st, step, ptr_take(&text), true);
	return 0;
}
