/*
 * Creates the entries of a layer in a directory, as an overlay lower would hold them, for input nobody trusts: every
 * path is reached from held descriptors, links made by earlier entries are resolved inside the root, metadata is set on
 * descriptors, never by name. Deletions become overlay's own form (character device 0:0; user.overlay.opaque="y").
 * Overlay's own xattrs and 0:0 devices coming from a layer are refused or dropped (THREATS T-B1).
 *
 * Runs as root of a user namespace that maps the owners. Device nodes cannot be made there and are left out
 * (the listing has them). Directory times are set at the end.
 */
#ifndef NACRE_OCI_TREE_WRITER_H
#define NACRE_OCI_TREE_WRITER_H

#include "archive/tar_entry.h"
#include "base/err.h"

struct tree_writer;

struct tree_writer *tree_writer_new(int root_fd /* borrowed; an empty directory */);
int tree_writer_add(struct tree_writer *t, const struct tar_entry *entry, struct err *e); /* FILE: data follows */
int tree_writer_data(struct tree_writer *t, const void *bytes, size_t n, struct err *e);
int tree_writer_whiteout(struct tree_writer *t, const char *path, struct err *e);
/* On the root ("."), where overlay does not look for it: what is below then stays visible to RUN, as with other
 * builders. */
int tree_writer_opaque(struct tree_writer *t, const char *dir, struct err *e);
/* Sets directory times. `implied` (may be NULL) gets the directories that no entry named; their metadata belongs to
 * what is below this layer and must be copied from there (tree_fix_implied). */
int tree_writer_finish(struct tree_writer *t, struct strv *implied, struct err *e);
void tree_writer_free(struct tree_writer *t);

#endif
