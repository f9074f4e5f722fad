/*
 * An archive of images, as `save` commands write them: a tar that holds an OCI image layout, or Docker's manifest.json
 * with what that names, or both.
 *
 * Members come in any order, and what they are is known at the end only. So each file is put aside into a directory
 * of the store's tmp/ under a number, its digest taken on the way; what an image turns out to need becomes a blob by
 * rename, the rest goes with the directory. A path of the archive is a word to compare with, never the name of a file
 * here.
 */
#ifndef NACRE_REGISTRY_BUNDLE_H
#define NACRE_REGISTRY_BUNDLE_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/descriptor.h"
#include "registry/pull.h"

struct store;
struct bundle;

struct bundle_file {
	char *path; /* in the archive: relative, cleaned; owned */
	char *link; /* path of the member it is a link to, or NULL; owned */
	uint64_t size;
	struct digest digest; /* of its bytes */
	bool is_blob;         /* the store has it, and it was not put aside */
};

/* Reads the tar to its end: gzip, zstd, xz, bzip2 or plain. Links are followed within the archive only. */
int bundle_read(struct store *s, int fd /* borrowed */, const char *name /* copied */, struct bundle **ret,
		struct err *e);
void bundle_free(struct bundle *b);  /* accepts NULL */
void bundle_drop(struct bundle **b); /* for AUTO */

bool bundle_is_empty(const struct bundle *b); /* no file is in it */
/* NULL when it is not there. */
const struct bundle_file *bundle_find(const struct bundle *b, const char *path);
/* A small file, whole. */
int bundle_text(struct bundle *b, const struct bundle_file *f, size_t limit, struct str *out, struct err *e);
/* Makes it a blob of the store, under its digest. */
int bundle_publish(struct bundle *b, const struct bundle_file *f, struct err *e);

/* The image of this descriptor in the archive's OCI layout goes into the store, as pull_layout does it. */
int pull_bundle(struct bundle *b, const struct descriptor *first, struct pulled *ret, struct err *e);

#endif
