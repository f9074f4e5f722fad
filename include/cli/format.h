/* --format, as every listing command has it. */
#ifndef NACRE_CLI_FORMAT_H
#define NACRE_CLI_FORMAT_H

#include <stdbool.h>

#include "base/err.h"

/* NULL and "table" are the table, "json" is JSON; ERR_USAGE for anything else. */
int format_is_json(const char *format, bool *ret, struct err *e);

#endif
