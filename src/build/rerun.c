#include "rerun_priv.h"

#include <string.h>

#include "base/limits.h"
#include "build_priv.h"

/* As titles show it, whatever the case; the last stage of a name, as everywhere. */
static const struct df_stage *stage_labelled(const struct build *b, const char *label)
{
	const struct graph *g = b->graphs.v[0];
	for (size_t i = g->stages.n; i > 0; i--)
		if (str_case_eq(g->stages.v[i - 1]->label, label))
			return g->stages.v[i - 1]->df;
	/* The only stage needs no name in titles. */
	return g->stages.n == 1 && strcmp(label, "stage-0") == 0 ? g->stages.v[0]->df : NULL;
}

static int read_filter(struct build *b, const char *list, struct err *e)
{
	AUTO(free_drop) char *words = x_strdup(list);
	char *save = NULL;
	for (char *name = strtok_r(words, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		const struct df_stage *st = stage_labelled(b, name);
		if (!st)
			return stage_unknown(b, "--no-cache-filter", name, e);
		vec_push(&b->rerun.stages, st);
	}
	return 0;
}

/* "N", of the stage that is built, or "STAGE:N"; false: it is an expression. */
static bool read_position(const struct build *b, const char *text, struct rerun_step *ret)
{
	const char *colon = strrchr(text, ':');
	AUTO(free_drop) char *name = x_strndup(text, colon ? (size_t)(colon - text) : 0);
	const struct df_stage *st = colon ? stage_labelled(b, name) : b->graphs.v[0]->goal->df;
	uint64_t n;
	if (!st || !str_to_u64(colon ? colon + 1 : text, LIMIT_INSTRUCTIONS, &n) || !n)
		return false;
	ret->stage = st;
	ret->position = (unsigned)n;
	return true;
}

static int read_step(struct build *b, const char *text, struct err *e)
{
	struct rerun_step s = { .text = text };
	if (!*text)
		return err_set(e, ERR_USAGE, "--no-cache-step: the number of a step or an expression is wanted");
	int bad = read_position(b, text, &s) ? 0 : regcomp(&s.regex, text, REG_EXTENDED | REG_NOSUB | REG_NEWLINE);
	if (bad) {
		char why[200];
		regerror(bad, &s.regex, why, sizeof why);
		return err_set(e, ERR_USAGE, "--no-cache-step %s: %s", text, why);
	}
	vec_push(&b->rerun.steps, s);
	return 0;
}

int rerun_read(struct build *b, struct err *e)
{
	const struct build_options *o = b->options;
	for (size_t i = 0; i < o->no_cache_filter.n; i++)
		if (read_filter(b, o->no_cache_filter.v[i], e) < 0)
			return -1;
	for (size_t i = 0; i < o->no_cache_step.n; i++)
		if (read_step(b, o->no_cache_step.v[i], e) < 0)
			return -1;
	return 0;
}

static bool is_meant(const struct rerun_step *r, const struct step *s)
{
	if (r->position)
		return r->stage == s->stage->df && r->position == s->position;
	return regexec(&r->regex, s->in->text, 0, NULL, 0) == 0;
}

const char *rerun_option(struct build *b, const struct step *s)
{
	const char *ret = b->options->no_cache ? "--no-cache" : NULL;
	for (size_t i = 0; i < b->rerun.stages.n && !ret; i++)
		if (b->rerun.stages.v[i] == s->stage->df)
			ret = "--no-cache-filter";
	for (size_t i = 0; i < b->rerun.steps.n; i++) {
		struct rerun_step *r = &b->rerun.steps.v[i];
		if (!is_meant(r, s))
			continue;
		r->met = true;
		ret = ret ? ret : "--no-cache-step";
	}
	return ret;
}

bool rerun_is_stale(const struct build *b, const struct step_record *r)
{
	return b->options->has_fresh && r->ran <= b->start_time - b->options->fresh;
}

void rerun_report(const struct build *b)
{
	for (size_t i = 0; i < b->rerun.steps.n; i++) {
		const struct rerun_step *r = &b->rerun.steps.v[i];
		AUTO(str_fini) struct str note = { 0 };
		if (r->met)
			continue;
		str_addf(&note, "WARNING: --no-cache-step %s: no step that could be in the cache is meant by it", r->text);
		progress_note(b->progress, note.buf);
	}
}

void rerun_fini(struct rerun *r)
{
	for (size_t i = 0; i < r->steps.n; i++)
		if (!r->steps.v[i].position)
			regfree(&r->steps.v[i].regex);
	vec_fini(&r->steps);
	vec_fini(&r->stages);
}
