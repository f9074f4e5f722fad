/*
 * What must be right in every stage, needed or not: the reference resolves names and looks for cycles before it knows
 * what is needed (FROM-11).
 */
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "graph_priv.h"
#include "dockerfile/flags.h"
#include "dockerfile/mount.h"
#include "registry/reference.h"

/* One stage reads from another, by name or number. */
struct edge {
	size_t from, to;
	const struct df_instruction *in;
};

struct graph_check {
	struct graph *g;
	struct build *b; /* whose it is */
	VEC(struct edge) edges;
};

/* No stage and no context has that name, so it must be one that an image can have. */
static int check_reference(const struct build *b, const char *name, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	AUTO(reference_fini) struct reference ref = { 0 };
	if (strcmp(name, "scratch") == 0 || reference_parse(name, &ref, e) == 0)
		return 0;
	e->kind = ERR_BUILD;
	for (size_t i = 0; i < b->file.stages.n; i++)
		if (b->file.stages.v[i].name)
			strv_push(&names, b->file.stages.v[i].name);
	const char *near = str_nearest(name, (const char *const *)names.v, names.n);
	return near ? err_hint(e, "did you mean the stage %s?", near) : err_hint(e, "and no stage has that name");
}

static int check_base(struct build *b, struct stage *st, struct err *e)
{
	const struct df_instruction *in = &b->file.instructions.v[st->df->from];
	AUTO(free_drop) char *image = NULL;
	struct platform platform;
	bool given;
	if (stage_platform(st->graph, in, &platform, &given, e) < 0)
		df_errors_add(&b->file.errors, e);
	if (stage_expand_base(st, &image, e) < 0)
		return -1;
	if (named_context_find(st->graph, image) || stage_base(st, image))
		return 0;
	return check_reference(b, image, e) < 0 ? df_err_at_arg(e, in, 0) : 0;
}

static int check_from(struct graph_check *c, const struct stage *st, const struct df_instruction *in, const char *from,
		      struct err *e)
{
	struct stage *found;
	if (named_context_find(c->g, from))
		return 0;
	if (stage_lookup(c->g, in, from, &found, e) < 0)
		return -1;
	if (!found)
		return check_reference(c->b, from, e);
	vec_push(&c->edges, ((struct edge){ st->df->index, found->df->index, in }));
	return 0;
}

static int check_instruction(struct graph_check *c, const struct stage *st, const struct df_instruction *in,
			     struct err *e)
{
	if (in->op == DF_COPY && df_flag_get(in, "from") && check_from(c, st, in, df_flag_get(in, "from"), e) < 0)
		return df_err_at_flag(e, in, "from");
	for (size_t i = 0; i < in->flags.n && in->op == DF_RUN; i++) {
		AUTO(df_mount_fini) struct df_mount m = { 0 };
		if (strcmp(in->flags.v[i].name, "mount") != 0 || !in->flags.v[i].value)
			continue;
		if (df_mount_parse(in->flags.v[i].value, NULL, &m, e) < 0 ||
		    (m.from && check_from(c, st, in, m.from, e) < 0))
			return df_err_at(e, in, &in->flags.v[i].at);
	}
	return 0;
}

static void check_stage(struct graph_check *c, const struct stage *st)
{
	struct err e;
	for (size_t i = st->df->first; i < st->df->end; i++)
		if (check_instruction(c, st, &c->b->file.instructions.v[i], &e) < 0)
			df_errors_add(&c->b->file.errors, &e);
}

/* Takes away the stages that read from none that is left, again and again; what then remains is or leads to a cycle. */
static int check_cycles(const struct graph_check *c, struct err *e)
{
	size_t n = c->g->stages.n;
	AUTO(free_drop) bool *left = x_alloc(n);
	AUTO(free_drop) bool *reads = x_alloc(n);
	const struct edge *in_cycle = NULL;
	memset(left, true, n);
	for (bool more = true; more;) {
		more = false;
		in_cycle = NULL;
		memset(reads, false, n);
		for (size_t i = 0; i < c->edges.n; i++) {
			const struct edge *g = &c->edges.v[i];
			if (!left[g->from] || !left[g->to])
				continue;
			reads[g->from] = true;
			in_cycle = in_cycle ? in_cycle : g;
		}
		for (size_t i = 0; i < n; i++) {
			more |= left[i] && !reads[i];
			left[i] = reads[i];
		}
	}
	if (!in_cycle)
		return 0;
	err_set(e, ERR_BUILD, "circular dependency detected on stage: %s",
		c->g->stages.v[in_cycle->from]->label);
	err_hint(e, "what it reads here comes from that very stage, directly or by way of others");
	return df_err_at_flag(e, in_cycle->in, "from");
}

int graph_check(struct graph *g, struct err *e)
{
	struct build *b = g->build;
	struct graph_check c = { .g = g, .b = b };
	for (size_t i = 0; i < g->stages.n; i++) {
		if (check_base(b, g->stages.v[i], e) < 0)
			df_errors_add(&b->file.errors, e);
		check_stage(&c, g->stages.v[i]);
	}
	int r = check_cycles(&c, e);
	vec_fini(&c.edges);
	return r;
}
