/* A fork into new namespaces. */
#ifndef NACRE_SANDBOX_CLONE_PRIV_H
#define NACRE_SANDBOX_CLONE_PRIV_H

#include <sys/types.h>

/* Returns twice like fork(2); flags are CLONE_NEW*. -1 and errno. */
pid_t clone_into(unsigned flags);

#endif
