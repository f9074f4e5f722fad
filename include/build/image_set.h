/* What a name leads to: one image, or an index of images for several platforms. */
#ifndef NACRE_BUILD_IMAGE_SET_H
#define NACRE_BUILD_IMAGE_SET_H

#include <stdbool.h>

#include "base/err.h"
#include "base/vec.h"
#include "build/image.h"
#include "oci/descriptor.h"
#include "oci/platform.h"
#include "store/store.h"

struct image_member {
	struct image image;
	struct platform platform; /* as the index says, or the image's config */
	bool attestation;         /* says something about another member, and runs nowhere */
};

struct image_set {
	struct descriptor top;    /* of the index, or of the only manifest */
	bool is_index;
	VEC(struct image_member) members; /* in the order of the index */
};
/* Reads the documents that a digest leads to. ERR_SPEC for an index of indexes, ERR_NOTFOUND for one not all of which is here. */
int image_set_load(struct store *s, const struct digest *top, struct image_set *ret, struct err *e);
void image_set_fini(struct image_set *set);

/* All of it is on disk when this returns: documents, layers, and their names. */
int image_sync(struct store *s, const struct digest *top, struct err *e);

/* Bytes of all documents and layers, each counted once. */
uint64_t image_set_size(const struct image_set *set);
/* The time of its latest image, or NULL. */
const char *image_set_created(const struct image_set *set);

/*
 * The manifest that a digest means on a platform; *ret is the digest itself unless that is of an index. want NULL: what
 * this machine runs, or what there is if that is but one. ERR_NOTFOUND.
 */
int image_choose(struct store *s, const struct digest *top, const struct platform *want, struct digest *ret,
		 struct err *e);

#endif
