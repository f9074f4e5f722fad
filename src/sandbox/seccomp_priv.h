/*
 * The system call filter of a step's command, at least as strict as Docker's default profile. Own generator: a binary
 * search over ranges of call numbers, a tenth of the size libseccomp makes for two architectures, which counts because
 * the kernel checks, compiles and (since 5.11) evaluates it for every number anew at each start. libseccomp knows the
 * numbers.
 */
#ifndef NACRE_SANDBOX_SECCOMP_PRIV_H
#define NACRE_SANDBOX_SECCOMP_PRIV_H

#include <linux/filter.h>

#include "base/err.h"

/* Made at the first call, then borrowed for the life of the process. NULL and *e on an architecture not known. */
const struct sock_fprog *filter_get(struct err *e);

/* For the calling process and what it starts. Without no_new_privs, so it needs CAP_SYS_ADMIN in its user namespace. */
int filter_load(const struct sock_fprog *filter, struct err *e);

#endif
