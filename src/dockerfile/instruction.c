#include "instruction_priv.h"

#include <string.h>

#include "base/str.h"
#include "errors_priv.h"
#include "heredoc_priv.h"
#include "ops_priv.h"
#include "words_priv.h"

void instruction_fini(struct df_instruction *in)
{
	vec_fini(&in->comments);
	vec_fini(&in->flags);
	vec_fini(&in->heredocs);
	vec_fini(&in->args);
	vec_fini(&in->args_at);
	vec_fini(&in->kvs);
}

void instruction_settle(struct df_instruction *in, struct arena *arena)
{
	vec_to_arena(arena, &in->comments);
	vec_to_arena(arena, &in->flags);
	vec_to_arena(arena, &in->heredocs);
	vec_to_arena(arena, &in->args);
	vec_to_arena(arena, &in->args_at);
	vec_to_arena(arena, &in->kvs);
}

static int json_or_text(const struct words_ctx *c, struct span rest, struct df_instruction *in, struct err *e)
{
	int r = words_json(c, rest, in, e);
	if (r < 0)
		return -1;
	in->json = r;
	if (!r)
		words_add(c, rest, rest.p, in);
	return 0;
}

static int json_or_words(const struct words_ctx *c, struct span rest, struct df_instruction *in, struct err *e)
{
	int r = words_json(c, rest, in, e);
	if (r < 0)
		return -1;
	in->json = r;
	if (!r)
		words_blanks(c, rest, in);
	return 0;
}

/* The keyword is args[0] until instruction_check has looked at it. */
static int healthcheck(const struct words_ctx *c, struct span rest, struct df_instruction *in, struct err *e)
{
	struct span keyword = span_take_word(&rest);
	if (!keyword.n)
		return 0;
	words_add(c, keyword, keyword.p, in);
	return rest.n ? json_or_text(c, rest, in, e) : 0;
}

static int parse_args(const struct words_ctx *c, struct span rest, struct df_instruction *in, struct err *e)
{
	switch (op_form(in->op)) {
	case FORM_JSON_OR_TEXT:
		return json_or_text(c, rest, in, e);
	case FORM_JSON_OR_WORDS:
		return json_or_words(c, rest, in, e);
	case FORM_WORDS:
		words_blanks(c, rest, in);
		return 0;
	case FORM_NAMES:
		words_names(c, rest, in);
		return 0;
	case FORM_PAIRS:
		return words_pairs(c, rest, in, e);
	case FORM_HEALTHCHECK:
		return healthcheck(c, rest, in, e);
	case FORM_TEXT:
	case FORM_TRIGGER:
		if (rest.n)
			words_add(c, rest, rest.p, in);
		return 0;
	}
	return 0;
}

static int split(const struct words_ctx *c, struct span line, struct df_instruction *in, struct err *e)
{
	struct span rest = span_trim(line);
	in->at = words_pos(c, rest.p);
	in->word = span_dup(c->arena, span_take_word(&rest));
	if (!op_find(in->word, &in->op)) {
		const char *near = op_suggest(in->word, c->arena);
		if (!*in->word)
			return err_set(e, ERR_PARSE, "an escape character that continues no instruction");
		err_set(e, ERR_PARSE, "unknown instruction: %.100s", in->word);
		return near ? err_hint(e, "did you mean %s?", near) : -1;
	}
	words_flags(c, &rest, in);
	return parse_args(c, rest, in, e);
}

static bool can_have_heredocs(const struct df_instruction *in)
{
	return (in->op == DF_RUN || in->op == DF_COPY || in->op == DF_ADD) && !in->json;
}

/*
 * An ONBUILD trigger is only looked at as far as storing it demands: its own syntax, not its rules, which count when it
 * fires. *ret_heredocs tells whether it may have heredocs.
 */
