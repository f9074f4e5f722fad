/* The root filesystem of an image, written where the user wants it. */
#ifndef NACRE_BUILD_ROOTFS_PRIV_H
#define NACRE_BUILD_ROOTFS_PRIV_H

#include "build/image.h"
#include "copy_priv.h"

struct output;

/* The layers of an image merged, in memory. */
struct rootfs {
	struct build build;            /* nothing of it but the store */
	struct fsview view;
	VEC(struct layer_slot *) slots;
	struct copy_from from;         /* where contents are read */
};
/* In a worker: reads layers whose listing the store does not have yet. rootfs_fini either way. */
int rootfs_open(struct store *s, const struct image *image, struct rootfs *ret, struct err *e);
void rootfs_fini(struct rootfs *r);

/* All but the root, parents first, siblings by name; the caller frees *ret. */
int rootfs_gather(struct rootfs *r, struct fsnode ***ret, size_t *ret_n, struct err *e);

/*
 * Below dir_fd, as the user who runs this: owners and the set-id bits that would lend their rights are left out, and so are
 * devices, which are counted in *skipped. What is there stays, unless it has the same name; no link is followed.
 */
int rootfs_to_dir(struct rootfs *r, int dir_fd, size_t *skipped, struct err *e);

/* In a worker: for each image that `top` leads to, where the output says. */
int rootfs_write_dir(struct store *s, const struct output *o, const struct digest *top, struct err *e);
int rootfs_write_tar(struct store *s, const struct output *o, const struct digest *top, struct err *e);

#endif
