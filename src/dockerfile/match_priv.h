#ifndef NACRE_SRC_DOCKERFILE_MATCH_H
#define NACRE_SRC_DOCKERFILE_MATCH_H

#include <stdbool.h>
#include <stdint.h>

/* *p stands at the '[' of a class and behind its ']' afterwards; *ret_in: c belongs to it. False: malformed. */
bool match_class(const char **p, uint32_t c, bool *ret_in);

/* Whether path.Match would accept the pattern. */
bool match_syntax_ok(const char *pattern);

#endif
