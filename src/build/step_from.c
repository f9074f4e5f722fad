/* FROM: where a stage starts (SEMANTICS section 7). */
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "graph_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

int stage_platform(const struct graph *g, const struct df_instruction *in, struct platform *ret, bool *ret_given,
		   struct err *e)
{
	const char *flag = df_flag_get(in, "platform");
	*ret = g->target;
	*ret_given = g->build->target_given;
	if (!flag || !*flag)
		return 0;
	struct df_scope scope = { .env = &g->global_args, .escape = g->build->file.escape };
	AUTO(free_drop) char *text = NULL;
	if (df_expand(&scope, flag, &text, e) < 0)
		return df_err_at_flag(e, in, "platform");
	if (!*text) {
		err_set(e, ERR_BUILD,
			"FROM --platform=%s is empty: a variable in it is empty or not declared before the first FROM",
			flag);
		return df_err_at_flag(e, in, "platform");
	}
	*ret_given = true;
	if (platform_parse(text, ret, e) < 0) {
		e->kind = ERR_BUILD;
		err_in(e, "FROM --platform");
		return df_err_at_flag(e, in, "platform");
	}
	return 0;
}

/* Triggers of the base fire directly after FROM and are gone then (CFG-11). */
static int take_triggers(struct build *b, struct stage *st, const struct df_instruction *from, struct err *e)
{
	struct strv *list = &st->config.onbuild;
	if (!list->n)
		return 0;
	st->triggers = arena_alloc(&b->arena, list->n * sizeof *st->triggers);
	for (size_t i = 0; i < list->n; i++) {
		if (df_parse_trigger(list->v[i], &b->arena, &st->triggers[i], e) < 0)
			return err_in(e, "ONBUILD trigger \"%.60s\" of the base image", list->v[i]);
		st->triggers[i].line = from->line;
		st->triggers[i].line_end = from->line_end;
		if (graph_add_trigger(st, &st->triggers[i], e) < 0)
			return -1;
	}
	st->n_triggers = list->n;
	st->n_steps += (unsigned)list->n;
	strv_fini(list);
	return 0;
}

static void start_env(struct stage *st)
{
	if (!env_get(&st->config.env, "PATH"))
		env_set(&st->config.env, "PATH", default_path);
	strv_clear(&st->env);
	for (size_t i = 0; i < st->config.env.n; i++) {
		const char *pair = st->config.env.v[i], *equals = strchr(pair, '=');
		AUTO(free_drop) char *name = x_strndup(pair, strcspn(pair, "="));
		scope_set(&st->env, name, equals ? equals + 1 : "");
	}
}

static int from_stage(struct stage *st, struct stage *base)
{
	if (!base->finished)
		return 1;
	const struct step *last = base->steps.v[base->steps.n - 1];
	config_copy(&st->config, &last->config);
	for (size_t i = 0; i < base->slots.n; i++)
		vec_push(&st->slots, slot_ref(base->slots.v[i]));
	for (size_t i = 0; i < base->base_history.n; i++)
		history_copy(vec_add(&st->base_history), &base->base_history.v[i]);
	for (size_t i = 0; i < base->steps.n; i++)
		if (base->steps.v[i]->has_history)
			history_copy(vec_add(&st->base_history), &base->steps.v[i]->history);
	strv_copy(&st->env, &base->env);
	strv_copy(&st->args, &base->args);
	st->platform = base->platform;
	st->from_scratch = base->from_scratch;
	st->chain_missed = base->chain_missed;
	st->chain_forced = base->chain_forced;
	st->meta_key = base->meta_key;
	st->last_created = base->last_created ? x_strdup(base->last_created) : NULL;
	return 0;
}

static void from_scratch(struct stage *st, const struct platform *p)
{
	st->platform = *p;
	st->config.platform = *p;
	st->from_scratch = true;
	free(st->config.working_dir);
	st->config.working_dir = x_strdup("/");
	st->meta_key = digest_of("scratch", 7);
	start_env(st);
}

static void from_image(struct stage *st, struct base_image *image)
{
	config_copy(&st->config, &image->image.config);
	vec_fini(&st->config.diff_ids);
	for (size_t i = 0; i < st->config.history.n; i++)
		vec_push(&st->base_history, st->config.history.v[i]); /* handed over */
	vec_fini(&st->config.history);
	free(st->config.created);
	st->config.created = NULL;
	for (size_t i = 0; i < image->slots.n; i++)
		vec_push(&st->slots, slot_ref(image->slots.v[i]));
	st->platform = st->config.platform;
	st->meta_key = image->manifest;
	start_env(st);
}

/* No record is kept under it: it tells later builds which base this one had. */
static void note_base(struct step *step, const char *image)
{
	key_begin(&step->key, "from");
	key_str(&step->key, "image", image);
	key_digest(&step->key, "digest", &step->stage->meta_key);
	key_end(&step->key);
}

int step_from(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	struct platform want;
	bool given;
	AUTO(free_drop) char *image = NULL;
	progress_step_start(b->progress, step);
	if (stage_platform(st->graph, step->in, &want, &given, e) < 0)
		return -1;
	if (st->base_stage) {
		int r = from_stage(st, st->base_stage);
		if (r)
			return r;
	} else {
		if (stage_expand_base(st, &image, e) < 0)
			return -1;
		struct named_context *named = named_context_for(b, image, &want);
		const char *reference = named ? named->reference : image;
		if (named && named->is_dir) {
			/* A directory as the root file system: scratch, and a copy of all of it before anything else. */
			from_scratch(st, &want);
			strv_pushf(&st->config.onbuild, "COPY --from=%s . /", named->name);
		} else if (strcmp(reference, "scratch") == 0) {
			from_scratch(st, &want);
		} else {
			struct base_image *base;
			int r = base_image_need(b, step, reference, given ? &want : NULL, &base, e);
			if (r)
				return r;
			from_image(st, base);
		}
	}
	if (!st->base_stage)
		note_base(step, image);
	st->n_base_layers = st->slots.n;
	if (slots_settle(b, st->slots.v, st->slots.n, e) < 0)
		return -1;
	return take_triggers(b, st, step->in, e);
}
