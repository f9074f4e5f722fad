/* The index of an image of several platforms, or of a layout: image-spec image-index.md. */
#ifndef NACRE_OCI_INDEX_H
#define NACRE_OCI_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "oci/descriptor.h"
#include "oci/platform.h"

struct index_entry {
	struct descriptor desc;
	struct platform platform;  /* os "" when absent */
	bool attestation;          /* vnd.docker.reference.type, platform unknown/unknown, or an artifactType that is no image's */
	char *ref_name;            /* annotation org.opencontainers.image.ref.name or NULL; owned */
	char *full_name;           /* annotation io.containerd.image.name, where ref_name is but a tag, or NULL; owned */
	struct json annotations;   /* to write: an object, or JSON_NULL */
};
struct index {
	VEC(struct index_entry) manifests;
	struct json annotations;   /* to write: an object, or JSON_NULL */
};
/* The document of an index of images; the caller owns it. Names and what they are kept by are not part of one. */
char *index_write(const struct index *x);
int index_parse(const char *bytes, size_t n, const char *name, struct index *ret, struct err *e);
void index_fini(struct index *x);
/* Best entry for the platform, NULL when none runs there. */
const struct index_entry *index_select(const struct index *x, const struct platform *want);
/* The one that is an image, NULL when several are or none is. */
const struct index_entry *index_only(const struct index *x);

#endif
