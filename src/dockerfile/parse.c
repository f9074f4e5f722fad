#include "dockerfile/parse.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "dockerfile/lint.h"
#include "heredoc_priv.h"
#include "instruction_priv.h"
#include "lexer_priv.h"
#include "ops_priv.h"
#include "words_priv.h"

/* One run over a file, which goes on after a mistake. */
struct parser {
	struct df_file *f;
	struct lexer lx;
	int last_end;  /* last line of the last instruction, good or bad */
	bool no_stage; /* something stood before the first FROM: said once */
	bool adrift;   /* among lines that belong to an instruction above and are none of their own */
};

static void parser_fini(struct parser *p)
{
	lexer_fini(&p->lx);
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
static int place(struct parser *p, const struct df_instruction *in, struct err *e)
{
	struct df_file *f = p->f;
	if (f->instructions.n >= LIMIT_INSTRUCTIONS)
		return err_set(e, ERR_LIMIT, "the Dockerfile has more than %u instructions", LIMIT_INSTRUCTIONS);
	if (in->op == DF_FROM) {
		if (begin_stage(f, in, e))
			return -1;
	} else if (f->stages.n) {
		f->stages.v[f->stages.n - 1].end = f->instructions.n + 1;
	} else if (in->op == DF_ARG) {
		f->n_global++;
	} else if (!p->no_stage) {
		p->no_stage = true;
		return err_set(e, ERR_PARSE,
			       "no build stage yet: only ARG may stand before the first FROM, not %s",
			       df_op_name(in->op));
	}
	vec_push(&f->instructions, *in);
	return 0;
}

/*
 * A line that is no instruction may be the rest of one above: below a line whose continuation was forgotten, or the body
 * of a heredoc where none can be. True when that has been said and the line only adds to it.
 */
static bool explain_unknown(struct parser *p, const struct logical_line *line, const char *word, struct err *e)
{
	const struct df_file *f = p->f;
	const struct df_instruction *above = f->instructions.n ? &f->instructions.v[f->instructions.n - 1] : NULL;
	if (p->adrift)
		return true;
	if (line->first != p->last_end + 1 || op_suggest(word, &p->f->arena))
		return false;
	if (above && above->line_end == p->last_end && !above->heredocs.n && strstr(above->text, "<<")) {
		err_hint(e, "%s on line %d takes no heredoc", df_op_name(above->op), above->line);
		p->adrift = true;
	} else if (line->pieces.v[0].at.col > 1) {
		err_hint(e, "if it continues line %d, that must end with %c", p->last_end, p->lx.directives.escape);
		p->adrift = true;
	}
	return false;
}

/* Notes what is wrong with a line, and sees to it that what follows is not blamed for it. */
static void refuse(struct parser *p, const struct logical_line *line, struct err *e)
{
	struct span rest = span_trim(span_of(line->text));
	const char *word = span_dup(&p->f->arena, span_take_word(&rest));
	enum df_op op;
	bool known = op_find(word, &op), said = !known && explain_unknown(p, line, word, e);
	const char *near = known ? word : op_suggest(word, &p->f->arena);
	p->adrift &= !known;
	if (near && str_case_eq(near, df_op_name(DF_FROM)))
		p->no_stage = true; /* it was meant to begin one */
	if (e->line_end < (int)p->lx.next) {
		e->line = line->first;
		e->line_end = (int)p->lx.next;
	}
	if (!said)
		df_errors_add(&p->f->errors, e);
	/* One that was read is behind us; looking for an end costs as much as there is left of the file. */
	if ((int)p->lx.next == line->last && !p->f->errors.more) {
		const struct words_ctx c = { &p->f->arena, p->lx.directives.escape, line, line->text, 0 };
		heredocs_skip(&p->lx, &c);
	}
}

/* 1, 0 when there is no more, or nothing more that could be made sense of. */
static int parse_one(struct parser *p)
{
	AUTO(logical_line_fini) struct logical_line line = { 0 };
	struct df_instruction in;
	struct err e = { 0 };
	int r = lexer_next(&p->lx, &line, &e);
	if (r < 0)
		df_errors_add(&p->f->errors, &e);
	if (r <= 0)
		return 0;
	if (instruction_parse(&p->lx, &line, &in, &e)) {
		refuse(p, &line, &e);
		p->last_end = (int)p->lx.next;
		return 1;
	}
	p->adrift = false;
	p->last_end = in.line_end;
	instruction_settle(&in, &p->f->arena);
	if (place(p, &in, &e)) {
		df_err_at(&e, &in, NULL);
		df_errors_add(&p->f->errors, &e);
	}
	return e.kind != ERR_LIMIT;
}

/* What can only be said of the file as a whole. */
static void check_whole(struct parser *p)
{
	struct df_file *f = p->f;
	int last = (int)p->lx.lines.n;
	struct err e;
	if (f->errors.list.n)
		return;
	if (!last)
		err_set(&e, ERR_PARSE, "the Dockerfile is empty");
	else if (!f->instructions.n)
		err_at(&e, ERR_PARSE, last, last, "the Dockerfile has no instructions");
	else if (!f->stages.n)
		err_at(&e, ERR_PARSE, last, last, "the Dockerfile has no build stage: there is no FROM");
	else
		return;
	df_errors_add(&f->errors, &e);
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
	AUTO(parser_fini) struct parser p = { .f = ret };
	struct err unreadable;
	*ret = (struct df_file){ .escape = '\\' };
	int r = lexer_init(&p.lx, &ret->arena, bytes, n, &unreadable);
	keep_lines(ret, &p.lx);
	if (r) {
		df_errors_add(&ret->errors, &unreadable);
	} else {
		while (parse_one(&p))
			;
		ret->escape = p.lx.directives.escape;
		ret->syntax = p.lx.directives.syntax;
		ret->check = p.lx.directives.check;
		ret->check_at = p.lx.directives.check_at;
		check_whole(&p);
	}
	if (!df_errors_verdict(&ret->errors, "the Dockerfile", e)) {
		lint_all(ret);
		return 0;
	}
	/* Without one of its FROMs, nothing can be said of what belongs where. */
	if (p.no_stage || !ret->stages.n || ret->errors.more) {
		vec_fini(&ret->instructions);
		vec_fini(&ret->stages);
		ret->n_global = 0;
	}
	return -1;
}

void df_file_fini(struct df_file *f)
{
	vec_fini(&f->instructions);
	vec_fini(&f->stages);
	vec_fini(&f->warnings);
	vec_fini(&f->errors.list);
	vec_fini(&f->lines);
	arena_fini(&f->arena);
}

static int parse_single(const char *text, struct arena *arena, struct df_instruction *ret, struct err *e)
{
	AUTO(lexer_fini) struct lexer lx = { .detached = true };
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
		e->line = e->line_end = e->at_line = e->col = 0;
		return err_in(e, "ONBUILD trigger \"%.100s\"", text);
	}
	return 0;
}
