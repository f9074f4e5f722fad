#include "dockerfile/expand.h"

#include <string.h>

#include "base/limits.h"
#include "expand_priv.h"
#include "text_priv.h"

/*
 * ${a:-${b:-…}} nests; each level is a frame on the heap, never a call. A frame collects the text up to its stop
 * character; when that comes, the substitution it belongs to is done and the result goes to the frame below.
 */
enum { NESTING_MAX = 1000 };
enum { HEREDOC_MAX = 4 * LIMIT_DOCKERFILE }; /* a body may hold the whole file, and grow */

struct frame {
	char stop;          /* '}' or '/'; 0 for the outermost frame */
	bool keep_escapes;
	bool in_quotes;     /* between double quotes */
	char op;            /* - + ? # % / */
	bool colon;         /* ${v:-w}: an empty value counts as unset */
	bool all;           /* ${v//p/r} */
	char *name;         /* owned */
	char *pattern;      /* owned; of ${v/p/r} once it is complete */
	struct str text;    /* what was collected */
};

struct expander {
	const struct df_scope *scope;
	const struct expand_mode *mode;
	const char *p;      /* unread input */
	char escape;
	VEC(struct frame) frames;
	size_t held;        /* bytes in all frames */
	struct strv *words; /* NULL: not asked for */
	struct str word;    /* the one being collected */
	size_t quote_at;    /* where in `word` the open double quote of the outermost frame began */
	struct err *e;
};

static void expander_fini(struct expander *x)
{
	for (size_t i = 0; i < x->frames.n; i++) {
		free(x->frames.v[i].name);
		free(x->frames.v[i].pattern);
		str_fini(&x->frames.v[i].text);
	}
	vec_fini(&x->frames);
	str_fini(&x->word);
}

static struct frame *top(struct expander *x)
{
	return &x->frames.v[x->frames.n - 1];
}

static int too_long(struct expander *x)
{
	return err_set(x->e, ERR_LIMIT, "the expanded value is longer than %zu bytes", x->mode->limit);
}

static void end_word(struct expander *x)
{
	if (x->word.len)
		strv_push(x->words, str_text(&x->word));
	str_clear(&x->word);
}

/* Adds text to the innermost frame; `split` when blanks in it may end a word. */
static int emit(struct expander *x, const char *bytes, size_t n, bool split)
{
	struct frame *f = top(x);
	if (x->held + n > x->mode->limit)
		return too_long(x);
	x->held += n;
	str_addn(&f->text, bytes, n);
	if (!x->words || x->frames.n > 1)
		return 0;
	if (!split || f->in_quotes) {
		str_addn(&x->word, bytes, n);
		return 0;
	}
	for (size_t i = 0, len; i < n; i += len) {
		uint32_t c;
		len = text_char(bytes + i, n - i, &c);
		if (text_is_space(c))
			end_word(x);
		else
			str_addn(&x->word, bytes + i, len);
	}
	return 0;
}

static int emit_text(struct expander *x, const char *text)
{
	return emit(x, text, strlen(text), true);
}

/* One character of the input as it is. */
static int emit_char(struct expander *x, bool split)
{
	uint32_t c;
	size_t len = text_char(x->p, strnlen(x->p, 4), &c);
	x->p += len;
	return emit(x, x->p - len, len, split);
}

static const char *lookup(struct expander *x, const char *name)
{
	const struct df_scope *s = x->scope;
	const char *value = s && s->env && *name ? env_get(s->env, name) : NULL;
	if (!value && s && s->undefined && !strv_has(s->undefined, name))
		strv_push(s->undefined, name);
	if (!value && s && s->unknown)
		*s->unknown = true;
	return value;
}

/* A name, a whole number, or one of the shell's special characters; "" when there is none (EXP-01). */
static char *take_name(struct expander *x)
{
	const char *start = x->p;
	if (*x->p >= '0' && *x->p <= '9') {
		while (*x->p >= '0' && *x->p <= '9')
			x->p++;
	} else if (*x->p && strchr("@*#?-$!", *x->p)) {
		x->p++;
	} else {
		uint32_t c;
		size_t len;
		while (*x->p && (len = text_char(x->p, strnlen(x->p, 4), &c), text_is_name_char(c)))
			x->p += len;
	}
	return x_strndup(start, (size_t)(x->p - start));
}

/*
 * The reference splits words with one buffer for all nesting, so that what stands before "${v:-w}" in the same word is
 * lost: "80-${N:-90}" gives the word "90". Text between the quotes around such a substitution is kept.
 */
static void drop_word_before_nesting(struct expander *x)
{
	struct str kept = { 0 };
	if (x->frames.n != 1)
		return;
	if (top(x)->in_quotes)
		str_addn(&kept, str_text(&x->word) + x->quote_at, x->word.len - x->quote_at);
	str_fini(&x->word);
	x->word = kept;
	x->quote_at = 0;
}

