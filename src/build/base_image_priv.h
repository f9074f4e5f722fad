/* Base images as checks see them: documents alone. */
#ifndef NACRE_BUILD_BASE_IMAGE_PRIV_H
#define NACRE_BUILD_BASE_IMAGE_PRIV_H

#include <stdbool.h>

struct build;
struct image;
struct platform;

/*
 * Manifest and config of what a reference means, layers or not: as this build has it, from the store or, with `fetch`,
 * from the registry. One of another platform serves too. False when it is not to be had. The caller owns *ret.
 */
bool base_image_peek(struct build *b, const char *reference, const struct platform *want, bool fetch,
		     struct image *ret);

#endif
