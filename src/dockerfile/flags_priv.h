#ifndef NACRE_SRC_DOCKERFILE_FLAGS_H
#define NACRE_SRC_DOCKERFILE_FLAGS_H

#include "base/err.h"
#include "dockerfile/parse.h"

/* Checks the flags of an instruction against what it allows (FLG-02, FLG-04, FLG-05, FLG-06). */
int flags_check(const struct df_instruction *in, struct err *e);

#endif
