#include "base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const char *bytes, size_t n, struct str *out)
{
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(unsigned char)bytes[i] << 16;
		if (i + 1 < n)
			v |= (unsigned)(unsigned char)bytes[i + 1] << 8;
		if (i + 2 < n)
			v |= (unsigned char)bytes[i + 2];
		str_addc(out, digits[v >> 18]);
		str_addc(out, digits[v >> 12 & 63]);
		str_addc(out, i + 1 < n ? digits[v >> 6 & 63] : '=');
		str_addc(out, i + 2 < n ? digits[v & 63] : '=');
	}
}

static int base64_value(char c)
{
	const char *p = c ? strchr(digits, c) : NULL;
	return p ? (int)(p - digits) : -1;
}

bool base64_decode(const char *text, struct str *out)
{
	unsigned bits = 0, n = 0;
	size_t len = strlen(text);
	while (len && text[len - 1] == '=')
		len--;
	if (text[len] && strlen(text + len) > 2)
		return false;
	for (size_t i = 0; i < len; i++) {
		int v = base64_value(text[i]);
		if (v < 0)
			return false;
		bits = bits << 6 | (unsigned)v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			str_addc(out, (char)(bits >> n & 0xff));
		}
	}
	return len % 4 != 1;
}
