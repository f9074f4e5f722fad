/* The mounts of RUN --mount and the files every step gets: sources made before the pivot, targets found after it. */
#ifndef NACRE_SANDBOX_MOUNTS_PRIV_H
#define NACRE_SANDBOX_MOUNTS_PRIV_H

#include "sandbox/sandbox.h"

struct stubs;

/* An empty tmpfs that no command sees: contents of files, uppers of throw-away trees. */
struct scratch {
	int fd; /* its root; -1 until the first use. owned */
};
int scratch_get(struct scratch *s, int *ret_fd, struct err *e);

/* A detached mount for m. n makes names in the scratch tmpfs unique. */
int mount_source(const struct sandbox_mount *m, size_t n, struct scratch *s, int *ret_mnt, struct err *e);
/* Attaches it at its target inside the root, making the mount point when there is none. */
int mount_target(const struct sandbox_mount *m, int mnt_fd, int root_fd, struct stubs *stubs, struct err *e);

#endif
