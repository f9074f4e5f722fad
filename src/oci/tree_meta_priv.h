/* Owner, mode, xattrs and times of what a tree writer creates. */
#ifndef NACRE_OCI_TREE_META_PRIV_H
#define NACRE_OCI_TREE_META_PRIV_H

#include <stdbool.h>
#include <sys/stat.h>

#include "archive/tar_entry.h"
#include "base/err.h"

/*
 * Owner, mode and xattrs on an open file or directory; the kernel is asked first what it has, since most of it is right
 * already. For a file to be called after its content is written, which clears set-id bits and capabilities.
 * *ret_st (may be NULL) is what it was before.
 */
int tree_meta_fd(int fd, const struct tar_entry *entry, struct stat *ret_st, struct err *e);
/* Owner and times of the symbolic link dir_fd/name. */
int tree_meta_link(int dir_fd, const char *name, const struct tar_entry *entry, struct err *e);
/* Owner, mode and times of the FIFO or device dir_fd/name. */
int tree_meta_node(int dir_fd, const char *name, const struct tar_entry *entry, struct err *e);

struct timespec tree_meta_time(const struct tar_entry *entry);

#endif
