#ifndef NACRE_SANDBOX_RLIMITS_PRIV_H
#define NACRE_SANDBOX_RLIMITS_PRIV_H

/* The builder's own limits are not the step's (RUN-10). Hard limits stay: only root could raise them. */
void rlimits_reset(void);

#endif
