#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void str_reserve(struct str *s, size_t more)
{
	size_t need = s->len + more + 1;
	if (need <= s->cap)
		return;
	s->cap = s->cap * 2 > need ? s->cap * 2 : need + 32;
	s->buf = x_realloc(s->buf, s->cap, 1);
}

void str_addn(struct str *s, const void *bytes, size_t n)
{
	str_reserve(s, n);
	if (n)
		memcpy(s->buf + s->len, bytes, n);
	s->len += n;
	s->buf[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
	str_addn(s, &c, 1);
}

void str_addf(struct str *s, const char *fmt, ...)
{
	AUTO(free_drop) char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	str_addn(s, text, (size_t)n);
}

void str_clear(struct str *s)
{
	s->len = 0;
	if (s->buf)
		s->buf[0] = '\0';
}

const char *str_text(const struct str *s)
{
	return s->buf ? s->buf : "";
}

char *str_take(struct str *s)
{
	char *r = s->buf ? s->buf : x_strdup("");
	*s = (struct str){ 0 };
	return r;
}

void str_fini(struct str *s)
{
	free(s->buf);
	*s = (struct str){ 0 };
}

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_case_starts(const char *s, const char *prefix)
{
	for (; *prefix; s++, prefix++)
		if (lower(*s) != lower(*prefix))
			return false;
	return true;
}

bool str_case_eq(const char *a, const char *b)
{
	return str_case_starts(a, b) && strlen(a) == strlen(b);
}

void str_lower(char *s)
{
	for (; *s; s++)
		*s = lower(*s);
}

static bool to_u64(const char *s, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || (unsigned)(*s - '0') >= base)
			return false;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*ret = v;
	return true;
}

bool str_to_u64(const char *s, uint64_t max, uint64_t *ret)
{
	return to_u64(s, 10, max, ret);
}

bool str_octal_to_u64(const char *s, uint64_t max, uint64_t *ret)
{
	return to_u64(s, 8, max, ret);
}

enum { NEAREST_MAX = 64 };

/*
 * Edit distance, case-insensitive, of two strings of at most NEAREST_MAX bytes: letters more, less or other, and
 * neighbours exchanged, count one each.
 */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), rows[3][NEAREST_MAX + 1];
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		const size_t *before = rows[(i + 1) % 3], *above = rows[(i - 1) % 3];
		size_t *row = rows[i % 3];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);
			size_t best = above[j - 1] + (x != y);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[n % 3][m];
}

const char *str_nearest(const char *word, const char *const *known, size_t n)
{
	const char *best = NULL;
	size_t limit = 3;
	if (strlen(word) > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strlen(known[i]) > NEAREST_MAX)
			continue;
		size_t d = distance(word, known[i]);
		/* Short words are near to many: more than half must be right. */
		size_t longer = strlen(word) > strlen(known[i]) ? strlen(word) : strlen(known[i]);
		if (d < limit && 2 * d < longer) {
			limit = d;
			best = known[i];
		}
	}
	return best;
}

/* Length of the valid UTF-8 sequence at p, 0 when there is none (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return n >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
	if ((p[0] & 0xf0) == 0xe0 && n >= 3 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
		unsigned cp = (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);
		return cp >= 0x800 && (cp < 0xd800 || cp > 0xdfff) ? 3 : 0;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4 && n >= 4 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 &&
	    (p[3] & 0xc0) == 0x80) {
		unsigned cp = (p[0] & 7u) << 18 | (p[1] & 63u) << 12 | (p[2] & 63u) << 6 | (p[3] & 63u);
		return cp >= 0x10000 && cp <= 0x10ffff ? 4 : 0;
	}
	return 0;
}

size_t str_char(const char *bytes, size_t n, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t len = utf8_len(p, n);
	uint32_t c = len < 2 ? p[0] : p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 63u);
	*ret = c;
	return len;
}

void str_add_printable(struct str *out, const char *bytes, size_t n)
{
	const unsigned char *p = (const unsigned char *)bytes;
	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(p + i, n - i);
		bool control = len == 1 ? p[i] < 0x20 || p[i] == 0x7f : len == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0;
		if (!len || control) {
			str_addf(out, "\\x%02x", p[i]);
			i++;
			continue;
		}
		str_addn(out, p + i, len);
		i += len;
	}
}

/* How many bytes at p are valid UTF-8. */
static size_t utf8_run(const unsigned char *p, size_t n)
{
	size_t i = 0;
	while (i < n) {
		size_t len = p[i] < 0x80 ? 1 : utf8_len(p + i, n - i);
		if (!len)
			break;
		i += len;
	}
	return i;
}

bool str_is_utf8(const char *bytes, size_t n)
{
	return utf8_run((const unsigned char *)bytes, n) == n;
}

void str_add_utf8(struct str *out, const char *bytes, size_t n)
{
	const unsigned char *p = (const unsigned char *)bytes;
	for (size_t i = 0; i < n;) {
		size_t run = utf8_run(p + i, n - i);
		str_addn(out, p + i, run);
		i += run;
		if (i < n) {
			str_add(out, "\xef\xbf\xbd");
			i++;
		}
	}
}

void str_add_size(struct str *out, uint64_t bytes)
{
	static const char *const unit[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	size_t u = 0;
	while (v >= 999.5 && u + 1 < ARRAY_LEN(unit)) {
		v /= 1000;
		u++;
	}
	if (u == 0)
		str_addf(out, "%.0f B", v);
	else
		str_addf(out, v < 9.995 ? "%.2f %s" : v < 99.95 ? "%.1f %s" : "%.0f %s", v, unit[u]);
}
