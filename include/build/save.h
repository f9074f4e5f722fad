/* Images of the store as one file that other programs load. */
#ifndef NACRE_BUILD_SAVE_H
#define NACRE_BUILD_SAVE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/vec.h"

struct platform;
struct store;

enum save_format {
	SAVE_OCI_ARCHIVE,    /* an OCI image layout as tar */
	SAVE_DOCKER_ARCHIVE, /* as `docker save` writes it */
	SAVE_OCI_DIR,        /* an OCI image layout directory, to which images are added */
};
/* "oci-archive", "docker-archive", "oci-dir"; ERR_USAGE. */
int save_format_parse(const char *text, enum save_format *ret, struct err *e);

/*
 * Writes the images (names or ids, as image_find takes them) in a worker. The same images give the same bytes, and
 * every blob is verified on the way. A file is written aside and gets its name when it is complete.
 *
 * path  NULL: standard output
 */
int save_images(struct store *s, enum save_format how, const struct strv *images, const char *path, struct err *e);

/*
 * Writes the root filesystem of an image, of several platforms that of `want` (NULL: what this machine runs), in a worker:
 * as a tar, or as the user's files in a directory, where what is there already stays unless it has the same name.
 *
 * path  NULL: standard output, for a tar
 */
int rootfs_export(struct store *s, const char *image, const struct platform *want, bool files, const char *path,
		  struct err *e);

#endif
