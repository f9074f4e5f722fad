/* Descriptors from before the clone, made useful after it. */
#ifndef NACRE_SANDBOX_LOCAL_PRIV_H
#define NACRE_SANDBOX_LOCAL_PRIV_H

#include "base/err.h"

/*
 * The object behind `fd` opened again, O_PATH, through a mount of our own mount namespace. open_tree(2) and overlayfs
 * (since 5.14, CVE-2021-3732) refuse a path whose mount belongs to another namespace, and that is what a descriptor
 * opened before CLONE_NEWNS carries. The name comes from /proc/self/fd; that it still means the same object is checked
 * by device and inode.
 */
int local_open(int fd, const char *what, int *ret_fd, struct err *e);

#endif
