/* Questions on the terminal. */
#ifndef NACRE_CLI_PROMPT_H
#define NACRE_CLI_PROMPT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* One line from standard input, without its end; `hidden` does not show what is typed. ERR_USAGE at end of file. */
int prompt_line(const char *question, bool hidden, struct str *out, struct err *e);

#endif
