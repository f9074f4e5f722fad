/*
 * Pushing to a registry: OCI distribution specification 1.1, as a client. What is in the store is sent as it is:
 * nothing is compressed again, no document is written anew.
 *
 * These functions open connections, so they run in worker processes only. What is no image: repository.h.
 */
#ifndef NACRE_REGISTRY_PUSH_H
#define NACRE_REGISTRY_PUSH_H

#include "base/digest.h"
#include "base/err.h"
#include "registry/pull.h"
#include "registry/reference.h"

struct store;

/*
 * Sends a manifest or index of the store with all it names: blobs first, an index after the manifests it lists, and
 * the document itself last, under the tag (or else the digest) of `to`, so that nobody sees a part of an image. What
 * the registry has is not sent again. Of a document with a subject the registry is told in the way it understands, so that
 * it is among the subject's referrers. ERR_NOTFOUND when the store has not all of it.
 */
int push_image(struct store *s, const struct digest *document, const struct reference *to,
	       const struct pull_progress *progress /* may be NULL */, struct err *e);

#endif
