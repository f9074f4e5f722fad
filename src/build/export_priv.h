/* Writing a finished image where the user wants it. */
#ifndef NACRE_BUILD_EXPORT_PRIV_H
#define NACRE_BUILD_EXPORT_PRIV_H

#include <stdbool.h>

#include "base/err.h"
#include "build/image_set.h"
#include "oci/descriptor.h"
#include "save_priv.h"
#include "store/store.h"

/*
 * In a worker: writes the image or index into an OCI layout directory (made if missing; other images in it stay). Blobs are
 * shared with the store or copied, and verified; index.json comes last, aside and renamed.
 */
int export_layout(struct store *s, const struct save_image *image, const char *path, struct err *e);

/* blobs/sha256 of a layout, made if it is missing: never where a link leads. The descriptor, or -1 and an error. */
int layout_blobs(int dir, struct err *e);

/* blobs/sha256 of a layout, and what was learned there: what did not work once is not tried again. */
struct blob_place {
	int fd;
	bool never_clones, never_links;
};
/* One blob of the store, unless a file of that name and size is there. */
int export_blob(struct store *s, struct blob_place *to, const struct descriptor *d, struct err *e);

#endif
