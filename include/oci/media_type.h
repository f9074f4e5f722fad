/* Media types of image-spec 1.1, and Docker's schema 2, which is written only on request. */
#ifndef NACRE_OCI_MEDIA_TYPE_H
#define NACRE_OCI_MEDIA_TYPE_H

#include <stdbool.h>

#include "archive/stream.h"

#define MT_INDEX    "application/vnd.oci.image.index.v1+json"
#define MT_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MT_CONFIG   "application/vnd.oci.image.config.v1+json"
#define MT_LAYER    "application/vnd.oci.image.layer.v1.tar"
#define MT_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MT_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define MT_DOCKER_LAYER    "application/vnd.docker.image.rootfs.diff.tar"   /* .gzip */

bool media_type_is_index(const char *mt);
bool media_type_is_manifest(const char *mt);
/* A layer we can unpack (any of +gzip, +zstd, .gzip, plain, and the nondistributable forms). */
bool media_type_is_layer(const char *mt);
/* The OCI layer type for a compression. */
const char *media_type_layer(enum compression c);
/* The OCI equivalent of a Docker layer type; itself otherwise. */
const char *media_type_oci(const char *mt);
/* Docker's equivalent of an OCI type; itself otherwise. */
const char *media_type_docker(const char *mt);

#endif
