/* `nacre du`: where the bytes of a store are. */
#ifndef NACRE_BUILD_USAGE_H
#define NACRE_BUILD_USAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

/*
 * Appends a table, or JSON:
 *   {"images":[{"name":…,"size":…,"shared":…},…],"objects":[{"kind":…,"count":…,"size":…},…],"other":…,"total":…}
 * An image's size is that of its blobs; `shared` the part that another named image has too. The kind "images" counts
 * those blobs once, "blobs" are the others. `total` is what du -sb says of the directory.
 */
int store_usage(struct store *s, bool json, struct str *out, struct err *e);

#endif
