#ifndef NACRE_SANDBOX_RLIMITS_PRIV_H
#define NACRE_SANDBOX_RLIMITS_PRIV_H

#include "sandbox/sandbox.h"

/* The builder's own limits are not the step's (RUN-10). Hard limits stay: only root could raise them. */
void rlimits_reset(void);
/* Those that were asked for; last of all, since they bind this process too. */
int rlimits_apply(const struct sandbox_limit *limits, size_t n, struct err *e);

#endif
