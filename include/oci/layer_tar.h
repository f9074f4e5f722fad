/* The tar that a layer of the store is. */
#ifndef NACRE_OCI_LAYER_TAR_H
#define NACRE_OCI_LAYER_TAR_H

#include "archive/stream.h"
#include "base/err.h"
#include "oci/descriptor.h"

struct store;

/* Decompressed, and no longer than a layer may be. Both are the caller's; the descriptor stays open as long as *ret is. */
int layer_tar_open(struct store *s, const struct descriptor *blob, int *ret_fd, struct source **ret, struct err *e);

#endif
