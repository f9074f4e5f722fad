/* Which blobs of the store something leads to. */
#ifndef NACRE_BUILD_ROOTS_PRIV_H
#define NACRE_BUILD_ROOTS_PRIV_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "store/objects.h"
#include "store/store.h"

/* Sorted, each once. */
struct digest_set { struct digest *v; size_t n, cap; };
void digest_set_sort(struct digest_set *d); /* after adding */
bool digest_set_has(const struct digest_set *d, const struct digest *x);
void digest_set_fini(struct digest_set *d);

/* A manifest, or an index, and what it leads to. What is missing or damaged leads nowhere; -1 for what can not be read. */
int roots_image(struct store *s, const struct digest *top, struct digest_set *ret, struct err *e);
/* Blobs of images that have a name. */
int roots_named(struct store *s, struct digest_set *ret, struct err *e);
/* Blobs of base images and fetched URLs, layers of steps, images of the last build. Damaged records lead nowhere. */
int roots_cached(struct store *s, const struct objects *objects, struct digest_set *ret, struct err *e);
/* The blob that a layer/HEX.json names; false when it is none. */
bool layer_record_blob(struct store *s, const char *name, struct digest *ret);
/* Whether what a record of the cache names is there; true for what is no such record. */
bool record_is_whole(struct store *s, const struct object *o);

#endif
