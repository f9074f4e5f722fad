/* Where an error of a Dockerfile is, and the list of all of them. */
#include "errors_priv.h"

#include <string.h>

int pos_set(struct err *e, struct df_pos at)
{
	if (!e->col) {
		e->at_line = at.line;
		e->col = at.col;
	}
	return -1;
}

int df_err_at(struct err *e, const struct df_instruction *in, const struct df_pos *at)
{
	if (!e->line) {
		e->line = in->line;
		e->line_end = in->line_end;
	}
	return pos_set(e, at && at->col ? *at : in->at);
}

int df_err_at_flag(struct err *e, const struct df_instruction *in, const char *flag)
{
	for (size_t i = 0; i < in->flags.n; i++)
		if (strcmp(in->flags.v[i].name, flag) == 0)
			return df_err_at(e, in, &in->flags.v[i].at);
	return df_err_at(e, in, NULL);
}

int df_err_at_arg(struct err *e, const struct df_instruction *in, size_t i)
{
	return df_err_at(e, in, i < in->args_at.n ? &in->args_at.v[i] : NULL);
}

void df_errors_add(struct df_errors *l, const struct err *e)
{
	for (size_t i = 0; i < l->list.n; i++) {
		const struct err *have = &l->list.v[i];
		bool same_place = have->line == e->line && have->at_line == e->at_line && have->col == e->col;
		if (same_place && (e->col || strcmp(have->msg, e->msg) == 0))
			return;
	}
	if (l->list.n == DF_ERRORS_MAX)
		l->more++;
	else
		vec_push(&l->list, *e);
}

int df_errors_take(struct df_errors *l, const struct err *e)
{
	if (e->kind != ERR_PARSE && e->kind != ERR_BUILD && e->kind != ERR_LIMIT)
		return -1;
	df_errors_add(l, e);
	return 0;
}

static bool is_before(const struct err *a, const struct err *b)
{
	return a->line != b->line ? a->line < b->line : a->at_line != b->at_line ? a->at_line < b->at_line : a->col < b->col;
}

/* Few, and mostly in order; equal places keep the order they were found in. */
static void sort(struct err *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct err e = v[i];
		size_t k = i;
		for (; k > 0 && is_before(&e, &v[k - 1]); k--)
			v[k] = v[k - 1];
		v[k] = e;
	}
}

int df_errors_verdict(struct df_errors *l, const char *name, struct err *e)
{
	if (!l->list.n)
		return 0;
	sort(l->list.v, l->list.n);
	*e = l->list.v[0];
	if (l->list.n + l->more > 1)
		err_set(e, l->list.v[0].kind, "%zu mistakes in %.200s", l->list.n + l->more, name);
	return -1;
}
