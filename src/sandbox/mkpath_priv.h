/* Opening a path inside a root, making what is missing of it. */
#ifndef NACRE_SANDBOX_MKPATH_PRIV_H
#define NACRE_SANDBOX_MKPATH_PRIV_H

#include <stdbool.h>

#include "base/err.h"

/* Makes `name` below parent_fd, a directory or an empty file. */
typedef int mkpath_fn(void *ctx, int parent_fd, const char *name, bool directory, struct err *e);

/*
 * *ret_fd is O_PATH to `path` below root_fd. Links are followed inside the root, also those that lead to nothing: what
 * they name is made, as runc and BuildKit do for an /etc/resolv.conf that points into an empty /run.
 */
int mkpath_open(int root_fd, const char *path, bool directory, mkpath_fn *make, void *ctx, int *ret_fd, struct err *e);

#endif
