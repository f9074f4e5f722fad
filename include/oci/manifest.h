/* The manifest of one image: image-spec manifest.md. */
#ifndef NACRE_OCI_MANIFEST_H
#define NACRE_OCI_MANIFEST_H

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "oci/descriptor.h"

struct manifest {
	char *media_type;          /* owned */
	struct descriptor config;
	VEC(struct descriptor) layers; /* bottom first */
	struct json annotations;   /* as read; JSON_NULL when none */
	VEC(struct strv) layer_annotations; /* KEY=VALUE, of layers.v[i], for writing; may be shorter than layers */
};
/*
 * Refuses a document that is index and manifest at once, or whose mediaType disagrees with `media_type` (T-H1). NULL:
 * the type is what the document says, for one that we know by its digest alone.
 */
int manifest_parse(const char *bytes, size_t n, const char *media_type, const char *name, struct manifest *ret,
		   struct err *e);
char *manifest_write(const struct manifest *m); /* OCI; layer and config types translated from Docker's; caller owns */
char *manifest_write_docker(const struct manifest *m); /* the same in Docker's types */
void manifest_fini(struct manifest *m);

#endif
