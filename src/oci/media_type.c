#include "oci/media_type.h"

#include <stddef.h>

#include "base/mem.h"
#include "base/str.h"

bool media_type_is_index(const char *mt)
{
	return str_eq(mt, MT_INDEX) || str_eq(mt, MT_DOCKER_LIST);
}

bool media_type_is_manifest(const char *mt)
{
	return str_eq(mt, MT_MANIFEST) || str_eq(mt, MT_DOCKER_MANIFEST);
}

#define NONDISTRIBUTABLE "application/vnd.oci.image.layer.nondistributable.v1.tar"
#define DOCKER_FOREIGN "application/vnd.docker.image.rootfs.foreign.diff.tar"

/* image-spec media-types.md, "Compatibility Matrix"; zstd under Docker's name is written by some builders. */
static const struct {
	const char *docker, *oci;
	bool layer;
} docker_types[] = {
	{ MT_DOCKER_LIST, MT_INDEX, false },
	{ MT_DOCKER_MANIFEST, MT_MANIFEST, false },
	{ MT_DOCKER_CONFIG, MT_CONFIG, false },
	{ MT_DOCKER_LAYER, MT_LAYER, true },
	{ MT_DOCKER_LAYER ".gzip", MT_LAYER "+gzip", true },
	{ MT_DOCKER_LAYER ".zstd", MT_LAYER "+zstd", true },
	{ DOCKER_FOREIGN, NONDISTRIBUTABLE, true },
	{ DOCKER_FOREIGN ".gzip", NONDISTRIBUTABLE "+gzip", true },
	{ DOCKER_FOREIGN ".zstd", NONDISTRIBUTABLE "+zstd", true },
};

bool media_type_is_layer(const char *mt)
{
	for (size_t i = 0; i < ARRAY_LEN(docker_types); i++)
		if (docker_types[i].layer && (str_eq(mt, docker_types[i].docker) || str_eq(mt, docker_types[i].oci)))
			return true;
	return false;
}

const char *media_type_layer(enum compression c)
{
	switch (c) {
	case COMPRESSION_NONE:
		return MT_LAYER;
	case COMPRESSION_GZIP:
		return MT_LAYER "+gzip";
	case COMPRESSION_ZSTD:
		return MT_LAYER "+zstd";
	}
	return NULL;
}

const char *media_type_oci(const char *mt)
{
	for (size_t i = 0; i < ARRAY_LEN(docker_types); i++)
		if (str_eq(mt, docker_types[i].docker))
			return docker_types[i].oci;
	return mt;
}

const char *media_type_docker(const char *mt)
{
	for (size_t i = 0; i < ARRAY_LEN(docker_types); i++)
		if (str_eq(mt, docker_types[i].oci))
			return docker_types[i].docker;
	return mt;
}
