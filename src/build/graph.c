/* For each platform: which stages there are, which one is asked for, and which others it needs (FROM-11, FROM-12). */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "build_priv.h"
#include "graph_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"
#include "dockerfile/mount.h"

struct stage *stage_find(const struct graph *g, const char *name)
{
	uint64_t n;
	/* The last stage of that name wins (FROM-14). */
	for (size_t i = g->stages.n; i > 0; i--) {
		const char *have = g->stages.v[i - 1]->df->name;
		if (have && str_case_eq(have, name))
			return g->stages.v[i - 1];
	}
	if (str_to_u64(name, g->stages.n - 1, &n))
		return g->stages.v[n];
	return NULL;
}

const char *stage_near(const struct build *b, const char *name)
{
	VEC(const char *) names = { 0 };
	for (size_t i = 0; i < b->file.stages.n; i++)
		if (b->file.stages.v[i].name)
			vec_push(&names, (const char *)b->file.stages.v[i].name);
	const char *near = str_nearest(name, names.v, names.n);
	vec_fini(&names);
	return near;
}

int stage_unknown(const struct build *b, const char *option, const char *name, struct err *e)
{
	const char *near = stage_near(b, name);
	err_set(e, ERR_USAGE, "%s: there is no stage \"%s\" in %s", option, name, b->file_name);
	if (near)
		return err_hint(e, "did you mean \"%s\"?", near);
	return err_hint(e, "stages go by their names, or stage-0, stage-1 … for those without one");
}

static int find_goal(struct graph *g, struct err *e)
{
	struct build *b = g->build;
	const char *target = b->options->target;
	g->goal = g->stages.v[g->stages.n - 1];
	if (!target)
		return 0;
	for (size_t i = g->stages.n; i > 0; i--) {
		g->goal = g->stages.v[i - 1];
		if (g->goal->df->name && str_case_eq(g->goal->df->name, target))
			return 0;
	}
	const char *near = stage_near(b, target);
	err_set(e, ERR_NOTFOUND, "target stage \"%s\" could not be found in %s", target, b->file_name);
	if (near)
		return err_hint(e, "did you mean \"%s\"?", near);
	return err_hint(e, "nacre build --call=targets lists the stages that have a name");
}

static char *label_of(const struct build *b, const struct df_stage *df)
{
	if (df->name)
		return x_strdup(df->name);
	return b->file.stages.n == 1 ? x_strdup("") : x_asprintf("stage-%zu", df->index);
}

static char *log_label_of(const struct stage *st)
{
	if (st->build->graphs.n == 1)
		return x_strdup(st->label);
	AUTO(free_drop) char *platform = platform_text(&st->graph->target);
	return x_asprintf("%s%s%s", platform, *st->label ? " " : "", st->label);
}

int stage_lookup(const struct graph *g, const struct df_instruction *in, const char *from, struct stage **ret, struct err *e)
{
	uint64_t n;
	bool number = str_to_u64(from, UINT32_MAX, &n);
	*ret = NULL;
	if (number && in->op == DF_RUN)
		return 0; /* mounts know stages by name only (MNT-05) */
	*ret = stage_find(g, from);
	if (!*ret && number)
		return err_set(e, ERR_BUILD, "invalid stage index %s: the file has %zu stage%s, counted from 0", from,
			       g->stages.n, g->stages.n == 1 ? "" : "s");
	return 0;
}

int stage_named_from(struct stage *st, const struct df_instruction *in, const char *from, struct stage **ret,
		     struct err *e)
{
	struct build *b = st->build;
	struct stage *found;
	*ret = NULL;
	if (named_context_find(st->graph, from))
		return 0;
	if (stage_lookup(st->graph, in, from, &found, e) < 0)
		return -1;
	if (found && found->df->index >= st->df->index)
		return err_set(e, ERR_BUILD,
			       "cannot %s from stage \"%s\": it begins on line %d and needs to be defined before this one",
			       in->op == DF_RUN ? "mount" : "copy", from, b->file.instructions.v[found->df->from].line);
	*ret = found;
	return 0;
}

/* Marks what one instruction reads from; images are fetched when the instruction's turn comes. */
static int need_instruction(struct stage *st, const struct df_instruction *in, struct err *e)
{
	struct stage *from = NULL;
	const char *name = in->op == DF_COPY || in->op == DF_ADD ? df_flag_get(in, "from") : NULL;
	if (name && stage_named_from(st, in, name, &from, e) < 0)
		return df_err_at_flag(e, in, "from");
	if (from)
		from->needed = true;
	for (size_t i = 0; i < in->flags.n && in->op == DF_RUN; i++) {
		struct df_mount m = { 0 };
		if (strcmp(in->flags.v[i].name, "mount") != 0 || !in->flags.v[i].value)
			continue;
		if (df_mount_parse(in->flags.v[i].value, NULL, &m, e) < 0)
			return df_err_at(e, in, &in->flags.v[i].at);
		int r = m.from ? stage_named_from(st, in, m.from, &from, e) : 0;
		if (r == 0 && m.from && from)
			from->needed = true;
		df_mount_fini(&m);
		if (r < 0)
			return df_err_at(e, in, &in->flags.v[i].at);
	}
	return 0;
}

