#include "challenge_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/*
 *   value      = challenge *( "," challenge )
 *   challenge  = scheme [ 1*SP ( token68 / [ param *( "," param ) ] ) ]
 *   param      = token BWS "=" BWS ( token / quoted-string )
 *
 * The comma stands between parameters and between challenges: a token with "=" behind it is a parameter, one without is
 * the next scheme.
 */
enum { CHALLENGES_MAX = 16 };

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static const char *skip_commas(const char *p)
{
	return p + strspn(p, " \t,");
}

static size_t token_len(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");
}

/* Length of a token68 (as Negotiate and NTLM send), 0 when p holds parameters instead. */
static size_t token68_len(const char *p)
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/");
	if (n)
		n += strspn(p + n, "=");
	const char *after = skip_blanks(p + n);
	return *after == ',' || *after == '\0' ? n : 0;
}

/* A token or quoted string; NULL when it is neither. *pp moves behind it. */
static char *parse_value(const char **pp)
{
	const char *p = *pp;
	if (*p != '"') {
		size_t n = token_len(p);
		*pp = p + n;
		return n ? x_strndup(p, n) : NULL;
	}
	AUTO(str_fini) struct str out = { 0 };
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		unsigned char c = (unsigned char)*p;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return NULL; /* also the end of the text */
		str_addc(&out, *p);
	}
	*pp = p + 1;
	return str_take(&out);
}

static char **param_slot(struct challenge *c, const char *name)
{
	if (str_case_eq(name, "realm"))
		return &c->realm;
	if (str_case_eq(name, "service"))
		return &c->service;
	if (str_case_eq(name, "scope"))
		return &c->scope;
	return NULL;
}

/* Parameters up to the next scheme or the end; false when they can not be read, or one comes twice. */
static bool parse_params(const char **pp, struct challenge *c)
{
	for (;;) {
		const char *p = skip_commas(*pp);
		size_t n = token_len(p);
		const char *equals = skip_blanks(p + n);
		*pp = p;
		if (!*p || (n && *equals != '='))
			return true;
		if (n == 0)
			return false;
		AUTO(free_drop) char *name = x_strndup(p, n);
		p = skip_blanks(equals + 1);
		AUTO(free_drop) char *value = parse_value(&p);
		char **slot = param_slot(c, name);
		if (!value || (slot && *slot))
			return false;
		if (slot)
			*slot = ptr_take(&value);
		p = skip_blanks(p);
		if (*p && *p != ',')
			return false;
		*pp = p;
	}
}

static enum challenge_scheme scheme_of(const char *p, size_t n)
{
	AUTO(free_drop) char *name = x_strndup(p, n);
	if (str_case_eq(name, "bearer"))
		return CHALLENGE_BEARER;
	return str_case_eq(name, "basic") ? CHALLENGE_BASIC : CHALLENGE_OTHER;
}

static bool parse_header(const char *p, struct challenges *ret)
{
	for (p = skip_commas(p); *p; p = skip_commas(p)) {
		size_t n = token_len(p);
		if (n == 0 || !strchr(" \t,", p[n]) || ret->n == CHALLENGES_MAX)
			return false;
		struct challenge *c = vec_add(ret);
		c->scheme = scheme_of(p, n);
		p = skip_blanks(p + n);
		if (*p == ',' || !*p)
			continue;
		size_t skip = token68_len(p);
		p += skip;
		if (!skip && !parse_params(&p, c))
			return false;
	}
	return true;
}

int challenges_parse(const struct strv *values, struct challenges *ret, struct err *e)
{
	AUTO(challenges_fini) struct challenges c = { 0 };
	for (size_t i = 0; i < values->n; i++)
		if (!parse_header(values->v[i], &c))
			return err_set(e, ERR_SPEC, "the WWW-Authenticate header \"%.100s\" can not be read",
				       values->v[i]);
	*ret = c;
	c = (struct challenges){ 0 };
	return 0;
}

void challenges_fini(struct challenges *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].realm);
		free(c->v[i].service);
		free(c->v[i].scope);
	}
	vec_fini(c);
}

const struct challenge *challenges_pick(const struct challenges *c)
{
	const struct challenge *best = NULL;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].scheme != CHALLENGE_OTHER && (!best || c->v[i].scheme > best->scheme))
			best = &c->v[i];
	return best;
}
