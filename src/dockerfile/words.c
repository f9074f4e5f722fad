#include "words_priv.h"

#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "errors_priv.h"

struct df_pos words_pos(const struct words_ctx *c, const char *p)
{
	return c->line ? logical_line_at(c->line, c->offset + (size_t)(p - c->base)) : (struct df_pos){ 0 };
}

/* in->args is a struct strv whose strings are not owned by it: they lie in the arena. */
void words_add(const struct words_ctx *c, struct span word, const char *p, struct df_instruction *in)
{
	vec_push(&in->args, arena_strndup(c->arena, word.p, word.n));
	vec_push(&in->args_at, words_pos(c, p));
}

/* p stands before an element of a valid array: at "[" or ",". Its first byte; *ret_end gets what ends it. */
static const char *json_element(const char *p, const char **ret_end)
{
	const char *start = p + 1 + strspn(p + 1, " \t\r\n");
	size_t depth = 0;
	for (p = start; depth || !strchr(",]", *p); p++) {
		if (*p == '"')
			for (p++; *p != '"'; p++)
				p += *p == '\\';
		else if (*p == '[' || *p == '{')
			depth++;
		else if (*p == ']' || *p == '}')
			depth--;
	}
	*ret_end = p;
	return start;
}

__attribute__((format(printf, 4, 5)))
static int words_error(const struct words_ctx *c, const char *p, struct err *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_setv(e, ERR_PARSE, fmt, ap);
	va_end(ap);
	return pos_set(e, words_pos(c, p));
}

int words_json(const struct words_ctx *c, struct span text, struct df_instruction *in, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	AUTO(str_fini) struct str valid = { 0 };
	struct err ignored;
	text = span_trim_left(text);
	if (!text.n || *text.p != '[')
		return 0;
	str_add_utf8(&valid, text.p, text.n);
	if (json_parse(valid.buf, valid.len, df_op_name(in->op), &j, &ignored) || j.type != JSON_ARRAY)
		return 0;
	const char *next = text.p;
	for (size_t i = 0; i < j.items.n; i++) {
		const struct json *item = &j.items.v[i];
		const char *at = json_element(next, &next);
		if (item->type != JSON_STRING)
			return words_error(c, at, e,
				"a JSON array of arguments must hold strings only; element %zu is none", i + 1);
		words_add(c, span_of(item->text), at, in);
	}
	return 1;
}

void words_blanks(const struct words_ctx *c, struct span text, struct df_instruction *in)
{
	while (text.n) {
		struct span word = span_take_word(&text);
		words_add(c, word, word.p, in);
	}
}

/*
 * Takes the next word with its quotes and escapes, which stay in it for the expansion to deal with; an escape character
 * that is the last of the text is dropped.
 */
static bool take_quoted_word(const struct words_ctx *c, struct span *text, struct str *ret)
{
	char quote = 0;
	bool quoted = false;
	*text = span_trim_left(*text);
	str_clear(ret);
	while (text->n) {
		uint32_t ch;
		size_t len = text_char(text->p, text->n, &ch);
		char first = *text->p;
		if (!quote && text_is_space(ch))
			break;
		if (!quote && (first == '\'' || first == '"')) {
			quote = first;
			quoted = true;
		} else if (quote && first == quote) {
			quote = 0;
		} else if (first == c->escape && quote != '\'') {
			if (len < text->n)
				len += text_char(text->p + 1, text->n - 1, &ch);
			else
				first = 0;
		}
		if (first)
			str_addn(ret, text->p, len);
		text->p += len;
		text->n -= len;
	}
	return quoted || ret->len;
}

static struct df_kv split_pair(const struct words_ctx *c, const char *word, struct df_pos at)
{
	const char *equals = strchr(word, '=');
	if (!equals)
		return (struct df_kv){ arena_strdup(c->arena, word), NULL, at };
	return (struct df_kv){ arena_strndup(c->arena, word, (size_t)(equals - word)),
			       arena_strdup(c->arena, equals + 1), at };
}

void words_names(const struct words_ctx *c, struct span text, struct df_instruction *in)
{
	AUTO(str_fini) struct str word = { 0 };
	while (text = span_trim_left(text), text.n) {
		struct df_pos at = words_pos(c, text.p);
		if (take_quoted_word(c, &text, &word))
			vec_push(&in->kvs, split_pair(c, str_text(&word), at));
	}
}

static int old_form(const struct words_ctx *c, struct span text, struct df_instruction *in, struct err *e)
{
	struct span key = span_take_word(&text);
	if (!text.n)
		return words_error(c, key.p, e, "%s must have two arguments: a name and a value", df_op_name(in->op));
	struct df_kv kv = { span_dup(c->arena, key), span_dup(c->arena, text), words_pos(c, key.p) };
	vec_push(&in->kvs, kv);
	in->legacy_kv = true;
	return 0;
}

int words_pairs(const struct words_ctx *c, struct span text, struct df_instruction *in, struct err *e)
{
	AUTO(str_fini) struct str word = { 0 };
	struct span all = text;
	while (text = span_trim_left(text), text.n) {
		const char *start = text.p;
		if (!take_quoted_word(c, &text, &word))
			continue;
		if (!strchr(str_text(&word), '=')) {
			if (!in->kvs.n)
				return old_form(c, all, in, e);
			return words_error(c, start, e, "can't find = in \"%.200s\": it must be of the form name=value",
					   str_text(&word));
		}
		vec_push(&in->kvs, split_pair(c, str_text(&word), words_pos(c, start)));
	}
	return 0;
}

/* One word beginning with "--"; quotes and backslashes are processed, whatever the escape directive says. */
static void take_flag_word(struct span *text, struct str *ret)
{
	char quote = 0;
	str_clear(ret);
	while (text->n) {
		uint32_t ch;
		size_t len = text_char(text->p, text->n, &ch);
		char first = *text->p;
		if (!quote && text_is_space(ch))
			break;
		bool mark = quote ? first == quote : first == '\'' || first == '"';
		if (mark)
			quote = quote ? 0 : first;
		if (first == '\\') {
			text->p++;
			text->n--;
			len = text->n ? text_char(text->p, text->n, &ch) : 0;
		}
		if (!mark)
			str_addn(ret, text->p, len);
		text->p += len;
		text->n -= len;
	}
}

void words_flags(const struct words_ctx *c, struct span *text, struct df_instruction *in)
{
	AUTO(str_fini) struct str word = { 0 };
	while (*text = span_trim(*text), span_starts(*text, "--")) {
		struct df_pos at = words_pos(c, text->p);
		take_flag_word(text, &word);
		if (str_eq(str_text(&word), "--"))
			break;
		struct df_kv pair = split_pair(c, str_text(&word) + 2, at);
		struct df_flag f = { pair.key, pair.value, at };
		vec_push(&in->flags, f);
	}
	*text = span_trim(*text);
}
