/*
 * http and https URLs, read strictly and written again from their parts, so that nobody after us can read them in
 * another way. User names in URLs are refused: credentials come from the login files only.
 */
#ifndef NACRE_REGISTRY_URL_PRIV_H
#define NACRE_REGISTRY_URL_PRIV_H

#include <stdbool.h>

struct err;

struct url {
	bool https;
	char *host;     /* lower case; IPv6 in brackets. owned */
	unsigned port;  /* stated or the scheme's */
	char *target;   /* path and query, from the first slash; printable ASCII, no fragment. owned */
};
int url_parse(const char *text, struct url *ret, struct err *e); /* ERR_SPEC; the message has no query string */
/* A Location header against the URL that was asked: absolute, "//host/path", "/path", "?query" or "path". */
int url_resolve(const struct url *base, const char *location, struct url *ret, struct err *e);
void url_copy(struct url *to, const struct url *from);
void url_fini(struct url *u);

/* Scheme, host and port: what decides whether credentials may go along. */
bool url_same_origin(const struct url *a, const struct url *b);

/* The caller owns each. */
char *url_text(const struct url *u);      /* to be sent; its query may hold a signature: never for messages */
char *url_redacted(const struct url *u);  /* for messages: "?…" instead of the query */
char *url_authority(const struct url *u); /* host, with :port when it is not the scheme's */

/* "localhost", 127.0.0.0/8 or [::1], written as such; no lookup is made (T-G6). */
bool host_is_loopback(const char *host);
bool host_is_ip(const char *host);        /* as in struct url */

#endif
