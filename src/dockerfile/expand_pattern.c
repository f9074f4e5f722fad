/*
 * The patterns of ${v#p} and ${v/p/r}: '*' is any text and '?' any character, neither crosses a line end, and a
 * backslash takes the meaning of '*', '?' and itself away (EXP-04). There are no bracket classes.
 *
 * Between two stars stands a run of characters. Taking each run where it first fits, and the last one first or last,
 * gives the shortest or longest match without trying anything twice.
 */
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "expand_priv.h"
#include "text_priv.h"

enum { STAR = -1, ANY = -2 };
enum { WORK_MAX = 1 << 28 }; /* comparisons; only made-up input comes near */

struct pattern {
	VEC(int32_t) items; /* a character, STAR or ANY */
};

struct subject {
	VEC(int32_t) chars;
	VEC(size_t) at;     /* byte offset of each, and of the end */
	size_t work;        /* comparisons made so far */
};

static void pattern_fini(struct pattern *p)
{
	vec_fini(&p->items);
}

static void subject_fini(struct subject *s)
{
	vec_fini(&s->chars);
	vec_fini(&s->at);
}

static int pattern_parse(const char *text, struct pattern *ret, struct err *e)
{
	vec_reserve(&ret->items, 1);
	for (const char *p = text; *p;) {
		uint32_t c;
		bool escaped = *p == '\\';
		p += escaped;
		if (escaped && (!*p || !strchr("}/*?\\", *p)))
			return err_set(e, ERR_PARSE,
				       "invalid pattern (%.100s) in substitution: invalid escape '\\%.1s'", text, p);
		/* "\}" and "\/" are only written so that the substitution does not end there. */
		p += text_char(p, strnlen(p, 4), &c);
		bool literal = escaped && c != '}' && c != '/';
		vec_push(&ret->items, !literal && c == '*' ? STAR : !literal && c == '?' ? ANY : (int32_t)c);
	}
	return 0;
}

static void subject_init(struct subject *s, const char *value)
{
	vec_reserve(&s->chars, 1);
	const char *p = value;
	while (*p) {
		uint32_t c;
		vec_push(&s->at, (size_t)(p - value));
		size_t len = text_char(p, strnlen(p, 4), &c);
		/* A byte that is no UTF-8 must equal itself only. */
		vec_push(&s->chars, c == 0xfffd && len == 1 ? 0x200000 + (unsigned char)*p : (int32_t)c);
		p += len;
	}
	vec_push(&s->at, (size_t)(p - value));
}

static void reverse(int32_t *v, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		int32_t t = v[i];
		v[i] = v[n - 1 - i];
		v[n - 1 - i] = t;
	}
}

static bool run_fits(const int32_t *run, size_t n, struct subject *s, size_t at)
{
	if (s->chars.n - at < n || s->work > WORK_MAX)
		return false;
	s->work++;
	for (size_t i = 0; i < n; i++, s->work++) {
		int32_t c = s->chars.v[at + i];
		if (run[i] == ANY ? c == '\n' : run[i] != c)
			return false;
	}
	return true;
}

/* Where a run fits at or after `from`, the text skipped for it holding no line end; the last such place when `last`. */
static bool run_find(const int32_t *run, size_t n, struct subject *s, size_t from, bool last, size_t *ret)
{
	bool found = false;
	for (size_t at = from; at <= s->chars.n && s->work <= WORK_MAX; at++) {
		if (run_fits(run, n, s, at)) {
			*ret = at;
			found = true;
			if (!last)
				return true;
		}
		if (at < s->chars.n && s->chars.v[at] == '\n')
			break;
	}
	return found;
}

/* Matches the pattern at `from`; *ret is where the match ends. */
static bool match_at(const struct pattern *p, struct subject *s, size_t from, bool longest, size_t *ret)
{
	size_t at = from;
	bool after_star = false;
	for (size_t i = 0; i <= p->items.n;) {
		size_t end = i;
		while (end < p->items.n && p->items.v[end] != STAR)
			end++;
		bool is_last = end == p->items.n;
		const int32_t *run = p->items.v + i;
		if (!after_star) {
			if (!run_fits(run, end - i, s, at))
				return false;
		} else if (!run_find(run, end - i, s, at, is_last && longest, &at)) {
			return false;
		}
		at += end - i;
		after_star = true;
		i = end + 1;
	}
	*ret = at;
	return true;
}

