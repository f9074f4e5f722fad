/* Overlay mounts inside the user namespace (Linux 5.11), all directories by descriptor. */
#ifndef NACRE_SANDBOX_OVERLAY_PRIV_H
#define NACRE_SANDBOX_OVERLAY_PRIV_H

#include <stddef.h>

#include "base/err.h"

struct overlay {
	const int *lower; /* topmost first; of our own mount namespace, see local_open */
	size_t n_lower;   /* at least one, or two without an upper */
	int upper, work;  /* -1, -1: read-only */
};

/* A detached mount. */
int overlay_open(const struct overlay *o, int *ret_mnt, struct err *e);

#endif
