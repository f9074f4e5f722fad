/* --metadata-file: what a build made, in the words of docker buildx. */
#ifndef NACRE_BUILD_METADATA_PRIV_H
#define NACRE_BUILD_METADATA_PRIV_H

#include "build/build.h"

/*
 *   {"containerimage.config.digest":"sha256:HEX","containerimage.descriptor":{…},"containerimage.digest":"sha256:HEX",
 *    "image.name":"NAME[,NAME…]"}
 *
 * An index has no config.
 *
 * *ret: the document; the caller owns it.
 */
int metadata_make(struct store *s, const struct build_result *result, char **ret, struct err *e);

#endif
