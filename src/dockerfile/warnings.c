/* The list of warnings of a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "check_priv.h"

struct df_warning *warning_add(struct df_file *f, const struct df_instruction *in, const struct df_pos *at,
			       enum df_rule rule, const char *fmt, va_list ap)
{
	AUTO(free_drop) char *text = NULL;
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	struct df_warning *w = vec_add(&f->warnings);
	*w = (struct df_warning){ .rule = rule, .line = in->line, .line_end = in->line_end };
	if (at)
		w->at = *at;
	w->text = arena_strdup(&f->arena, text);
	return w;
}

void df_warn(struct df_file *f, const struct df_check *c, const struct df_instruction *in, const struct df_pos *at,
	     enum df_rule rule, const char *fmt, ...)
{
	va_list ap;
	if (!df_check_wants(c, in, rule))
		return;
	va_start(ap, fmt);
	warning_add(f, in, at, rule, fmt, ap);
	va_end(ap);
}

void df_unwarn(struct df_file *f, const struct df_instruction *in, enum df_rule rule)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->warnings.n; i++)
		if (f->warnings.v[i].rule != rule || f->warnings.v[i].line != in->line)
			f->warnings.v[kept++] = f->warnings.v[i];
	f->warnings.n = kept;
}

static int by_line(const void *a, const void *b)
{
	const struct df_warning *x = a, *y = b;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->rule != y->rule)
		return (int)x->rule - (int)y->rule;
	return strcmp(x->text, y->text);
}

void df_warnings_unique(struct df_file *f)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->warnings.n; i++)
		if (!kept || by_line(&f->warnings.v[kept - 1], &f->warnings.v[i]) != 0)
			f->warnings.v[kept++] = f->warnings.v[i];
	f->warnings.n = kept;
}

void df_warnings_sort(struct df_file *f)
{
	if (f->warnings.n)
		qsort(f->warnings.v, f->warnings.n, sizeof *f->warnings.v, by_line);
}
