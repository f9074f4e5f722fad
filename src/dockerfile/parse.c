#include "dockerfile/parse.h"

#include "base/limits.h"
#include "base/str.h"
#include "dockerfile/lint.h"
#include "instruction_priv.h"
#include "lexer_priv.h"

/* Keeps the kind and the words of an error that was made below, and says where in the file it is. */
static int at_lines(struct err *e, int first, int last)
{
	if (!e->line) {
		e->line = first;
		e->line_end = last;
	}
	return -1;
}

static void keep_lines(struct df_file *f, const struct lexer *lx)
{
	for (size_t i = 0; i < lx->lines.n; i++)
		vec_push(&f->lines, span_dup(&f->arena, line_without_end(lx->lines.v[i])));
}

static int begin_stage(struct df_file *f, const struct df_instruction *from, struct err *e)
{
	if (f->stages.n >= LIMIT_STAGES)
		return err_set(e, ERR_LIMIT, "the Dockerfile has more than %u stages", LIMIT_STAGES);
	struct df_stage *s = vec_add(&f->stages);
	s->index = f->stages.n - 1;
	s->name = from->stage_name;
	s->from = f->instructions.n;
	s->first = s->end = f->instructions.n + 1;
	return 0;
}

/* Puts a parsed instruction where it belongs: among the global ARGs, or into the present stage (LEX-13). */
static int place(struct df_file *f, const struct df_instruction *in, struct err *e)
{
	if (f->instructions.n >= LIMIT_INSTRUCTIONS)
		return err_set(e, ERR_LIMIT, "the Dockerfile has more than %u instructions", LIMIT_INSTRUCTIONS);
	if (in->op == DF_FROM) {
		if (begin_stage(f, in, e))
			return -1;
	} else if (f->stages.n) {
		f->stages.v[f->stages.n - 1].end = f->instructions.n + 1;
	} else if (in->op == DF_ARG) {
		f->n_global++;
	} else {
		return err_set(e, ERR_PARSE,
			       "no build stage in current context: only ARG may stand before the first FROM, not %s",
			       df_op_name(in->op));
	}
	vec_push(&f->instructions, *in);
	return 0;
}

/* 1, 0 at the end of the file, -1. */
static int parse_one(struct df_file *f, struct lexer *lx, struct err *e)
{
	AUTO(logical_line_fini) struct logical_line line = { 0 };
	struct df_instruction in;
	int r = lexer_next(lx, &line, e);
	if (r <= 0)
		return r;
	if (instruction_parse(lx, &line, &in, e))
		return at_lines(e, line.first, (int)lx->next);
	instruction_settle(&in, &f->arena);
	return place(f, &in, e) ? at_lines(e, in.line, in.line_end) : 1;
}

static int parse_all(struct df_file *f, struct lexer *lx, struct err *e)
{
	int r, last = (int)lx->lines.n;
	while ((r = parse_one(f, lx, e)) > 0)
		;
	f->escape = lx->directives.escape;
	f->syntax = lx->directives.syntax;
	f->check = lx->directives.check;
	f->check_line = lx->directives.check_line;
	if (r < 0)
		return -1;
	if (!lx->lines.n)
		return err_set(e, ERR_PARSE, "the Dockerfile is empty");
	if (!f->instructions.n)
		return err_at(e, ERR_PARSE, last, last, "the Dockerfile has no instructions");
	if (!f->stages.n)
		return err_at(e, ERR_PARSE, last, last, "the Dockerfile has no build stage: there is no FROM");
	return 0;
}

/* Options that make no sense are the builder's to refuse: a build argument may replace them (DIR-09). */
static void lint_all(struct df_file *f)
{
	struct df_check check;
	struct err ignored;
	if (df_check_parse(f->check, &check, &ignored) == 0)
		df_lint(f, &check);
}

int df_parse(const char *bytes, size_t n, struct df_file *ret, struct err *e)
{
	AUTO(lexer_fini) struct lexer lx = { 0 };
	*ret = (struct df_file){ .escape = '\\' };
	if (lexer_init(&lx, &ret->arena, bytes, n, e)) {
		keep_lines(ret, &lx);
		return -1;
	}
	keep_lines(ret, &lx);
	if (!parse_all(ret, &lx, e)) {
		lint_all(ret);
		return 0;
	}
	vec_fini(&ret->instructions);
	vec_fini(&ret->stages);
	ret->n_global = 0;
	return -1;
}

void df_file_fini(struct df_file *f)
{
	vec_fini(&f->instructions);
	vec_fini(&f->stages);
	vec_fini(&f->warnings);
	vec_fini(&f->lines);
	arena_fini(&f->arena);
}

static int parse_single(const char *text, struct arena *arena, struct df_instruction *ret, struct err *e)
{
	AUTO(lexer_fini) struct lexer lx = { 0 };
	AUTO(logical_line_fini) struct logical_line line = { 0 };
	AUTO(logical_line_fini) struct logical_line more = { 0 };
	AUTO(instruction_fini) struct df_instruction in = { 0 };
	if (lexer_init(&lx, arena, text, strlen(text), e))
		return -1;
	int r = lexer_next(&lx, &line, e);
	if (r < 0 || (r > 0 && instruction_parse(&lx, &line, &in, e)))
		return -1;
	int rest = r > 0 ? lexer_next(&lx, &more, e) : 0;
	if (rest < 0)
		return -1;
	if (!r || rest)
		return err_set(e, ERR_PARSE, "it must be exactly one instruction");
	if (in.op == DF_ONBUILD || in.op == DF_FROM || in.op == DF_MAINTAINER)
		return err_set(e, ERR_PARSE, "%s isn't allowed as an ONBUILD trigger", df_op_name(in.op));
	instruction_settle(&in, arena);
	*ret = in;
	in = (struct df_instruction){ 0 };
	return 0;
}

int df_parse_trigger(const char *text, struct arena *arena, struct df_instruction *ret, struct err *e)
{
	if (parse_single(text, arena, ret, e)) {
		/* Lines inside the trigger say nothing: the error belongs to the FROM that set it off. */
		e->line = e->line_end = 0;
		return err_in(e, "ONBUILD trigger \"%.100s\"", text);
	}
	return 0;
}
