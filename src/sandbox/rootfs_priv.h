/*
 * The root of a step, in the order of the calls: sources of all mounts while the host's tree is still there, then the
 * pivot, then their places, which are only ever looked for inside the new root.
 */
#ifndef NACRE_SANDBOX_ROOTFS_PRIV_H
#define NACRE_SANDBOX_ROOTFS_PRIV_H

#include "base/vec.h"
#include "dev_priv.h"
#include "mounts_priv.h"
#include "sandbox/sandbox.h"
#include "sandbox/user.h"
#include "stubs_priv.h"

struct rootfs {
	int root_fd, upper_fd, proc_fd, sys_fd; /* owned, until the process ends */
	struct dev dev;
	struct scratch scratch;
	VEC(int) sources; /* owned; one for each mount of the plan */
	struct stubs stubs;
};

int rootfs_prepare(struct rootfs *r, const struct sandbox_plan *p, struct err *e);
/* Afterwards "/" is the new root and nothing else can be reached. */
int rootfs_pivot(struct rootfs *r, struct err *e);
/* The plan's working directory, made where missing and given to the user (RUN-03). */
int rootfs_make_cwd(const struct rootfs *r, const char *cwd, const struct user_ids *ids, struct err *e);
int rootfs_mount(struct rootfs *r, const struct sandbox_plan *p, struct err *e);

#endif
