#include "progress_row_priv.h"

#include <string.h>

#include "base/mem.h"

struct range { uint32_t first, last; };

/* Unicode Standard Annex 11, East Asian Width W and F, as blocks; emoji are wide too. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};
/* Combining marks, joiners and variation selectors. */
static const struct range without[] = {
	{ 0x0300, 0x036f }, { 0x200b, 0x200f }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
};

static bool is_in(const struct range *v, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= v[i].first && c <= v[i].last)
			return true;
	return false;
}

/* The bytes of the first character, and its columns. */
static size_t step_over(const char *text, size_t n, size_t *ret_columns)
{
	uint32_t c;
	size_t len = str_char(text, n, &c);
	*ret_columns = 1;
	if (len == 0)
		return 1;
	if (is_in(without, ARRAY_LEN(without), c))
		*ret_columns = 0;
	else if (is_in(wide, ARRAY_LEN(wide), c))
		*ret_columns = 2;
	return len;
}

size_t text_columns(const char *text, size_t n)
{
	size_t sum = 0, columns;
	for (size_t at = 0; at < n; sum += columns)
		at += step_over(text + at, n - at, &columns);
	return sum;
}

/* How many bytes of the text fit. */
static size_t fitting(const char *text, size_t n, size_t columns, size_t *ret_columns)
{
	size_t at = 0, sum = 0;
	while (at < n) {
		size_t more, len = step_over(text + at, n - at, &more);
		if (sum + more > columns)
			break;
		sum += more;
		at += len;
	}
	*ret_columns = sum;
	return at;
}

size_t text_cut(struct str *out, const char *text, size_t n, size_t columns)
{
	static const char dots[] = "...";
	size_t took;
	if (text_columns(text, n) <= columns) {
		str_addn(out, text, n);
		return text_columns(text, n);
	}
	if (columns < sizeof dots) {
		str_addn(out, text, fitting(text, n, columns, &took));
		return took;
	}
	str_addn(out, text, fitting(text, n, columns - strlen(dots), &took));
	str_add(out, dots);
	return took + strlen(dots);
}

enum { TAB = 8 };

void text_flatten(struct str *out, const char *text, size_t n)
{
	const char *end = text + n;
	const char *back = n ? memrchr(text, '\r', n) : NULL;
	if (back)
		text = back + 1;
	size_t column = 0;
	while (text < end) {
		const char *tab = memchr(text, '\t', (size_t)(end - text));
		size_t before = out->len;
		str_add_printable(out, text, (size_t)((tab ? tab : end) - text));
		column += text_columns(str_text(out) + before, out->len - before);
		if (!tab)
			break;
		do
			str_addc(out, ' ');
		while (++column % TAB);
		text = tab + 1;
	}
}
