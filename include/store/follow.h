/*
 * A blob that is read while another process downloads it.
 *
 * Whoever downloads one tells with its claim (store/claim.h) in which file of tmp/ the bytes are. Nothing is known of them
 * until they are all there, so the reader computes the digest too, and publishes what it made of them no sooner than the
 * store has the blob. A download that begins anew writes another file; the reader goes on there at the byte where it was:
 * the digest says whether that was right.
 */
#ifndef NACRE_STORE_FOLLOW_H
#define NACRE_STORE_FOLLOW_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct source;
struct store;

struct blob_follow {
	struct store *store;  /* borrowed */
	struct digest digest;
	uint64_t size;
	int ended_fd;         /* borrowed; hung up when the process that downloads is gone: what is not there then never comes */
};

/* Ends after `size` bytes. ERR_NOTFOUND when the download ended without the blob. */
struct source *source_follow(const struct blob_follow *f /* copied */);
/* Returns when the store has the blob. ERR_NOTFOUND as above. */
int blob_follow_wait(const struct blob_follow *f, struct err *e);

#endif
