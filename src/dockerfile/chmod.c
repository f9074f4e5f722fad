/* File modes: octal, or symbolic as the BSDs' chmod reads them (CP-17). No umask plays a part. */
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "dockerfile/values.h"

enum { RWX = 7, ALL_WHO = S_ISUID | S_ISGID | 0777 };

static uint32_t who_bits(char c)
{
	switch (c) {
	case 'u':
		return S_ISUID | S_IRWXU;
	case 'g':
		return S_ISGID | S_IRWXG;
	case 'o':
		return S_IRWXO;
	case 'a':
		return ALL_WHO;
	default:
		return 0;
	}
}

/* The bits before the whole text was applied: X looks at these. */
struct before {
	uint32_t mode;
	bool is_dir;
};

/* Everything a permission letter may set; what `who` allows of it counts. */
static uint32_t perm_bits(char c, const struct before *b)
{
	switch (c) {
	case 'r':
		return 0444;
	case 'w':
		return 0222;
	case 'x':
		return 0111;
	case 'X':
		return b->is_dir || (b->mode & 0111) ? 0111 : 0;
	case 's':
		return S_ISUID | S_ISGID;
	case 't':
		return S_ISVTX;
	default:
		return 0;
	}
}

static uint32_t copied_bits(char c, uint32_t mode)
{
	uint32_t bits = c == 'u' ? mode >> 6 & RWX : c == 'g' ? mode >> 3 & RWX : mode & RWX;
	return bits * 0111;
}

/*
 * One clause "[ugoa]*([-+=][rwxXst]*|[ugo])+". Applies it to *mode; *p ends behind it. False when it is malformed.
 */
static bool clause(const char **p, const struct before *b, uint32_t *mode)
{
	uint32_t who = 0;
	for (; **p && strchr("ugoa", **p); (*p)++)
		who |= who_bits(**p);
	bool only_others = who == S_IRWXO;
	if (!who)
		who = ALL_WHO;
	if (!**p || !strchr("+-=", **p))
		return false;
	while (**p && strchr("+-=", **p)) {
		char op = *(*p)++;
		uint32_t bits = 0, mask = who, now = *mode;
		if (**p && strchr("ugo", **p)) {
			bits = copied_bits(*(*p)++, now);
		} else {
			for (; **p && strchr("rwxXst", **p); (*p)++) {
				bits |= perm_bits(**p, b);
				if (**p == 't' && !only_others)
					mask |= S_ISVTX;
			}
		}
		*mode = op == '-' ? now & ~(bits & mask) : (op == '=' ? now & ~mask : now) | (bits & mask);
	}
	return true;
}

/* The whole text: clauses between commas. */
static bool symbolic(const char *text, uint32_t *mode, bool is_dir)
{
	struct before b = { *mode, is_dir };
	for (const char *p = text;; p++) {
		if (!clause(&p, &b, mode))
			return false;
		if (*p != ',')
			return !*p;
	}
}

int df_chmod_parse(const char *text, struct df_chmod *ret, struct err *e)
{
	uint64_t mode;
	uint32_t tried = 0;
	if (str_octal_to_u64(text, UINT32_MAX, &mode)) {
		if (mode > 07777)
			return err_set(e, ERR_PARSE, "invalid chmod parameter: '%.60s' is not between 0 and 07777",
				       text);
		*ret = (struct df_chmod){ .octal = true, .mode = (uint32_t)mode };
		return 0;
	}
	if (!symbolic(text, &tried, false))
		return err_set(e, ERR_PARSE,
			       "invalid chmod parameter: '%.60s' is neither an octal mode nor one such as u=rwX,go=rX",
			       text);
	*ret = (struct df_chmod){ .symbolic = text };
	return 0;
}

uint32_t df_chmod_apply(const struct df_chmod *c, uint32_t mode, bool is_dir)
{
	if (c->octal)
		return c->mode;
	mode &= 07777;
	symbolic(c->symbolic, &mode, is_dir);
	return mode & 07777;
}
