#include "text_priv.h"

#include <string.h>

size_t text_char(const char *p, size_t n, uint32_t *ret)
{
	const unsigned char *u = (const unsigned char *)p;
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = u[0] < 0x80 ? 1 : u[0] >= 0xc2 && u[0] <= 0xdf ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 :
		u[0] >= 0xf0 && u[0] <= 0xf4 ? 4 : 0;
	*ret = 0xfffd;
	if (!len || len > n)
		return 1;
	uint32_t c = len == 1 ? u[0] : u[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 1;
	*ret = c;
	return len;
}

bool text_is_space(uint32_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
		(c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool text_is_blank(char c)
{
	return c == '\t' || c == '\v' || c == '\f' || c == '\r' || c == ' ';
}

/*
 * Letters beyond ASCII that may stand in a variable's name. The language takes any Unicode letter; these are the blocks
 * that hold nothing else but a few marks, enough for every living alphabet and without a table of thousands of lines.
 */
static const struct {
	uint32_t first, last;
} letters[] = {
	{ 0xaa, 0xaa }, { 0xb5, 0xb5 }, { 0xba, 0xba }, { 0xc0, 0xd6 }, { 0xd8, 0xf6 }, { 0xf8, 0x2c1 },
	{ 0x370, 0x373 }, { 0x376, 0x377 }, { 0x37b, 0x37d }, { 0x386, 0x386 }, { 0x388, 0x481 }, { 0x48a, 0x556 },
	{ 0x561, 0x587 }, { 0x5d0, 0x5ea }, { 0x620, 0x64a }, { 0x671, 0x6d3 }, { 0x904, 0x939 }, { 0xe01, 0xe30 },
	{ 0x10a0, 0x10ff }, { 0x1e00, 0x1fbc }, { 0x3041, 0x3096 }, { 0x30a1, 0x30fa }, { 0x3400, 0x4dbf },
	{ 0x4e00, 0x9fff }, { 0xac00, 0xd7a3 }, { 0x20000, 0x2fa1d },
};

bool text_is_name_char(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (c >= letters[i].first && c <= letters[i].last)
			return true;
	return false;
}

struct span span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

struct span span_trim_left(struct span s)
{
	while (s.n) {
		uint32_t c;
		size_t len = text_char(s.p, s.n, &c);
		if (!text_is_space(c))
			break;
		s.p += len;
		s.n -= len;
	}
	return s;
}

struct span span_trim(struct span s)
{
	s = span_trim_left(s);
	while (s.n) {
		size_t start = s.n - 1;
		while (start > 0 && s.n - start < 4 && ((unsigned char)s.p[start] & 0xc0) == 0x80)
			start--;
		uint32_t c;
		if (text_char(s.p + start, s.n - start, &c) != s.n - start || !text_is_space(c))
			break;
		s.n = start;
	}
	return s;
}

bool span_eq(struct span s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

bool span_starts(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool span_to_bool(struct span s, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (span_eq(s, yes[i]) || span_eq(s, no[i])) {
			*ret = span_eq(s, yes[i]);
			return true;
		}
	}
	return false;
}

const char *span_dup(struct arena *a, struct span s)
{
	return arena_strndup(a, s.p, s.n);
}

struct span span_take_word(struct span *s)
{
	size_t end = 0, next;
	while (end < s->n && !text_is_blank(s->p[end]))
		end++;
	for (next = end; next < s->n && text_is_blank(s->p[next]);)
		next++;
	struct span word = { s->p, end };
	s->p += next;
	s->n -= next;
	return word;
}
