/* Lists on one line, as in --mount and --secret. */
#ifndef NACRE_DOCKERFILE_CSV_H
#define NACRE_DOCKERFILE_CSV_H

#include "base/err.h"
#include "base/vec.h"

/* One record of comma-separated fields; a field in double quotes may hold commas, and "" for a quote (RFC 4180). */
int csv_parse(const char *text, struct strv *ret, struct err *e);

#endif
