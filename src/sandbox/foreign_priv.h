#ifndef NACRE_SANDBOX_FOREIGN_PRIV_H
#define NACRE_SANDBOX_FOREIGN_PRIV_H

#include "sandbox/foreign.h"

/*
 * In process 1 of a step, while paths of this machine are still reached: registers the handler. Returns a descriptor that
 * keeps it, -1 where that is not possible; what then cannot be started says so itself.
 */
int foreign_register(const struct foreign *f);

#endif
