#include "words_priv.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"

/* in->args is a struct strv whose strings are not owned by it: they lie in the arena. */
void words_add(const struct words_ctx *c, struct span word, struct df_instruction *in)
{
	vec_push(&in->args, arena_strndup(c->arena, word.p, word.n));
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
	for (size_t i = 0; i < j.items.n; i++) {
		const struct json *item = &j.items.v[i];
		if (item->type != JSON_STRING)
			return err_set(e, ERR_PARSE,
				       "a JSON array of arguments must hold strings only; element %zu is none", i + 1);
		words_add(c, span_of(item->text), in);
	}
	return 1;
}

void words_blanks(const struct words_ctx *c, struct span text, struct df_instruction *in)
{
	while (text.n)
		words_add(c, span_take_word(&text), in);
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

static struct df_kv split_pair(const struct words_ctx *c, const char *word)
{
	const char *equals = strchr(word, '=');
	if (!equals)
		return (struct df_kv){ arena_strdup(c->arena, word), NULL };
	return (struct df_kv){ arena_strndup(c->arena, word, (size_t)(equals - word)),
			       arena_strdup(c->arena, equals + 1) };
}

void words_names(const struct words_ctx *c, struct span text, struct df_instruction *in)
{
	AUTO(str_fini) struct str word = { 0 };
	while (text.n)
		if (take_quoted_word(c, &text, &word))
			vec_push(&in->kvs, split_pair(c, str_text(&word)));
}

static int old_form(const struct words_ctx *c, struct span text, struct df_instruction *in, struct err *e)
{
	struct span key = span_take_word(&text);
	if (!text.n)
		return err_set(e, ERR_PARSE, "%s must have two arguments: a name and a value", df_op_name(in->op));
	struct df_kv kv = { span_dup(c->arena, key), span_dup(c->arena, text) };
	vec_push(&in->kvs, kv);
	in->legacy_kv = true;
	return 0;
}

int words_pairs(const struct words_ctx *c, struct span text, struct df_instruction *in, struct err *e)
{
	AUTO(str_fini) struct str word = { 0 };
	struct span all = text;
	while (text.n) {
		if (!take_quoted_word(c, &text, &word))
			continue;
		if (!strchr(str_text(&word), '=')) {
			if (!in->kvs.n)
				return old_form(c, all, in, e);
			return err_set(e, ERR_PARSE, "can't find = in \"%.200s\": it must be of the form name=value",
				       str_text(&word));
		}
		vec_push(&in->kvs, split_pair(c, str_text(&word)));
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
		take_flag_word(text, &word);
		if (str_eq(str_text(&word), "--"))
			break;
		struct df_kv pair = split_pair(c, str_text(&word) + 2);
		struct df_flag f = { pair.key, pair.value };
		vec_push(&in->flags, f);
	}
	*text = span_trim(*text);
}
