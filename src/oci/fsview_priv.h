/* What the files of fsview share. */
#ifndef NACRE_OCI_FSVIEW_PRIV_H
#define NACRE_OCI_FSVIEW_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "oci/fsview.h"

/* ---- fsview_table.c: children by directory and name ---- */

struct fsnode *table_find(const struct fsview *v, struct fsnode *dir, const char *name, size_t n);
void table_add(struct fsview *v, struct fsnode *node);
void table_remove(struct fsview *v, struct fsnode *node);

/* ---- fsview.c ---- */

/* fsview_add without a copy of the name. */
struct fsnode *fsview_add_named(struct fsview *v, struct fsnode *dir, const char *name /* of the arena */);
int fsview_load(struct fsview *v, struct fsnode *dir, struct err *e);
/* fsview_child with the first n bytes of name. */
int fsview_find(struct fsview *v, struct fsnode *dir, const char *name, size_t n, struct fsnode **ret, struct err *e);

/* ---- fsview_walk.c ---- */

/*
 * Follows the first n bytes of path from the root; as fsview_lookup. With `make`, what is missing or in the way becomes
 * a directory of that layer.
 */
struct fsview_making {
	unsigned layer;
};
int fsview_walk(struct fsview *v, const char *path, size_t n, bool follow_last, const struct fsview_making *make,
		struct fsnode **ret, int *ret_errno, struct err *e);

/* ---- fsview_apply.c ---- */

/* Marks the node and all above it as touched by the layer. */
void fsview_touch(struct fsnode *node, unsigned layer);
/* A directory that no entry names; 0755 0:0 as BuildKit makes missing parents. */
void fsnode_set_implied(struct fsnode *node, unsigned layer);

#endif
