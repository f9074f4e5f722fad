/* Texts as Go's fmt package writes them: image histories are made of them. */
#include <string.h>

#include "build_priv.h"

/* Appends one byte or character of a %q string. */
static void quote_byte(struct str *out, unsigned char c)
{
	static const char plain[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"";
	const char *p = c ? strchr(plain, c) : NULL;
	if (p) {
		str_addc(out, '\\');
		str_addc(out, names[p - plain]);
	} else if (c < 0x20 || c == 0x7f) {
		str_addf(out, "\\x%02x", c);
	} else {
		str_addc(out, (char)c);
	}
}

/*
 * Beyond ASCII: what Unicode counts among blanks, separators, controls, formats and private use; Go shows these by
 * number. Characters that are not assigned are left as they are: which those are changes with Unicode's version.
 */
static bool is_printable(uint32_t c)
{
	static const struct { uint32_t first, last; } not[] = {
		{ 0x80, 0xa0 }, { 0xad, 0xad }, { 0x600, 0x605 }, { 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f },
		{ 0x8e2, 0x8e2 }, { 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x202f },
		{ 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xd800, 0xf8ff }, { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe00ff }, { 0xf0000, 0x10ffff },
	};
	for (size_t i = 0; i < ARRAY_LEN(not); i++)
		if (c >= not[i].first && c <= not[i].last)
			return false;
	return true;
}

void go_quote(struct str *out, const char *text)
{
	size_t left = strlen(text), n;
	str_addc(out, '"');
	for (const char *p = text; left; p += n, left -= n) {
		uint32_t c;
		n = str_char(p, left, &c);
		if (n > 1 && is_printable(c))
			str_addn(out, p, n);
		else if (n > 1)
			str_addf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
		else if (n)
			quote_byte(out, (unsigned char)*p);
		else
			str_addf(out, "\\x%02x", (unsigned char)*p);
		n = n ? n : 1;
	}
	str_addc(out, '"');
}

void go_list(struct str *out, const struct strv *l, bool quoted)
{
	str_addc(out, '[');
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			str_addc(out, ' ');
		if (quoted)
			go_quote(out, l->v[i]);
		else
			str_add(out, l->v[i]);
	}
	str_addc(out, ']');
}

/* V units of 10^-digits, without zeros at the end of the fraction. */
static void add_decimal(struct str *out, int64_t v, int digits)
{
	int64_t unit = 1;
	for (int i = 0; i < digits; i++)
		unit *= 10;
	str_addf(out, "%lld", (long long)(v / unit));
	v %= unit;
	for (const char *point = "."; v; point = "") {
		unit /= 10;
		str_addf(out, "%s%d", point, (int)(v / unit));
		v %= unit;
	}
}

/* time.Duration.String of what is not negative: the largest units that fit, a fraction on the last. */
void go_duration(struct str *out, int64_t ns)
{
	int64_t minutes = ns / 60000000000;
	if (ns && ns < 1000000000) {
		add_decimal(out, ns, ns < 1000 ? 0 : ns < 1000000 ? 3 : 6);
		str_add(out, ns < 1000 ? "ns" : ns < 1000000 ? "\xc2\xb5s" : "ms");
		return;
	}
	if (minutes >= 60)
		str_addf(out, "%lldh", (long long)(minutes / 60));
	if (minutes)
		str_addf(out, "%lldm", (long long)(minutes % 60));
	add_decimal(out, ns % 60000000000, 9);
	str_addc(out, 's');
}
