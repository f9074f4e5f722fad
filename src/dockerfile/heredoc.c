#include "heredoc_priv.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "errors_priv.h"
#include "expand_priv.h"

enum { HEREDOCS_MAX = 1000 }; /* of one instruction: they are looked up by name */

/* Lines with heredocs are always read with the backslash as escape. */
static const struct expand_mode whole_line = {
	.keep_quotes = true, .keep_escapes = true, .keep_unset = true, .escape = '\\', .limit = 2 * LIMIT_DOCKERFILE,
};
static const struct expand_mode plain_word = { .keep_unset = true, .escape = '\\', .limit = 2 * LIMIT_DOCKERFILE };
static const struct expand_mode quoted_word = {
	.keep_quotes = true, .keep_unset = true, .escape = '\\', .limit = 2 * LIMIT_DOCKERFILE,
};

static size_t count_quotes(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += *s == '\'' || *s == '"';
	return n;
}

/* "N<<-WORD" without a further "<"; *ret_word is WORD. */
static bool opens(const char *s, struct df_heredoc *h, const char **ret_word)
{
	h->fd = -1;
	for (; *s >= '0' && *s <= '9'; s++)
		h->fd = h->fd < 0 ? *s - '0' : h->fd < 100000 ? h->fd * 10 + (*s - '0') : h->fd;
	if (strncmp(s, "<<", 2) != 0)
		return false;
	s += 2;
	h->strip_tabs = *s == '-';
	s += h->strip_tabs;
	s += strspn(s, " \t\r\f");
	*ret_word = s;
	return *s && !strchr(s, '<');
}

int heredoc_from_word(const char *word, struct arena *arena, struct df_heredoc *ret, struct err *e)
{
	AUTO(strv_fini) struct strv plain = { 0 };
	AUTO(strv_fini) struct strv quoted = { 0 };
	struct df_heredoc h = { 0 };
	const char *rest;
	if (!opens(word, &h, &rest))
		return 0;
	if (expand(NULL, &plain_word, rest, NULL, &plain, e) || expand(NULL, &quoted_word, rest, NULL, &quoted, e))
		return -1;
	if (plain.n != 1 || quoted.n != 1)
		return 0;
	h.name = arena_strdup(arena, plain.v[0]);
	/* A quote that was escaped is in both; one that quoted something is only in the second (HERE-03). */
	h.expand = count_quotes(plain.v[0]) == count_quotes(quoted.v[0]);
	h.body = h.raw = "";
	*ret = h;
	return 1;
}

static void strip_leading_tabs(struct str *out, const char *raw)
{
	while (*raw) {
		raw += strspn(raw, "\t");
		size_t n = strcspn(raw, "\n");
		n += raw[n] == '\n';
		str_addn(out, raw, n);
		raw += n;
	}
}

static bool terminates(struct span line, const struct df_heredoc *h)
{
	line = line_without_end(line);
	while (h->strip_tabs && line.n && *line.p == '\t') {
		line.p++;
		line.n--;
	}
	return span_eq(line, h->name);
}

static int read_body(struct lexer *lx, struct df_heredoc *h, struct err *e)
{
	AUTO(str_fini) struct str stripped = { 0 };
	struct span line, body = { NULL, 0 };
	for (;;) {
		if (!lexer_raw_line(lx, &line))
			return err_set(e, ERR_PARSE, "unterminated heredoc: no line is \"%.100s\"", h->name);
		if (terminates(line, h))
			break;
		/* The lines of a body lie behind each other in the input. */
		body = (struct span){ body.p ? body.p : line.p, body.n + line.n };
	}
	h->raw = h->body = span_dup(lx->arena, body);
	h->body_len = body.n;
	if (h->strip_tabs) {
		strip_leading_tabs(&stripped, h->raw);
		h->body = arena_strndup(lx->arena, str_text(&stripped), stripped.len);
		h->body_len = stripped.len;
	}
	return 0;
}

int heredocs_read(struct lexer *lx, const struct words_ctx *c, struct df_instruction *in, struct err *e)
{
	const char *line = c->base;
	AUTO(strv_fini) struct strv words = { 0 };
	struct err ignored;
	/* A line with a lone quote or ${a[0]} makes no sense to the expansion and has no heredoc; it is the shell's. */
	if (!strstr(line, "<<") || expand(NULL, &whole_line, line, NULL, &words, &ignored))
		return 0;
	for (size_t i = 0; i < words.n; i++) {
		struct df_heredoc h;
		int r = heredoc_from_word(words.v[i], lx->arena, &h, e);
		if (r < 0)
			return -1;
		if (!r)
			continue;
		if (in->heredocs.n == HEREDOCS_MAX)
			return err_set(e, ERR_LIMIT, "the instruction has more than %d heredocs", HEREDOCS_MAX);
		if (read_body(lx, &h, e)) {
			const char *at = strstr(line, words.v[i]);
			return at ? pos_set(e, words_pos(c, at)) : -1;
		}
		vec_push(&in->heredocs, h);
	}
	return 0;
}

void heredocs_skip(struct lexer *lx, const struct words_ctx *c)
{
	struct df_instruction in = { 0 };
	struct err ignored;
	size_t here = lx->next;
	if (heredocs_read(lx, c, &in, &ignored))
		lx->next = here;
	vec_fini(&in.heredocs);
}

static const struct df_heredoc *by_name(const struct df_instruction *in, const char *name)
{
	for (size_t i = in->heredocs.n; i-- > 0;)
		if (strcmp(in->heredocs.v[i].name, name) == 0)
			return &in->heredocs.v[i];
	return NULL;
}

const struct df_heredoc *df_heredoc_find(const struct df_instruction *in, const char *word)
{
	AUTO(arena_fini) struct arena scratch = { 0 };
	struct df_heredoc opened;
	struct err ignored;
	if (!in->heredocs.n)
		return NULL;
	if (in->op == DF_COPY || in->op == DF_ADD)
		return strncmp(word, "<<", 2) == 0 ? by_name(in, word + 2) : NULL;
	return heredoc_from_word(word, &scratch, &opened, &ignored) == 1 ? by_name(in, opened.name) : NULL;
}
