/* File name patterns. */
#ifndef NACRE_DOCKERFILE_MATCH_H
#define NACRE_DOCKERFILE_MATCH_H

#include <stdbool.h>

#include "base/err.h"

/* Go's path.Match: * ? [a-z] [^x] \c; -1 for a malformed pattern (ERR_PARSE), else 0 or 1. */
int df_match(const char *pattern, const char *name, struct err *e);
bool df_has_wildcard(const char *pattern);

#endif
