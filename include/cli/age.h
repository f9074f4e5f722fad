/* Times that options take: how old something may be. */
#ifndef NACRE_CLI_AGE_H
#define NACRE_CLI_AGE_H

#include <stdint.h>

#include "base/err.h"

/* Seconds: the units of Dockerfiles ("90m", "12h"), and days and weeks ("7d", "2w"). ERR_USAGE. */
int age_parse(const char *option, const char *text, int64_t *ret, struct err *e);

#endif
