/* ERR_SANDBOX with a stable id, the cause in the message and a cure behind it. */
#ifndef NACRE_SANDBOX_REFUSE_PRIV_H
#define NACRE_SANDBOX_REFUSE_PRIV_H

#include <stdbool.h>

#include "base/err.h"

/* What a disk, memory or a table of descriptors answers. It says nothing about the machine, the user or an image. */
bool is_fault(const struct err *e);

/* Keeps what *e says and makes it ERR_SANDBOX with `id`; -1. */
int refuse_as(struct err *e, const char *id);
/* Like err_sys, but ERR_SANDBOX with `id`. */
int refuse_sys(struct err *e, const char *id, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * A call that user namespaces should allow (clone, unshare, mount) failed with the present errno; `what` says which.
 * Looks for the reason: a sysctl of the distribution, AppArmor, or a filter above us. An errno
 * that speaks of none of these stays an ERR_SYS.
 */
int refuse_namespace(struct err *e, const char *what);
/* The same of a call that makes a namespace, which a limit on their number may have stopped. */
int refuse_new_namespace(struct err *e, const char *what);

#endif
