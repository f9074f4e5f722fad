/*
 * One repository of a registry, for what is more or less than an image: documents and blobs of any media type, as a
 * build cache keeps them there.
 *
 * These functions open connections, so they run in worker processes only. Names for messages are made here.
 */
#ifndef NACRE_REGISTRY_REPOSITORY_H
#define NACRE_REGISTRY_REPOSITORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/descriptor.h"
#include "registry/reference.h"

struct pull_progress;
struct store;
struct repository;

/* push: asks for the right to push, too. Only a loopback registry is asked anything yet. */
int repository_open(const struct reference *r /* borrowed, its tag and digest unused */, bool push,
		    const struct pull_progress *progress /* borrowed, may be NULL */, struct repository **ret,
		    struct err *e);
void repository_free(struct repository *r); /* accepts NULL */
void repository_drop(struct repository **r); /* for AUTO */

/*
 * A manifest or index by tag or digest; verified when it is a digest, and when size is not 0, of that size. *ret_type:
 * what the registry calls it, or NULL; the caller owns it. 1: there is none.
 */
int repository_get(struct repository *r, const char *version, uint64_t size, struct str *out, char **ret_type,
		   struct err *e);
/* version: a tag, or NULL for its digest. */
int repository_put(struct repository *r, const char *version, const char *media_type, const char *bytes, size_t n,
		   struct err *e);

/* Which of the blobs it has. */
int repository_has(struct repository *r, const struct descriptor *list, size_t n, bool *ret, struct err *e);
/* Blobs into the store, verified; those that are there already are skipped. `what` is for messages: "layer". */
int repository_fetch(struct repository *r, struct store *s, const char *what, const struct descriptor *list, size_t n,
		     struct err *e);
/* A small blob into memory, verified. ERR_NOTFOUND when there is none. */
int repository_read(struct repository *r, const struct descriptor *d, size_t limit, struct str *out, struct err *e);
/* Blobs from the store; those that the registry has are skipped. */
int repository_send(struct repository *r, struct store *s, const char *what, const struct descriptor *list, size_t n,
		    struct err *e);

#endif
