#ifndef NACRE_SANDBOX_NET_PRIV_H
#define NACRE_SANDBOX_NET_PRIV_H

#include "base/err.h"

/* Brings the loopback device of our new network namespace up; "none" keeps it, as in BuildKit (RUN-14). */
int net_loopback_up(struct err *e);

#endif