/* FROM's name finds stages by their exact lower-case name only (FROM-13), and only earlier ones. */
struct stage *stage_base(const struct stage *st, const char *image)
{
	if (named_context_find(st->graph, image))
		return NULL;
	for (size_t i = st->df->index; i > 0; i--) {
		struct stage *other = st->graph->stages.v[i - 1];
		if (other->df->name && strcmp(other->df->name, image) == 0)
			return other;
	}
	return NULL;
}

int stage_expand_base(struct stage *st, char **ret, struct err *e)
{
	struct build *b = st->build;
	const struct df_instruction *from = &b->file.instructions.v[st->df->from];
	struct df_scope scope = { .env = &st->graph->global_args, .escape = b->file.escape };
	if (st->replaced) {
		*ret = x_strdup(st->df->name);
		return 0;
	}
	if (df_expand(&scope, from->image, ret, e) < 0)
		return df_err_at_arg(e, from, 0);
	if (!**ret) {
		free_drop(ret);
		err_set(e, ERR_BUILD,
			"FROM %s: the image name is blank; a variable in it is empty or not declared before the first FROM",
			from->image);
		return df_err_at_arg(e, from, 0);
	}
	return 0;
}

/* What is wrong goes to the errors of the file. */
static void link_stage(struct build *b, struct stage *st)
{
	AUTO(free_drop) char *image = NULL;
	struct err e;
	st->linked = true;
	if (stage_expand_base(st, &image, &e) < 0)
		df_errors_add(&b->file.errors, &e);
	else
		st->base_stage = stage_base(st, image);
	if (st->base_stage)
		st->base_stage->needed = true;
	for (size_t k = st->df->first; k < stage_end(st); k++)
		if (need_instruction(st, &b->file.instructions.v[k], &e) < 0)
			df_errors_add(&b->file.errors, &e);
}

/* Marks all that the needed ones up to `last` need. A stage needs only earlier ones, so one pass downwards reaches all.
 */
static void link_needed(const struct stage *last)
{
	for (size_t i = last->df->index + 1; i > 0; i--) {
		struct stage *st = last->graph->stages.v[i - 1];
		if (st->needed && !st->linked)
			link_stage(st->build, st);
	}
}

int graph_add_trigger(struct stage *st, const struct df_instruction *in, struct err *e)
{
	struct build *b = st->build;
	if (need_instruction(st, in, e) < 0)
		return -1;
	link_needed(st);
	return df_errors_verdict(&b->file.errors, b->file_name, e);
}

/* One platform asked for twice is built once. */
static int graph_add(struct build *b, const struct platform *target, struct err *e)
{
	for (size_t i = 0; i < b->graphs.n; i++)
		if (platform_eq(&b->graphs.v[i]->target, target))
			return 0;
	if (b->graphs.n == LIMIT_PLATFORMS)
		return err_set(e, ERR_USAGE, "more than %u platforms", LIMIT_PLATFORMS);
	struct graph *g = x_alloc(sizeof *g);
	g->build = b;
	g->target = *target;
	vec_push(&b->graphs, g);
	return 0;
}

static int read_platforms(struct build *b, const char *list, struct err *e)
{
	AUTO(free_drop) char *words = x_strdup(list);
	for (char *next = words; next;) {
		struct platform p = b->host;
		char *word = strsep(&next, ",");
		if (strcmp(word, "local") != 0 && platform_parse(word, &p, e) < 0)
			return -1;
		if (graph_add(b, &p, e) < 0)
			return -1;
	}
	return 0;
}

int graphs_read(struct build *b, struct err *e)
{
	const struct strv *given = &b->options->platforms;
	platform_host(&b->host);
	b->target_given = given->n > 0;
	for (size_t i = 0; i < given->n; i++)
		if (read_platforms(b, given->v[i], e) < 0) {
			e->kind = ERR_USAGE;
			return err_in(e, "--platform %s", given->v[i]);
		}
	return given->n ? 0 : graph_add(b, &b->host, e);
}

void graphs_free(struct build *b)
{
	for (size_t i = 0; i < b->graphs.n; i++) {
		struct graph *g = b->graphs.v[i];
		strv_fini(&g->platform_args);
		strv_fini(&g->global_args);
		vec_fini(&g->stages);
		free(g);
	}
	vec_fini(&b->graphs);
}

static int graph_make(struct graph *g, struct err *e)
{
	struct build *b = g->build;
	for (size_t i = 0; i < b->file.stages.n; i++) {
		struct stage *st = x_alloc(sizeof *st);
		st->build = b;
		st->graph = g;
		st->df = &b->file.stages.v[i];
		st->label = label_of(b, st->df);
		st->log_label = log_label_of(st);
		st->replaced = st->df->name && named_context_find(g, st->df->name);
		vec_push(&g->stages, st);
		vec_push(&b->stages, st);
	}
	if (find_goal(g, e) < 0)
		return -1;
	scope_global(g);
	g->goal->needed = true;
	/* Without the global ARGs nothing can be said of the rest. */
	if (scope_global_args(g, e) < 0) {
		df_errors_add(&b->file.errors, e);
		return -1;
	}
	if (graph_check(g, e) < 0) {
		df_errors_add(&b->file.errors, e);
		return -1;
	}
	link_needed(g->goal);
	return 0;
}

int graphs_make(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->graphs.n; i++)
		if (graph_make(b->graphs.v[i], e) < 0)
			return -1;
	return 0;
}

void graph_need_all(struct graph *g)
{
	for (size_t i = 0; i < g->stages.n; i++)
		g->stages.v[i]->needed = true;
	link_needed(g->stages.v[g->stages.n - 1]);
}
