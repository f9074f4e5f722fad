/* One stage, instruction by instruction. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "build_priv.h"
#include "changes_priv.h"
#include "graph_priv.h"
#include "share_priv.h"
#include "oci/time.h"

size_t stage_end(const struct stage *st)
{
	return st->replaced ? st->df->first : st->df->end;
}

bool stage_is_void(const struct stage *st)
{
	return st->from_scratch && !st->slots.n;
}

static const struct df_instruction *next_instruction(const struct stage *st)
{
	size_t i = st->pc;
	if (i < st->n_triggers)
		return &st->triggers[i];
	i -= st->n_triggers;
	if (st->df->first + i < stage_end(st))
		return &st->build->file.instructions.v[st->df->first + i];
	return NULL;
}

/* What its FROM asks for, or that of the stage it is FROM; whether that is a platform was seen when the graph was made. */
static struct platform platform_asked(const struct stage *st)
{
	struct platform p = st->graph->target;
	struct err ignored;
	bool given;
	while (st->base_stage)
		st = st->base_stage;
	(void)stage_platform(st->graph, &st->build->file.instructions.v[st->df->from], &p, &given, &ignored);
	return p;
}

/* "linux/amd64 ", or "linux/amd64->arm64 " where an instruction that runs on one knows that it is for the other. */
static void add_platform(const struct stage *st, struct str *out)
{
	const struct platform on = platform_asked(st), *target = &st->graph->target;
	AUTO(free_drop) char *text = platform_text(&on);
	str_add(out, text);
	if (env_get(&st->env, "TARGETARCH") && !platform_eq(&on, target)) {
		AUTO(free_drop) char *whole = platform_text(target);
		const char *arch = strchr(whole, '/') + 1;
		str_addf(out, "->%s", strcmp(on.os, target->os) == 0 ? arch : whole);
	}
	str_addc(out, ' ');
}

enum { TITLE_MAX = 160 };

static char *title_of(const struct stage *st, const struct df_instruction *in, unsigned position)
{
	struct str s = { 0 };
	str_addc(&s, '[');
	if (st->build->graphs.n > 1)
		add_platform(st, &s);
	str_addf(&s, "%s%s%u/%u] ", st->label, *st->label ? " " : "", position, st->n_steps);
	/* A terminal must not see what a Dockerfile hides between its words. */
	size_t n = strlen(in->text), cut = n < TITLE_MAX ? n : TITLE_MAX;
	while (cut && ((unsigned char)in->text[cut] & 0xc0) == 0x80)
		cut--; /* not within a character */
	AUTO(free_drop) char *text = x_strndup(in->text, cut);
	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	str_add_printable(&s, text, strlen(text));
	if (cut < n)
		str_add(&s, "...");
	return str_take(&s);
}

static struct step *step_new(struct stage *st, const struct df_instruction *in)
{
	struct step *s = x_alloc(sizeof *s);
	s->stage = st;
	s->in = in;
	s->position = (unsigned)st->steps.n + 1;
	s->title = title_of(st, in, s->position);
	vec_push(&st->steps, s);
	return s;
}

static void step_free(struct step *s)
{
	if (s->work)
		s->work_free(s->work);
	free(s->title);
	free(s->note);
	str_fini(&s->partial);
	if (s->why)
		changes_fini(s->why);
	free(s->why);
	slot_unref(s->slot);
	claim_drop(&s->claim);
	claim_drop(&s->early);
	key_fini(&s->key);
	strv_fini(&s->caches);
	history_fini(&s->history);
	config_fini(&s->config);
	free(s);
}

static int dispatch(struct build *b, struct stage *st, struct step *s, struct err *e)
{
	switch (s->in->op) {
	case DF_FROM:
		return step_from(b, st, s, e);
	case DF_RUN:
		return step_run(b, st, s, e);
	case DF_COPY:
	case DF_ADD:
		return step_copy(b, st, s, e);
	case DF_WORKDIR:
		return step_workdir(b, st, s, e);
	case DF_ARG:
	case DF_CMD:
	case DF_ENTRYPOINT:
	case DF_ENV:
	case DF_EXPOSE:
	case DF_HEALTHCHECK:
	case DF_LABEL:
	case DF_MAINTAINER:
	case DF_ONBUILD:
	case DF_SHELL:
	case DF_STOPSIGNAL:
	case DF_USER:
	case DF_VOLUME:
		break;
	}
	return step_meta(b, st, s, e);
}

int stage_advance(struct build *b, struct stage *st, struct err *e)
{
	struct step *s = st->steps.n ? st->steps.v[st->steps.n - 1] : NULL;
	if (!s || s->state == STEP_APPLIED || s->state == STEP_DONE) {
		const struct df_instruction *in;
		if (!s) {
			st->n_steps = 1 + (unsigned)(stage_end(st) - st->df->first);
			in = &b->file.instructions.v[st->df->from];
		} else {
			in = next_instruction(st);
			if (!in) {
				st->finished = true;
				return 2;
			}
			st->pc++;
		}
		s = step_new(st, in);
	}
	int r = dispatch(b, st, s, e);
	if (r < 0) {
		if (!e->line && e->kind != ERR_INTERRUPTED) {
			e->line = s->in->line;
			e->line_end = s->in->line_end;
		}
		return -1;
	}
	if (r == 1) {
		s->state = STEP_WAITING;
		return 1;
	}
	s->state = STEP_APPLIED;
	config_copy(&s->config, &st->config);
	return 0;
}

void step_history(struct stage *st, struct step *step, char *created_by, bool empty)
{
	(void)st;
	step->has_history = true;
	step->history.created_by = created_by;
	step->history.comment = x_strdup("buildkit.dockerfile.v0");
	step->history.empty_layer = empty;
}

void step_created(const struct build *b, struct step *step)
{
	if (!b->has_epoch && step->history.created)
		return; /* as its record says */
	free(step->history.created);
	step->history.created = b->has_epoch ? x_strdup(b->created) : time_rfc3339(time(NULL));
}

void step_use_record(struct stage *st, struct step *step, struct step_record *r)
{
	step->cached = true;
	free(step->history.created);
	step->history.created = ptr_take(&r->created);
	step->shared = r->from;
	step->ran = r->ran;
	if (!r->has_layer)
		return;
	struct layer_slot *slot = slot_new();
	slot->layer = r->layer;
	r->layer = (struct layer){ 0 };
	slot->resolved = true;
	slot->source = r->from;
	slot->origin = r->elsewhere ? &r->from->place : NULL;
	step->slot = slot;
	step->has_layer = true;
	vec_push(&st->slots, slot_ref(slot));
}

void stage_free(struct stage *st)
{
	for (size_t i = 0; i < st->steps.n; i++)
		step_free(st->steps.v[i]);
	vec_fini(&st->steps);
	for (size_t i = 0; i < st->slots.n; i++)
		slot_unref(st->slots.v[i]);
	vec_fini(&st->slots);
	config_fini(&st->config);
	for (size_t i = 0; i < st->base_history.n; i++)
		history_fini(&st->base_history.v[i]);
	vec_fini(&st->base_history);
	strv_fini(&st->env);
	strv_fini(&st->args);
	if (st->view) {
		fsview_fini(st->view);
		free(st->view);
	}
	free(st->last_created);
	free(st->label);
	free(st->log_label);
	free(st);
}
