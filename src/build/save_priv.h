/* What the writers of both kinds of archives share. */
#ifndef NACRE_BUILD_SAVE_PRIV_H
#define NACRE_BUILD_SAVE_PRIV_H

#include <stdbool.h>

#include "archive/stream.h"
#include "build/image_set.h"
#include "build/save.h"

struct save_image {
	struct image_set set; /* of one member for a docker archive, which knows no indexes */
	char *name; /* it is saved under; NULL: by its id alone. owned */
	const struct json *annotations; /* of its entry in a layout: an object, JSON_NULL or NULL; borrowed */
};
struct save_images {
	struct save_image *v;
	size_t n, cap;
};

/* In a worker. path NULL: standard output. */
int save_write(struct store *s, enum save_format how, const struct save_images *images, const char *path,
	       struct err *e);

/* Digests of what is in the archive already. */
struct digests {
	struct digest *v;
	size_t n, cap;
};
/* true when it was not there */
bool digests_add(struct digests *l, const struct digest *d);

/* Members of the archive: times and owners 0, so that the bytes depend on the images alone. */
int save_directory(struct sink *out, const char *path, struct err *e);
int save_text(struct sink *out, const char *path, const char *text, struct err *e);
/* A blob as it is; ERR_INTEGRITY when its bytes are not what its descriptor says. */
int save_blob(struct store *s, struct sink *out, const char *path, const struct descriptor *d, struct err *e);
/* What `in` holds, which must be `size` bytes of this digest. */
int save_source(struct sink *out, const char *path, struct source *in, uint64_t size, const struct digest *want,
		struct err *e);

int save_oci(struct store *s, const struct save_images *images, struct sink *out, struct err *e);
int save_docker(struct store *s, const struct save_images *images, struct sink *out, struct err *e);

#endif