static int too_much_work(const char *pattern, struct err *e)
{
	return err_set(e, ERR_LIMIT, "the pattern (%.100s) of a substitution takes too long to match", pattern);
}

int expand_trim(const char *value, const char *pattern, char op, bool longest, struct str *out, struct err *e)
{
	AUTO(pattern_fini) struct pattern p = { 0 };
	AUTO(subject_fini) struct subject s = { 0 };
	if (pattern_parse(pattern, &p, e))
		return -1;
	subject_init(&s, value);
	size_t n = s.chars.n, end = 0;
	if (op == '%') {
		reverse(p.items.v, p.items.n);
		reverse(s.chars.v, n);
	}
	if (!match_at(&p, &s, 0, longest, &end))
		end = 0;
	if (s.work > WORK_MAX)
		return too_much_work(pattern, e);
	size_t from = op == '#' ? s.at.v[end] : 0, to = op == '#' ? s.at.v[n] : s.at.v[n - end];
	str_addn(out, value + from, to - from);
	return 0;
}

static bool find(const struct pattern *p, struct subject *s, size_t from, size_t *ret_start, size_t *ret_end)
{
	for (size_t at = from; at <= s->chars.n && s->work <= WORK_MAX; at++) {
		if (match_at(p, s, at, true, ret_end)) {
			*ret_start = at;
			return true;
		}
	}
	return false;
}

/*
 * The name behind a '$' of a replacement, with or without braces. Returns its length, 0 when there is none and the
 * dollar is an ordinary character; *ret_used is the length with the braces.
 */
static size_t take_group(const char *p, const char **ret_name, size_t *ret_used)
{
	bool brace = *p == '{';
	const char *name = p + brace, *end = name;
	uint32_t c;
	size_t len;
	while (*end && (len = text_char(end, strnlen(end, 4), &c), text_is_name_char(c)))
		end += len;
	if (end == name || (brace && *end != '}'))
		return 0;
	*ret_name = name;
	*ret_used = (size_t)(end - p) + brace;
	return (size_t)(end - name);
}

/*
 * The replacement of ${v//p/r} is a template of Go's regexp: "$0" is what was matched, "$$" a dollar, and as a pattern
 * has no groups, every other name stands for nothing. That of ${v/p/r} is not.
 */
static void add_template(struct str *out, const char *by, const char *match, size_t match_len)
{
	for (const char *dollar; (dollar = strchr(by, '$'));) {
		const char *name;
		size_t used = 1, n;
		str_addn(out, by, (size_t)(dollar - by));
		by = dollar + 1;
		if (*by != '$' && (n = take_group(by, &name, &used)) > 0) {
			if (n == 1 && *name == '0')
				str_addn(out, match, match_len);
			by += used;
			continue;
		}
		str_addc(out, '$');
		by += *by == '$';
	}
	str_add(out, by);
}

int expand_replace(const char *value, const char *pattern, const char *by, bool all, size_t limit, struct str *out,
	struct err *e)
{
	AUTO(pattern_fini) struct pattern p = { 0 };
	AUTO(subject_fini) struct subject s = { 0 };
	if (pattern_parse(pattern, &p, e))
		return -1;
	subject_init(&s, value);
	size_t done = 0, from = 0, start, end;
	while (from <= s.chars.n && find(&p, &s, from, &start, &end)) {
		str_addn(out, value + s.at.v[done], s.at.v[start] - s.at.v[done]);
		/* An empty match right after the match before it does not count, as in Go's regexp. */
		if (all && (end > done || start == 0))
			add_template(out, by, value + s.at.v[start], s.at.v[end] - s.at.v[start]);
		else if (!all)
			str_add(out, by);
		if (out->len > limit)
			return err_set(e, ERR_LIMIT, "the expanded value is longer than %zu bytes", limit);
		done = end;
		from = end > from ? end : from + 1;
		if (!all)
			break;
	}
	if (s.work > WORK_MAX)
		return too_much_work(pattern, e);
	str_addn(out, value + s.at.v[done], s.at.v[s.chars.n] - s.at.v[done]);
	return 0;
}