static struct frame *push_frame(struct expander *x, char stop, bool keep_escapes)
{
	drop_word_before_nesting(x);
	struct frame *f = vec_add(&x->frames);
	f->stop = stop;
	f->keep_escapes = keep_escapes;
	return f;
}

/* The character after "${name" decides: a plain value at once, or a frame for the word that follows. */
static int open_operator(struct expander *x, char *name_taken)
{
	AUTO(free_drop) char *name = name_taken;
	char op = *x->p;
	bool colon = op == ':', all = false;
	if (op)
		x->p++;
	if (op == '}') {
		const char *value = lookup(x, name);
		if (!value && x->mode->keep_unset) {
			AUTO(free_drop) char *same = x_asprintf("${%s}", name);
			return emit_text(x, same);
		}
		return value ? emit_text(x, value) : 0;
	}
	if (colon) {
		op = *x->p;
		if (op)
			x->p++;
	}
	if (!op)
		return err_set(x->e, ERR_PARSE, "missing '}' in substitution");
	if (!strchr("-+?#%/", op) || (colon && strchr("#%/", op))) {
		uint32_t c;
		size_t len = text_char(x->p - 1, strnlen(x->p - 1, 4), &c);
		return err_set(x->e, ERR_PARSE, "unsupported modifier (%s%.*s) in substitution", colon ? ":" : "",
			       (int)len, x->p - 1);
	}
	if (op == '/' && *x->p == '/') {
		all = true;
		x->p++;
	}
	if (x->frames.n >= NESTING_MAX)
		return err_set(x->e, ERR_LIMIT, "substitutions nest deeper than %d", NESTING_MAX);
	bool pattern = op == '#' || op == '%' || op == '/';
	struct frame *f = push_frame(x, op == '/' ? '/' : '}', pattern);
	f->op = op;
	f->colon = colon;
	f->all = all;
	f->name = ptr_take(&name);
	return 0;
}

static int on_dollar(struct expander *x)
{
	x->p++;
	if (*x->p == '{') {
		x->p++;
		if (!*x->p)
			return err_set(x->e, ERR_PARSE, "missing '}' in substitution");
		if (strchr("{}:", *x->p))
			return err_set(x->e, ERR_PARSE, "bad substitution: a name is wanted behind ${");
		return open_operator(x, take_name(x));
	}
	AUTO(free_drop) char *name = take_name(x);
	if (!*name)
		return emit_text(x, "$");
	const char *value = lookup(x, name);
	if (!value && x->mode->keep_unset) {
		AUTO(free_drop) char *same = x_asprintf("$%s", name);
		return emit_text(x, same);
	}
	return value ? emit_text(x, value) : 0;
}

static int require(struct expander *x, const struct frame *f, const char *value, const char *word)
{
	if (value && (*value || !f->colon))
		return emit_text(x, value);
	if (!value && x->scope && x->scope->unknown)
		return 0;
	if (*word)
		return err_set(x->e, ERR_PARSE, "%s: %s", f->name, word);
	return err_set(x->e, ERR_PARSE, "%s is %s, and must not be", f->name, value ? "empty" : "not set");
}

static int emit_unset(struct expander *x, const struct frame *f, const char *word)
{
	AUTO(str_fini) struct str same = { 0 };
	if (f->op == '/')
		str_addf(&same, "${%s/%s/%s}", f->name, f->pattern, word);
	else
		str_addf(&same, "${%s%s%c%s}", f->name, f->colon ? ":" : "", f->op, word);
	return emit_text(x, str_text(&same));
}

/* Carries out the substitution whose closing brace was read; *f is no longer on the stack. */
static int substitute(struct expander *x, const struct frame *f)
{
	const char *word = str_text(&f->text), *value = lookup(x, f->name);
	bool missing = !value || (f->colon && !*value);
	AUTO(str_fini) struct str out = { 0 };
	if (!value && x->mode->keep_unset)
		return emit_unset(x, f, word);
	switch (f->op) {
	case '-':
		return emit_text(x, missing ? word : value);
	case '+':
		return missing ? 0 : emit_text(x, word);
	case '?':
		return require(x, f, value, word);
	case '/':
		if (expand_replace(value ? value : "", f->pattern, word, f->all, x->mode->limit, &out, x->e))
			return -1;
		return emit_text(x, str_text(&out));
	default: {
		bool longest = *word == f->op;
		if (expand_trim(value ? value : "", word + longest, f->op, longest, &out, x->e))
			return -1;
		return emit_text(x, str_text(&out));
	}
	}
}

static int on_stop(struct expander *x)
{
	struct frame *f = top(x);
	x->p++;
	if (f->stop == '/') {
		f->pattern = str_take(&f->text);
		f->stop = '}';
		return 0;
	}
	struct frame done = *f;
	x->frames.n--;
	x->held -= done.text.len + (done.pattern ? strlen(done.pattern) : 0);
	int r = substitute(x, &done);
	free(done.name);
	free(done.pattern);
	str_fini(&done.text);
	return r;
}

