#include "url_priv.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum { URL_MAX_BYTES = 16384, HOST_MAX_BYTES = 253 };

static unsigned default_port(bool https)
{
	return https ? 443 : 80;
}

static bool ipv4_is_valid(const char *host)
{
	struct in_addr ignored;
	return inet_pton(AF_INET, host, &ignored) == 1;
}

bool host_is_ip(const char *host)
{
	return host[0] == '[' || ipv4_is_valid(host);
}

bool host_is_loopback(const char *host)
{
	return str_eq(host, "localhost") || str_eq(host, "[::1]") || (ipv4_is_valid(host) && str_starts(host, "127."));
}

static bool ipv6_is_valid(const char *host)
{
	AUTO(free_drop) char *bare = x_strdup(host + 1);
	struct in6_addr ignored;
	size_t n = strlen(bare);
	if (n == 0 || bare[n - 1] != ']')
		return false;
	bare[n - 1] = '\0';
	return inet_pton(AF_INET6, bare, &ignored) == 1;
}

/* getaddrinfo reads "127.1", "0x7f000001" and "2130706433" as addresses; we would not, so they are no names here. */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;
	if (last[0] == '0' && (last[1] == 'x' || last[1] == 'X'))
		return last[2 + strspn(last + 2, "0123456789abcdef")] == '\0';
	return last[strspn(last, "0123456789")] == '\0';
}

static bool host_is_valid(const char *host)
{
	size_t n = strlen(host);
	if (n == 0 || n > HOST_MAX_BYTES)
		return false;
	if (host[0] == '[')
		return ipv6_is_valid(host);
	if (host[0] == '.' || host[n - 1] == '.' || strstr(host, ".."))
		return false;
	if (host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] != '\0')
		return false;
	return ipv4_is_valid(host) || !ends_in_number(host);
}

/* The message shows what stands before the query, and nothing at all when there may be a password in it. */
static int refuse(struct err *e, const char *text, const char *why)
{
	bool secret = strchr(text, '@') != NULL;
	return err_set(e, ERR_SPEC, "URL %s%.*s%s is refused: %s", secret ? "" : "\"",
		       secret ? 8 : (int)(strcspn(text, "?#") < 200 ? strcspn(text, "?#") : 200),
		       secret ? "(hidden)" : text, secret ? "" : "\"", why);
}

static int parse_authority(const char *text, const char *p, size_t n, struct url *u, struct err *e)
{
	AUTO(free_drop) char *host = x_strndup(p, n);
	if (strchr(host, '@'))
		return refuse(e, text, "it holds a user name or password");
	char *bracket = strrchr(host, ']');
	char *colon = strchr(bracket ? bracket : host, ':');
	u->port = default_port(u->https);
	if (colon) {
		uint64_t port = 0;
		*colon = '\0';
		if (colon[1] && (!str_to_u64(colon + 1, 65535, &port) || port == 0))
			return refuse(e, text, "the port is not a number from 1 to 65535");
		if (colon[1])
			u->port = (unsigned)port;
	}
	str_lower(host);
	if (!host_is_valid(host))
		return refuse(e, text, "it has no valid host name");
	u->host = ptr_take(&host);
	return 0;
}

/* Path and query; blanks and bytes beyond ASCII are sent as %XX (RFC 3986 2.1). */
static int parse_target(const char *text, const char *p, struct url *u, struct err *e)
{
	AUTO(str_fini) struct str out = { 0 };
	if (*p != '/')
		str_addc(&out, '/');
	for (; *p && *p != '#'; p++) {
		unsigned char c = (unsigned char)*p;
		if (c < 0x20 || c == 0x7f)
			return refuse(e, text, "it holds control characters");
		if (c == ' ' || c >= 0x80)
			str_addf(&out, "%%%02X", c);
		else
			str_addc(&out, (char)c);
	}
	u->target = str_take(&out);
	return 0;
}

static int parse(const char *text, struct url *u, struct err *e)
{
	const char *p;
	if (strlen(text) > URL_MAX_BYTES)
		return refuse(e, text, "it is too long");
	if (str_case_starts(text, "https://")) {
		u->https = true;
		p = text + strlen("https://");
	} else if (str_case_starts(text, "http://")) {
		p = text + strlen("http://");
	} else {
		return refuse(e, text, "it does not begin with https:// or http://");
	}
	/* A backslash ends the authority for some readers and not for others. */
	size_t n = strcspn(p, "/?#");
	if (memchr(p, '\\', n))
		return refuse(e, text, "it has no valid host name");
	if (parse_authority(text, p, n, u, e) < 0)
		return -1;
	return parse_target(text, p + n, u, e);
}

int url_parse(const char *text, struct url *ret, struct err *e)
{
	AUTO(url_fini) struct url u = { 0 };
	if (parse(text, &u, e) < 0)
		return -1;
	*ret = u;
	u = (struct url){ 0 };
	return 0;
}

static bool has_scheme(const char *s)
{
	size_t n = strcspn(s, ":/?#");
	return s[n] == ':';
}

int url_resolve(const struct url *base, const char *location, struct url *ret, struct err *e)
{
	AUTO(str_fini) struct str whole = { 0 };
	if (!has_scheme(location)) {
		AUTO(free_drop) char *authority = url_authority(base);
		size_t path = strcspn(base->target, "?");
		str_add(&whole, base->https ? "https:" : "http:");
		if (!str_starts(location, "//"))
			str_addf(&whole, "//%s", authority);
		if (location[0] == '?' || location[0] == '\0') {
			str_addn(&whole, base->target, path);
		} else if (location[0] != '/') {
			while (path && base->target[path - 1] != '/')
				path--;
			str_addn(&whole, base->target, path);
		}
	}
	str_add(&whole, location);
	return url_parse(str_text(&whole), ret, e);
}

void url_copy(struct url *to, const struct url *from)
{
	*to = (struct url){ .https = from->https, .port = from->port,
			    .host = x_strdup(from->host), .target = x_strdup(from->target) };
}

void url_fini(struct url *u)
{
	free(u->host);
	free(u->target);
	*u = (struct url){ 0 };
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->https == b->https && a->port == b->port && str_eq(a->host, b->host);
}

char *url_authority(const struct url *u)
{
	if (u->port == default_port(u->https))
		return x_strdup(u->host);
	return x_asprintf("%s:%u", u->host, u->port);
}

static char *write_url(const struct url *u, bool with_query)
{
	AUTO(free_drop) char *authority = url_authority(u);
	size_t n = with_query ? strlen(u->target) : strcspn(u->target, "?");
	return x_asprintf("%s://%s%.*s%s", u->https ? "https" : "http", authority, (int)n, u->target,
			  u->target[n] ? "?..." : "");
}

char *url_text(const struct url *u)
{
	return write_url(u, true);
}

char *url_redacted(const struct url *u)
{
	return write_url(u, false);
}
