#ifndef NACRE_SRC_DOCKERFILE_FLAGS_H
#define NACRE_SRC_DOCKERFILE_FLAGS_H

#include "base/err.h"
#include "dockerfile/parse.h"

/* Checks the flags of an instruction against what it allows (FLG-02, FLG-04, FLG-05, FLG-06). */
int flags_check(const struct df_instruction *in, struct err *e);

/* Takes string flags without a text away, as in --from= or --platform=: they are as if not given. */
void flags_drop_empty(struct df_instruction *in);

#endif
