/* Changing an OCI image layout: one writer at a time. */
#ifndef NACRE_STORE_LAYOUT_PRIV_H
#define NACRE_STORE_LAYOUT_PRIV_H

#include <stddef.h>

#include "base/err.h"

/* Waits for the layout's lock, which is the file oci-layout; closing *ret_fd frees it. */
int layout_lock(int dir_fd, int *ret_fd, struct err *e);
/* Writes NAME.new, syncs it, renames it over NAME and syncs the directory; the caller holds the lock. */
int layout_replace(int dir_fd, const char *name, const char *bytes, size_t n, struct err *e);

#endif
