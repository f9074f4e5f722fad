/*
 * Where a blob of the store came from: "REGISTRY/REPOSITORY" in the extended attribute user.nacre.origin of its file.
 * A registry can be asked to take it from there instead of being sent it (distribution-spec, "Mounting a blob from
 * another repository"). Nothing depends on it: file systems without such attributes, and copies of the store, forget.
 */
#ifndef NACRE_REGISTRY_ORIGIN_PRIV_H
#define NACRE_REGISTRY_ORIGIN_PRIV_H

#include "registry/reference.h"

void origin_note(int fd, const struct reference *from);
/* The repository of that registry, unless it is `to` itself; NULL when it is not known. The caller owns it. */
char *origin_find(int fd, const struct reference *to);

#endif
