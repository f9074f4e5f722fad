/*
 * Credentials for what is fetched, from secrets with names of their own (ADD-05, ADD-09). They go to the host they are for and
 * nowhere else, and are in no cache key.
 */
#ifndef NACRE_BUILD_SOURCE_AUTH_PRIV_H
#define NACRE_BUILD_SOURCE_AUTH_PRIV_H

#include "base/err.h"
#include "secret_priv.h"

/*
 * The value of an Authorization header for the URL, or NULL; for secret_drop. A host is tried with its port, then without.
 * http: HTTP_AUTH_HEADER_HOST, then HTTP_AUTH_TOKEN_HOST; git: GIT_AUTH_HEADER.HOST, GIT_AUTH_TOKEN.HOST, then both without.
 */
int http_auth(const struct secrets *s, const char *url, char **ret, struct err *e);
int git_auth(const struct secrets *s, const char *url, char **ret, struct err *e);

#endif
