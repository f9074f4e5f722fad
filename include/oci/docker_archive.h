/*
 * manifest.json of an archive as `docker save` writes it: which members are the config and the layers of each image.
 *
 *   [{"Config":"HEX.json","RepoTags":["app:latest"],"Layers":["HEX/layer.tar", …]}, …]
 *
 * moby, image/spec/spec.md, "Combined Image JSON + Filesystem Changeset Format".
 */
#ifndef NACRE_OCI_DOCKER_ARCHIVE_H
#define NACRE_OCI_DOCKER_ARCHIVE_H

#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

struct docker_image {
	char *config;        /* path of a member, as layers: relative, cleaned, without "..". owned */
	struct strv names;   /* as they stand there */
	struct strv layers;  /* bottom first */
};
struct docker_images { struct docker_image *v; size_t n, cap; };

/* ERR_SPEC for a list of no images too. */
int docker_archive_parse(const char *bytes, size_t n, const char *name, struct docker_images *ret, struct err *e);
void docker_images_fini(struct docker_images *l);

#endif
