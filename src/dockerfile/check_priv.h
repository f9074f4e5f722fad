#ifndef NACRE_SRC_DOCKERFILE_CHECK_H
#define NACRE_SRC_DOCKERFILE_CHECK_H

#include <stdarg.h>

#include "dockerfile/lint.h"

/* The options that hold for one instruction: the file's and those of the comments directly above it. */
struct df_check check_for(const struct df_check *c, const struct df_instruction *in);
bool check_has(const struct df_check *c, enum df_rule rule);

/* Adds a warning and returns it; valid until the next one. `at` may be NULL. */
struct df_warning *warning_add(struct df_file *f, const struct df_instruction *in, const struct df_pos *at,
			       enum df_rule rule, const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

#endif
