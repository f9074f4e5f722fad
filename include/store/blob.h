/* Blobs: bytes under the digest they have, in blobs/sha256/HEX of the store. */
#ifndef NACRE_STORE_BLOB_H
#define NACRE_STORE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

struct source;
struct store;

bool blob_exists(struct store *s, const struct digest *d, uint64_t *ret_size /* may be NULL */);
/* ERR_NOTFOUND when absent; never follows a link. */
int blob_open(struct store *s, const struct digest *d, int *ret_fd, struct err *e);
/* A small document, whole, its digest verified (ERR_INTEGRITY). */
int blob_read(struct store *s, const struct digest *d, size_t limit, struct str *out, struct err *e);
/*
 * Writes a small document; ready when it returns, on disk after store_sync. One that is there but damaged is replaced.
 */
int blob_put(struct store *s, const void *bytes, size_t n, struct digest *ret, struct err *e);

/* All that the source has becomes a blob, if it has this digest (ERR_INTEGRITY). 0, 1 it was there in this size, -1. */
int blob_take(struct store *s, const struct digest *d, struct source *in, uint64_t size, struct err *e);

/* The bytes of a blob are on disk when this returns; of all blobs, their names. */
int blob_sync(struct store *s, const struct digest *d, struct err *e);
int blob_names_sync(struct store *s, struct err *e);

/*
 * Publishes a whole file of a directory of store_tmp_new, "tmp/ID/NAME", whose bytes have this digest: fsync, then rename.
 * A blob of that size that is there already is kept and the file removed.
 */
int blob_adopt(struct store *s, const char *file, const struct digest *d, struct err *e);

/* A blob being written: a file in tmp/, published under its digest when complete. A zeroed one is closed. */
struct blob_writer {
	int fd;              /* write here; or stack sink_fd on it */
	char name[40];       /* "tmp/ID"; "" when closed */
	struct store *store; /* borrowed */
};
int blob_writer_open(struct store *s, struct blob_writer *ret, struct err *e);
/* fsync, then rename to blobs/sha256/HEX; a blob of that size that is there already is kept and this one dropped. */
int blob_writer_commit(struct blob_writer *w, const struct digest *d, struct err *e);
void blob_writer_drop(struct blob_writer *w);

#endif
