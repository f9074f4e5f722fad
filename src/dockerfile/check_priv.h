#ifndef NACRE_SRC_DOCKERFILE_CHECK_H
#define NACRE_SRC_DOCKERFILE_CHECK_H

#include "dockerfile/lint.h"

/* The options that hold for one instruction: the file's and those of the comments directly above it. */
struct df_check check_for(const struct df_check *c, const struct df_instruction *in);
bool check_has(const struct df_check *c, enum df_rule rule);

#endif
