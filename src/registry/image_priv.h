/* From the document a name stands for to an image in the store: the same way for registries and layout directories. */
#ifndef NACRE_REGISTRY_IMAGE_PRIV_H
#define NACRE_REGISTRY_IMAGE_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/descriptor.h"
#include "oci/platform.h"
#include "registry/pull.h"

struct store;

struct image_source {
	const char *name;       /* for messages; borrowed */
	struct store *store;    /* borrowed */
	const struct pull_progress *progress; /* borrowed; may be NULL */
	/* A manifest or index by its descriptor. *ret_type: what the peer calls it, or NULL; the caller owns it. */
	int (*document)(struct image_source *src, const struct descriptor *d, struct str *out, char **ret_type,
			struct err *e);
	/* Puts blobs the store does not have into it, verified. `what`: "config" or "layer". */
	int (*blobs)(struct image_source *src, const char *what, const struct descriptor *list, size_t n,
		     struct err *e);
};

/*
 * bytes: the first document, whose digest is `digest`, verified. type: its media type as document_type gave it.
 * want and want_layers as in pull_image.
 */
int image_take(struct image_source *src, const struct str *bytes, const char *type, const struct digest *digest,
	       const struct platform *want, bool want_layers, struct pulled *ret, struct err *e);

/* The same of all that an index lists, and of the index; one image is taken as it is. */
int image_take_all(struct image_source *src, const struct str *bytes, const char *type, const struct digest *digest,
		   struct err *e);

/* ERR_INTEGRITY unless the bytes have this digest and, when it is not 0, this size. */
int bytes_verify(const struct str *bytes, const struct digest *digest, uint64_t size, const char *name, struct err *e);

#endif
