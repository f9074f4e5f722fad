/*
 * Extended attributes between layers and trees: which are kept, and under which name.
 *
 *   layer                   tree
 *   user.overlay.X          user.overlay.overlay.X   so that it means nothing to the kernel (T-B1), which unescapes it
 *   user.*                  the same                 but "user.fuseoverlayfs.", that program's own
 *   security.capability     the same                 version 2 in layers; the kernel makes version 3 of it on disk
 * (T-B7) all others              -                        refused in a user namespace, or facts of a machine (ACL,
 * SELinux)
 */
#ifndef NACRE_OCI_LAYER_XATTR_PRIV_H
#define NACRE_OCI_LAYER_XATTR_PRIV_H

#include <stdbool.h>

#include "archive/tar_entry.h"
#include "base/err.h"

/* Whether an xattr of a layer is there in a tree, where the file system holds xattrs. */
bool layer_xattr_is_kept(const char *name);

/* Sets a layer's xattrs on fd; what the file system refuses to hold is left out and logged. */
int layer_xattrs_set(int fd, const struct tar_xattrs *l, const char *path, struct err *e);

/*
 * The xattrs of fd that belong into a layer, replacing what *ret holds. Overlay's own are dropped; ERR_SPEC for those
 * that say the file is not all there (redirect, metacopy).
 */
int layer_xattrs_get(int fd, const char *path, struct tar_xattrs *ret, struct err *e);

/* Gives a tree's directory the xattrs of another tree's, in the form they have on disk, but for overlay's own. */
int layer_xattrs_copy(int from_fd, int to_fd, const char *path, struct err *e);

#endif
