/* Images out of an archive or layout directory into the store. */
#ifndef NACRE_BUILD_LOAD_H
#define NACRE_BUILD_LOAD_H

#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/vec.h"

struct store;

struct loaded_image {
	struct digest manifest;
	struct strv names; /* it has in the archive, as image_name gives them */
};
struct loaded_images {
	struct loaded_image *v;
	size_t n, cap;
};
void loaded_images_fini(struct loaded_images *l);

/*
 * Starts a worker that reads an OCI archive, a docker archive, compressed or not, or an OCI layout directory. Blobs are
 * verified against their digests, layers against the diffIDs of their config too. On return all is in the store, and
 * nothing has a name yet: that is for the caller, after store_sync.
 *
 * path  NULL: standard input
 */
int load_images(struct store *s, const char *path, struct loaded_images *ret, struct err *e);

#endif
