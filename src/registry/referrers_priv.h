/*
 * What refers to an image: manifests with a "subject". A registry of distribution-spec 1.1 lists them itself and says
 * so (OCI-Subject); for others the client keeps the list, as an index under a tag made of the subject's digest.
 */
#ifndef NACRE_REGISTRY_REFERRERS_PRIV_H
#define NACRE_REGISTRY_REFERRERS_PRIV_H

#include "base/err.h"
#include "oci/descriptor.h"

struct repository;

/* After a manifest or index was put: makes it known among the referrers of its subject, if any. text: the document. */
int referrers_add(struct repository *r, const struct descriptor *d, const char *text, const char *name, struct err *e);

#endif
