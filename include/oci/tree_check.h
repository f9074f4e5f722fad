/* Whether a tree, as a tree_writer or a RUN left it, is what the listing of its layer says. */
#ifndef NACRE_OCI_TREE_CHECK_H
#define NACRE_OCI_TREE_CHECK_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/listing.h"

/*
 * Compares types, modes, owners, sizes, targets of links, xattrs and, where the listing has digests, contents, both
 * ways. Times are left out: those of a layer may be clamped (layer_diff). Devices are not made in a user namespace, and
 * directories that no entry names have their metadata from below.
 *
 * xattrs  false: the file system holds none
 * differs the first difference is appended, nothing when there is none
 */
int tree_check(int tree_fd, const struct listing *l, bool xattrs, struct str *differs, struct err *e);

#endif
