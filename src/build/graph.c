/* Which stages there are, which one is asked for, and which others it needs (FROM-11, FROM-12). */
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "graph_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"
#include "dockerfile/mount.h"

struct stage *stage_find(struct build *b, const char *name)
{
	uint64_t n;
	/* The last stage of that name wins (FROM-14). */
	for (size_t i = b->stages.n; i > 0; i--) {
		const char *have = b->stages.v[i - 1]->df->name;
		if (have && str_case_eq(have, name))
			return b->stages.v[i - 1];
	}
	if (str_to_u64(name, b->stages.n - 1, &n))
		return b->stages.v[n];
	return NULL;
}

static int find_goal(struct build *b, struct err *e)
{
	const char *target = b->options->target;
	b->goal = b->stages.v[b->stages.n - 1];
	if (!target)
		return 0;
	VEC(const char *) names = { 0 };
	b->goal = NULL;
	for (size_t i = b->stages.n; i > 0 && !b->goal; i--) {
		struct stage *st = b->stages.v[i - 1];
		if (!st->df->name)
			continue;
		vec_push(&names, st->df->name);
		if (str_case_eq(st->df->name, target))
			b->goal = st;
	}
	if (!b->goal) {
		const char *near = str_nearest(target, names.v, names.n);
		err_set(e, ERR_NOTFOUND, "target stage \"%s\" could not be found in %s", target, b->file_name);
		if (near)
			err_hint(e, "did you mean \"%s\"?", near);
	}
	vec_fini(&names);
	return b->goal ? 0 : -1;
}

static char *label_of(const struct build *b, const struct df_stage *df)
{
	if (df->name)
		return x_strdup(df->name);
	return b->file.stages.n == 1 ? x_strdup("") : x_asprintf("stage-%zu", df->index);
}

int stage_lookup(struct build *b, const struct df_instruction *in, const char *from, struct stage **ret, struct err *e)
{
	uint64_t n;
	bool number = str_to_u64(from, UINT32_MAX, &n);
	*ret = NULL;
	if (number && in->op == DF_RUN)
		return 0; /* mounts know stages by name only (MNT-05) */
	*ret = stage_find(b, from);
	if (!*ret && number)
		return err_at(e, ERR_BUILD, in->line, in->line_end, "invalid stage index %s: the file has %zu stages",
			      from, b->stages.n);
	return 0;
}

int stage_named_from(struct stage *st, const struct df_instruction *in, const char *from, struct stage **ret,
		     struct err *e)
{
	struct build *b = st->build;
	struct stage *found;
	*ret = NULL;
	if (named_context_find(b, from))
		return 0;
	if (stage_lookup(b, in, from, &found, e) < 0)
		return -1;
	if (found && found->df->index >= st->df->index)
		return err_at(e, ERR_BUILD, in->line, in->line_end,
			      "cannot %s from stage \"%s\": it needs to be defined before this stage (circular or "
			      "forward reference)",
			      in->op == DF_RUN ? "mount" : "copy", from);
	*ret = found;
	return 0;
}

/* Marks what one instruction reads from; images are fetched when the instruction's turn comes. */
static int need_instruction(struct stage *st, const struct df_instruction *in, struct err *e)
{
	struct stage *from = NULL;
	const char *name = in->op == DF_COPY || in->op == DF_ADD ? df_flag_get(in, "from") : NULL;
	if (name && stage_named_from(st, in, name, &from, e) < 0)
		return -1;
	if (from)
		from->needed = true;
	for (size_t i = 0; i < in->flags.n && in->op == DF_RUN; i++) {
		struct df_mount m = { 0 };
		if (strcmp(in->flags.v[i].name, "mount") != 0 || !in->flags.v[i].value)
			continue;
		if (df_mount_parse(in->flags.v[i].value, NULL, &m, e) < 0) {
			e->line = in->line;
			e->line_end = in->line_end;
			return -1;
		}
		int r = m.from ? stage_named_from(st, in, m.from, &from, e) : 0;
		if (r == 0 && m.from && from)
			from->needed = true;
		df_mount_fini(&m);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* FROM's name finds stages by their exact lower-case name only (FROM-13), and only earlier ones. */
struct stage *stage_base(const struct stage *st, const char *image)
{
	struct build *b = st->build;
	if (named_context_find(b, image))
		return NULL;
	for (size_t i = st->df->index; i > 0; i--) {
		struct stage *other = b->stages.v[i - 1];
		if (other->df->name && strcmp(other->df->name, image) == 0)
			return other;
	}
	return NULL;
}

int stage_expand_base(struct stage *st, char **ret, struct err *e)
{
	struct build *b = st->build;
	const struct df_instruction *from = &b->file.instructions.v[st->df->from];
	struct df_scope scope = { .env = &b->global_args, .escape = b->file.escape };
	if (st->replaced) {
		*ret = x_strdup(st->df->name);
		return 0;
	}
	if (df_expand(&scope, from->image, ret, e) < 0) {
		e->line = from->line;
		e->line_end = from->line_end;
		return -1;
	}
	if (!**ret) {
		free_drop(ret);
		return err_at(e, ERR_BUILD, from->line, from->line_end,
			      "base name (%s) should not be blank: a variable in it is empty or not declared before "
			      "the first FROM",
			      from->image);
	}
	return 0;
}

static int link_stage(struct build *b, struct stage *st, struct err *e)
{
	AUTO(free_drop) char *image = NULL;
	if (stage_expand_base(st, &image, e) < 0)
		return -1;
	st->linked = true;
	st->base_stage = stage_base(st, image);
	if (st->base_stage)
		st->base_stage->needed = true;
	for (size_t k = st->df->first; k < stage_end(st); k++)
		if (need_instruction(st, &b->file.instructions.v[k], e) < 0)
			return -1;
	return 0;
}

/* Marks all that the needed ones up to `last` need. A stage needs only earlier ones, so one pass downwards reaches all.
 */
static int link_needed(struct build *b, const struct stage *last, struct err *e)
{
	for (size_t i = last->df->index + 1; i > 0; i--) {
		struct stage *st = b->stages.v[i - 1];
		if (st->needed && !st->linked && link_stage(b, st, e) < 0)
			return -1;
	}
	return 0;
}

int graph_add_trigger(struct stage *st, const struct df_instruction *in, struct err *e)
{
	return need_instruction(st, in, e) < 0 || link_needed(st->build, st, e) < 0 ? -1 : 0;
}

int graph_make(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->file.stages.n; i++) {
		struct stage *st = x_alloc(sizeof *st);
		st->build = b;
		st->df = &b->file.stages.v[i];
		st->label = label_of(b, st->df);
		st->replaced = st->df->name && named_context_find(b, st->df->name);
		vec_push(&b->stages, st);
	}
	if (find_goal(b, e) < 0)
		return -1;
	scope_global(b);
	if (scope_global_args(b, e) < 0)
		return -1;
	if (graph_check(b, e) < 0)
		return -1;
	b->goal->needed = true;
	return link_needed(b, b->goal, e);
}