static int on_single_quote(struct expander *x)
{
	const char *close = strchr(x->p + 1, '\'');
	if (!close)
		return err_set(x->e, ERR_PARSE, "a single quote is not closed");
	const char *from = x->mode->keep_quotes ? x->p : x->p + 1, *to = x->mode->keep_quotes ? close + 1 : close;
	x->p = close + 1;
	return emit(x, from, (size_t)(to - from), false);
}

static int on_double_quote(struct expander *x)
{
	struct frame *f = top(x);
	x->p++;
	f->in_quotes = !f->in_quotes;
	x->quote_at = x->word.len;
	return x->mode->keep_quotes ? emit(x, "\"", 1, false) : 0;
}

/* Within double quotes only the quote, the dollar and the escape itself can be escaped (EXP-05). */
static int on_escape_in_quotes(struct expander *x)
{
	x->p++;
	if (top(x)->keep_escapes && emit(x, &x->escape, 1, false))
		return -1;
	if (*x->p && (*x->p == '"' || *x->p == '$' || *x->p == x->escape))
		return emit_char(x, false);
	return *x->p ? emit(x, &x->escape, 1, false) : 0;
}

static int on_escape(struct expander *x)
{
	if (top(x)->in_quotes)
		return on_escape_in_quotes(x);
	x->p++;
	if (top(x)->keep_escapes && emit(x, &x->escape, 1, false))
		return -1;
	return *x->p ? emit_char(x, false) : 0;
}

/* "<<" and the blanks after it belong to one word, so that "<< EOF" is found as a heredoc. */
static int on_less(struct expander *x)
{
	const char *start = x->p++;
	if (*x->p == '<') {
		x->p++;
		while (*x->p == ' ' || *x->p == '\t' || *x->p == '\r')
			x->p++;
	}
	return emit(x, start, (size_t)(x->p - start), false);
}

static int step(struct expander *x)
{
	struct frame *f = top(x);
	char c = *x->p;
	if (c == '$')
		return on_dollar(x);
	if (c == x->escape)
		return on_escape(x);
	if (f->in_quotes)
		return c == '"' ? on_double_quote(x) : emit_char(x, false);
	if (f->stop && c == f->stop)
		return on_stop(x);
	if (c == '\'' && !x->mode->no_quotes)
		return on_single_quote(x);
	if (c == '"' && !x->mode->no_quotes)
		return on_double_quote(x);
	if (c == '<')
		return on_less(x);
	return emit_char(x, true);
}

static int unfinished(struct expander *x)
{
	struct frame *f = top(x);
	if (f->in_quotes)
		return err_set(x->e, ERR_PARSE, "a double quote is not closed");
	if (f->stop == '/')
		return err_set(x->e, ERR_PARSE, "missing '/' in substitution");
	return err_set(x->e, ERR_PARSE, "missing '}' in substitution (blanks before it need quotes)");
}

/* Of a heredoc's body the first line is shown. */
static int fail_word(const char *word, struct err *e)
{
	size_t n = strcspn(word, "\n");
	return err_in(e, "failed to process %.*s", n > 160 ? 160 : (int)n, word);
}

int expand(const struct df_scope *s, const struct expand_mode *mode, const char *word, struct str *ret_text,
	struct strv *ret_words, struct err *e)
{
	AUTO(strv_fini) struct strv words = { 0 };
	AUTO(expander_fini) struct expander x = { .scope = s, .mode = mode, .p = word, .e = e };
	x.escape = mode->escape ? mode->escape : s->escape;
	x.words = ret_words ? &words : NULL;
	push_frame(&x, 0, mode->keep_escapes);
	while (*x.p)
		if (step(&x))
			return fail_word(word, e);
	if (x.frames.n > 1 || top(&x)->in_quotes) {
		unfinished(&x);
		return fail_word(word, e);
	}
	if (ret_words) {
		end_word(&x);
		for (size_t i = 0; i < words.n; i++)
			strv_push_taken(ret_words, words.v[i]);
		words.n = 0;
	}
	if (ret_text)
		*ret_text = (struct str){ .buf = str_take(&top(&x)->text) };
	return 0;
}

int df_expand(const struct df_scope *s, const char *word, char **ret, struct err *e)
{
	static const struct expand_mode mode = { .limit = LIMIT_VALUE };
	struct str text;
	if (expand(s, &mode, word, &text, NULL, e))
		return -1;
	*ret = text.buf;
	return 0;
}

int df_expand_words(const struct df_scope *s, const char *word, struct strv *ret, struct err *e)
{
	static const struct expand_mode mode = { .limit = LIMIT_VALUE };
	return expand(s, &mode, word, NULL, ret, e);
}

int df_expand_body(const struct df_scope *s, const char *body, char **ret, struct err *e)
{
	static const struct expand_mode mode = { .limit = HEREDOC_MAX, .no_quotes = true, .escape = '\\' };
	struct str text;
	if (expand(s, &mode, body, &text, NULL, e))
		return -1;
	*ret = text.buf;
	return 0;
}
