/* Images in the store, as commands and builds name them. */
#ifndef NACRE_BUILD_IMAGE_H
#define NACRE_BUILD_IMAGE_H

#include "base/err.h"
#include "base/vec.h"
#include "oci/config.h"
#include "oci/descriptor.h"
#include "oci/index.h"
#include "oci/layer.h"
#include "oci/manifest.h"
#include "store/store.h"

struct image {
	struct descriptor desc;      /* of the manifest */
	struct manifest manifest;
	struct image_config config;
};
void image_fini(struct image *i);

/* Reads manifest and config of a manifest digest, and checks that they fit together. */
int image_load(struct store *s, const struct digest *manifest, struct image *ret, struct err *e);

/* The name under which an image is kept: as docker prints it, without ":latest". The caller owns it. ERR_USAGE. */
int image_name(const char *text, char **ret, struct err *e);
/* The same for a name that is to be given: one with a digest can not be. */
int image_name_new(const char *text, char **ret, struct err *e);

/* A reference, "sha256:HEX", or at least four hex digits of one. ERR_NOTFOUND. */
int image_find(struct store *s, const char *text, struct digest *ret, struct err *e);
/* *ret_name: the name it was found by, which the caller owns; NULL when that was an id. */
int image_find_named(struct store *s, const char *text, struct digest *ret, char **ret_name, struct err *e);
/* Appends the names of an image. */
int image_names(struct store *s, const struct digest *manifest, struct strv *ret, struct err *e);

/* Writes the config and manifest for these layers into the store. *ret_config: of the config, with a media type that is
 * nobody's to free. */
int image_write(struct store *s, const struct image_config *config, const struct layer *layers, size_t n,
		struct descriptor *ret, struct descriptor *ret_config, struct err *e);

/* Writes the manifest for a config that the store has. */
int image_write_manifest(struct store *s, const struct descriptor *config, const struct layer *layers, size_t n,
			 struct descriptor *ret, struct err *e);

/* Writes an index of images that the store has. */
int image_write_index(struct store *s, const struct index *x, struct descriptor *ret, struct err *e);

/* Whether the name is on this very image: a cached rebuild then writes (and syncs) nothing. */
bool image_has_name(struct store *s, const char *name, const struct digest *d);
/* Puts a name on an image, which a store_sync has brought to disk (store.h) unless it has the name. */
int image_tag(struct store *s, const char *name, const struct descriptor *image, const char *created, struct err *e);

#endif
