/* /proc and /sys of a step. */
#ifndef NACRE_SANDBOX_PROC_SYS_PRIV_H
#define NACRE_SANDBOX_PROC_SYS_PRIV_H

#include "base/err.h"
#include "sandbox/sandbox.h"

/* A fresh procfs of our pid namespace, detached. Before the pivot: the kernel wants to see the host's, whole. */
int proc_open(int *ret_mnt, struct err *e);
/* Once it is attached: what speaks of the host is masked, what would change it is read-only. null_fd: a bound
 * /dev/null. */
int proc_protect(int proc_fd, int null_fd, struct err *e);

/* A sysfs, read-only unless `writable`, detached; of the new network namespace where there is one, else the host's. Before the pivot. */
int sys_open(enum sandbox_net net, bool writable, int *ret_mnt, struct err *e);

#endif
