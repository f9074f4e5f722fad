/* What the readers of both kinds of archives share. */
#ifndef NACRE_BUILD_LOAD_PRIV_H
#define NACRE_BUILD_LOAD_PRIV_H

#include "build/load.h"
#include "oci/descriptor.h"
#include "oci/docker_archive.h"
#include "registry/bundle.h"

struct load {
	struct store *store; /* borrowed */
	const char *name;    /* of the archive, for messages; borrowed */
	struct loaded_images images;
};

/* The image of that digest, added when it is new. Its index in l->images. */
size_t load_add(struct load *l, const struct digest *manifest);
/* Gives it a name of the archive. ERR_SPEC for what is none, and for one that another image has. */
int load_name(struct load *l, size_t image, const char *text, struct err *e);

/* The bytes of the blob are, decompressed, what the config says. */
int load_check_layer(struct load *l, const struct descriptor *layer, const struct diffid *want, struct err *e);

/* The images of a docker archive that is no OCI layout as well: each gets a manifest of its own. */
int load_docker(struct load *l, struct bundle *b, const struct docker_images *list, struct err *e);

#endif
