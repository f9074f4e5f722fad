/* Texts as Go's fmt package writes them: image histories are made of them. */
#include <stdio.h>
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

void go_quote(struct str *out, const char *text)
{
	str_addc(out, '"');
	for (const char *p = text; *p;) {
		if ((unsigned char)*p < 0x80) {
			quote_byte(out, (unsigned char)*p++);
			continue;
		}
		size_t n = 1;
		while (((unsigned char)p[n] & 0xc0) == 0x80)
			n++;
		str_add_printable(out, p, n);
		p += n;
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

/* time.Duration.String: the largest units that fit, a fraction on the last. */
void go_duration(struct str *out, int64_t ns)
{
	if (ns == 0) {
		str_add(out, "0s");
		return;
	}
	if (ns < 1000000000) {
		bool micro = ns < 1000000, nano = ns < 1000;
		double v = nano ? (double)ns : (double)ns / (micro ? 1e3 : 1e6);
		str_addf(out, "%.9g%s", v, nano ? "ns" : micro ? "\xc2\xb5s" : "ms");
		return;
	}
	int64_t seconds = ns / 1000000000;
	if (seconds >= 3600)
		str_addf(out, "%lldh", (long long)(seconds / 3600));
	if (seconds >= 60)
		str_addf(out, "%lldm", (long long)(seconds / 60 % 60));
	str_addf(out, "%.9gs", (double)(seconds % 60) + (double)(ns % 1000000000) / 1e9);
}
