#include "source_auth_priv.h"

#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "registry/secret.h"

enum kind { HEADER, HTTP_TOKEN, GIT_TOKEN };

/* "HOST[:PORT]" of an http or https URL, without a user name; NULL for any other. */
static char *authority(const char *url)
{
	const char *host = str_starts(url, "https://") ? url + 8 : str_starts(url, "http://") ? url + 7 : NULL;
	if (!host)
		return NULL;
	size_t n = strcspn(host, "/?#");
	const char *at = memchr(host, '@', n);
	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	return x_strndup(host, n);
}

static void drop_port(char *host)
{
	char *colon = strrchr(host, ':');
	if (colon && !strchr(colon, ']'))
		*colon = '\0';
}

/* A header is one line; the end of a secret's file is not part of it. */
static int one_line(struct str *value, const char *name, struct err *e)
{
	while (value->len && strchr(" \t\r\n", value->buf[value->len - 1]))
		value->buf[--value->len] = '\0';
	for (size_t i = 0; i < value->len; i++)
		if ((unsigned char)value->buf[i] < 0x20 || value->buf[i] == 0x7f)
			return err_set(e, ERR_USAGE, "secret %s holds a control character, which no HTTP header may", name);
	return 0;
}

static char *header_of(enum kind kind, const struct str *value)
{
	AUTO(secret_str_fini) struct str out = { 0 }, plain = { 0 };
	str_reserve(&out, 2 * value->len + 64);
	str_reserve(&plain, value->len + 32);
	if (kind == GIT_TOKEN) {
		str_addf(&plain, "x-access-token:%s", str_text(value));
		str_add(&out, "Basic ");
		base64_encode(plain.buf, plain.len, &out);
	} else {
		str_addf(&out, "%s%s", kind == HTTP_TOKEN ? "Bearer " : "", str_text(value));
	}
	return x_strdup(str_text(&out));
}

/* The secret PREFIX+HOST, if the user gave one: 0, 1 when not, -1. */
static int look(const struct secrets *s, enum kind kind, const char *prefix, const char *host, char **ret, struct err *e)
{
	AUTO(secret_str_fini) struct str value = { 0 };
	AUTO(free_drop) char *name = x_asprintf("%s%s", prefix, host);
	int r = secret_value(s, name, &value, e);
	if (r)
		return r;
	if (one_line(&value, name, e) < 0)
		return -1;
	*ret = header_of(kind, &value);
	return 0;
}

struct candidate { enum kind kind; const char *prefix; };

static int first_of(const struct secrets *s, const struct candidate *v, size_t n, const char *host, char **ret,
		    struct err *e)
{
	int r = 1;
	for (size_t i = 0; r == 1 && i < n; i++)
		r = look(s, v[i].kind, v[i].prefix, host, ret, e);
	return r;
}

static int of_host(const struct secrets *s, const struct candidate *v, size_t n, char *host, char **ret, struct err *e)
{
	int r = first_of(s, v, n, host, ret, e);
	if (r != 1)
		return r;
	drop_port(host);
	return first_of(s, v, n, host, ret, e);
}

int http_auth(const struct secrets *s, const char *url, char **ret, struct err *e)
{
	static const struct candidate v[] = { { HEADER, "HTTP_AUTH_HEADER_" }, { HTTP_TOKEN, "HTTP_AUTH_TOKEN_" } };
	AUTO(free_drop) char *host = authority(url);
	*ret = NULL;
	return host && of_host(s, v, ARRAY_LEN(v), host, ret, e) < 0 ? -1 : 0;
}

int git_auth(const struct secrets *s, const char *url, char **ret, struct err *e)
{
	static const struct candidate own[] = { { HEADER, "GIT_AUTH_HEADER." }, { GIT_TOKEN, "GIT_AUTH_TOKEN." } };
	static const struct candidate any[] = { { HEADER, "GIT_AUTH_HEADER" }, { GIT_TOKEN, "GIT_AUTH_TOKEN" } };
	AUTO(free_drop) char *host = authority(url);
	*ret = NULL;
	if (!host)
		return 0;
	int r = of_host(s, own, ARRAY_LEN(own), host, ret, e);
	if (r == 1)
		r = first_of(s, any, ARRAY_LEN(any), "", ret, e);
	return r < 0 ? -1 : 0;
}
