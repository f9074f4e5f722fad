#include "dockerfile/match.h"

#include <string.h>

#include "match_priv.h"
#include "text_priv.h"

bool df_has_wildcard(const char *pattern)
{
	for (const char *p = pattern; *p; p++) {
		if (strchr("*?[", *p))
			return true;
		if (*p == '\\' && !*++p)
			break;
	}
	return false;
}

/* One end of a range in a class: a character, or one behind a backslash; "-" and "]" only so. */
static bool class_char(const char **p, uint32_t *ret)
{
	if (!**p || **p == '-' || **p == ']')
		return false;
	*p += **p == '\\';
	if (!**p)
		return false;
	size_t len = text_char(*p, strnlen(*p, 4), ret);
	if (*ret == 0xfffd && len == 1)
		return false; /* no UTF-8 */
	*p += len;
	return **p; /* a class must still be closed */
}

bool match_class(const char **p, uint32_t c, bool *ret_in)
{
	const char *q = *p + 1;
	bool negated = *q == '^', in = false;
	q += negated;
	for (bool some = false; !some || *q != ']'; some = true) {
		uint32_t low, high;
		if (!class_char(&q, &low))
			return false;
		high = low;
		if (*q == '-') {
			q++;
			if (!class_char(&q, &high))
				return false;
		}
		in |= low <= c && c <= high;
	}
	*p = q + 1;
	*ret_in = in != negated;
	return true;
}

bool match_syntax_ok(const char *pattern)
{
	for (const char *p = pattern; *p;) {
		bool ignored;
		if (*p == '[') {
			if (!match_class(&p, 0, &ignored))
				return false;
			continue;
		}
		if (*p == '\\' && !*++p)
			return false;
		p++;
	}
	return true;
}

/*
 * Matches what stands up to the next star (or the end) at `name`; NULL when it does not fit, else the rest of the name.
 * *ret_pattern is then that star or the end. The pattern was checked before.
 */
static const char *match_run(const char *pattern, const char *name, const char **ret_pattern)
{
	const char *p = pattern;
	while (*p && *p != '*') {
		uint32_t c;
		bool in;
		if (!*name)
			return NULL;
		size_t len = text_char(name, strnlen(name, 4), &c);
		if (*p == '[') {
			match_class(&p, c, &in);
			if (!in)
				return NULL;
		} else if (*p == '?') {
			if (c == '/')
				return NULL;
			p++;
		} else {
			p += *p == '\\';
			if (*p++ != *name)
				return NULL;
			len = 1; /* literals are compared byte by byte: each may have its own backslash */
		}
		name += len;
	}
	*ret_pattern = p;
	return name;
}

/* A star is done with at the first place where what follows it fits: it never crosses a slash, nor tries again. */
static bool match(const char *p, const char *name)
{
	bool star = false;
	for (;;) {
		for (; *p == '*'; p++)
			star = true;
		if (star && !*p)
			return !strchr(name, '/');
		const char *next, *rest;
		while (rest = match_run(p, name, &next), !rest || (!*next && *rest)) {
			if (!star || !*name || *name == '/')
				return false;
			name++;
		}
		if (!*next)
			return true;
		p = next;
		name = rest;
		star = false;
	}
}

int df_match(const char *pattern, const char *name, struct err *e)
{
	if (!match_syntax_ok(pattern))
		return err_set(e, ERR_PARSE, "syntax error in pattern \"%.200s\"", pattern);
	return match(pattern, name);
}