static int check_trigger(const struct words_ctx *c, const char *line, const struct df_instruction *in,
			 bool *ret_heredocs, struct err *e)
{
	AUTO(instruction_fini) struct df_instruction trigger = { 0 };
	if (!in->args.n)
		return 0;
	/* Its text is the end of the line. */
	struct span text = span_trim(span_of(line));
	size_t len = strlen(in->args.v[0]);
	text = (struct span){ text.p + text.n - len, len };
	struct span word = text;
	const char *name = span_dup(c->arena, span_take_word(&word));
	if (!op_find(name, &trigger.op))
		return 0;
	if (trigger.op == DF_ONBUILD || trigger.op == DF_FROM || trigger.op == DF_MAINTAINER) {
		err_set(e, ERR_PARSE, "%s isn't allowed as an ONBUILD trigger", df_op_name(trigger.op));
		return pos_set(e, in->args_at.v[0]);
	}
	if (split(c, text, &trigger, e)) {
		err_in(e, "ONBUILD");
		return pos_set(e, in->args_at.v[0]);
	}
	*ret_heredocs = can_have_heredocs(&trigger);
	return 0;
}

/* The line, and below it the bodies and the names that end them, as OnBuild stores a trigger (CFG-11). */
static const char *with_heredocs(const struct df_instruction *in, const char *text, struct arena *arena)
{
	AUTO(str_fini) struct str all = { 0 };
	str_add(&all, text);
	for (size_t i = 0; i < in->heredocs.n; i++)
		str_addf(&all, "\n%s%s", in->heredocs.v[i].raw, in->heredocs.v[i].name);
	return arena_strdup(arena, str_text(&all));
}

static void set_trigger(struct df_instruction *in, struct arena *arena)
{
	struct span text = span_trim_left(span_of(in->text));
	text.p += strlen(in->word);
	text.n -= strlen(in->word);
	in->args.v[0] = (char *)span_dup(arena, span_trim_left(text));
}

/*
 * Sources that are heredocs become "<<NAME" in args, without digits, dash and quotes. One that opened none, as in the
 * JSON form or beside a lone quote, stands for an empty file of that name.
 */
static void name_heredoc_sources(struct df_instruction *in, struct arena *arena)
{
	for (size_t i = 0; i < in->args.n; i++) {
		struct df_heredoc h;
		struct err ignored;
		if (heredoc_from_word(in->args.v[i], arena, &h, &ignored) != 1)
			continue;
		in->args.v[i] = arena_printf(arena, "<<%s", h.name);
		if (!df_heredoc_find(in, in->args.v[i]))
			vec_push(&in->heredocs, h);
	}
}

static int read_heredocs(struct lexer *lx, const struct words_ctx *c, const char *text, struct df_instruction *in,
	struct err *e)
{
	bool allowed = can_have_heredocs(in);
	if (in->op == DF_ONBUILD && check_trigger(c, text, in, &allowed, e))
		return -1;
	return allowed ? heredocs_read(lx, c, in, e) : 0;
}

int instruction_parse(struct lexer *lx, const struct logical_line *line, struct df_instruction *ret, struct err *e)
{
	AUTO(instruction_fini) struct df_instruction in = { 0 };
	const struct words_ctx c = { lx->arena, lx->directives.escape, lx->detached ? NULL : line, line->text, 0 };
	in.line = line->first;
	in.empty_continuation = line->empty_continuation;
	for (size_t i = 0; i < line->comments.n; i++)
		vec_push(&in.comments, line->comments.v[i]);
	if (split(&c, span_of(line->text), &in, e) || read_heredocs(lx, &c, line->text, &in, e))
		return pos_set(e, in.at);
	in.line_end = (int)lx->next;
	in.text = with_heredocs(&in, line->text, lx->arena);
	if (in.op == DF_ONBUILD && in.args.n)
		set_trigger(&in, lx->arena);
	if (in.op == DF_COPY || in.op == DF_ADD)
		name_heredoc_sources(&in, lx->arena);
	if (instruction_check(&in, lx->arena, e))
		return df_err_at(e, &in, NULL);
	*ret = in;
	in = (struct df_instruction){ 0 };
	return 0;
}
