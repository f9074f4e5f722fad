/*
 * What a layer that was written before has in common with one that is to be written: runs of entries whose frames
 * (oci/frame_cut.h) can be taken as they are.
 *
 * A run is the entries of one frame, or one entry that fills several. Two runs with the same key are equal in all that
 * goes into a tar: names, metadata, the digests of contents. That of the old one is what its listing says, so nothing of
 * its frames is believed: layer_writer_reuse compares their plain bytes with the listing.
 */
#ifndef NACRE_OCI_LAYER_REUSE_H
#define NACRE_OCI_LAYER_REUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/frames.h"
#include "base/digest.h"
#include "base/err.h"
#include "oci/frame_cut.h"
#include "oci/layer.h"
#include "oci/listing.h"

struct store;
struct layer_format;
struct layer_reuse;

struct frame_run {
	size_t first, n;    /* its entries, by their numbers */
	uint64_t bytes;     /* of them in the tar */
	bool known;         /* the digest of every file is; only then it has a */
	struct digest key;  /* of its lines in a listing */
	size_t first_frame, n_frames;
};

/* Divides entries into runs as layer_writer does. A zeroed one is empty. */
struct frame_plan {
	struct { struct frame_run *v; size_t n, cap; } runs;
	struct frame_cut cut;
	struct sha sha;     /* of the present run */
	size_t n;           /* entries so far */
	struct str line;    /* of the last entry */
};
/* The next entry of the layer, as it goes to layer_writer_add; no deletion. */
int frame_plan_add(struct frame_plan *p, const struct list_entry *entry, struct err *e);
void frame_plan_end(struct frame_plan *p); /* runs are complete */
void frame_plan_fini(struct frame_plan *p);

/*
 * 0; 1: nothing of it can be used, for reasons that are logged. Also when the same frame compressed today would have
 * other bytes: another level, or another version of the library.
 */
int layer_reuse_open(struct store *s, const struct layer *old, const struct layer_format *f, struct layer_reuse **ret);
/* The same, in a thread while the caller does something else; it does not fork before it waits. */
struct layer_opening;
struct layer_opening *layer_reuse_start(struct store *s /* borrowed till the wait */, struct layer *old /* taken */,
					const struct layer_format *f);
struct layer_reuse *layer_reuse_wait(struct layer_opening *o /* freed; may be NULL */); /* NULL: nothing can be used */
void layer_reuse_free(struct layer_reuse *r); /* accepts NULL; not before the layer_writer that used it */
void layer_reuse_drop(struct layer_reuse **r);

/* The old run that is equal; NULL: none is. */
const struct frame_run *layer_reuse_find(const struct layer_reuse *r, const struct frame_run *run);

/* For layer_writer: what there is in an old run. */
int layer_reuse_fd(const struct layer_reuse *r);
const struct frame_span *layer_reuse_frames(const struct layer_reuse *r, const struct frame_run *run);
struct reused_run {
	struct str lines;                 /* of the listing; owned */
	const struct list_entry *entries; /* borrowed, until a frame is put */
	struct frame_check check;         /* compares the plain bytes of the frames with the entries */
};
/* Listings are long, so that of the old layer is not kept: the run's lines are read again, and must be the same. */
int layer_reuse_load(struct layer_reuse *r, const struct frame_run *run, struct reused_run *ret, struct err *e);

#endif
