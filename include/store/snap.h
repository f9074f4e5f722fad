/* Snapshots: an unpacked stack of layers under its chainID, ready as an overlay lower. */
#ifndef NACRE_STORE_SNAP_H
#define NACRE_STORE_SNAP_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"

struct store;

bool snap_exists(struct store *s, const struct chainid *c);
/* There with a record that was copied: no snapshot, since nobody knows whether files and owners came along. */
bool snap_is_copy(struct store *s, const struct chainid *c);
/* O_PATH|O_DIRECTORY of snap/CHAIN/tree. ERR_NOTFOUND. */
int snap_open(struct store *s, const struct chainid *c, int *ret_fd, struct err *e);
/*
 * Moves the directory `name` of dir_fd, which holds "tree", to snap/CHAIN and writes the record; a snapshot that is
 * there already wins and ours stays where it is, since a running command may have it as a lower directory. It is the
 * holder that moves, not the tree: the tree may belong to an id whose directories this process may not move (rename(2),
 * EACCES).
 */
int snap_publish(struct store *s, const struct chainid *c, int dir_fd, const char *name, struct err *e);

#endif
