/*
 * One layer being written: entries go in once; a tar goes through diffID, compression and digest into a blob, a listing
 * is kept beside it, and, where a later RUN wants it, the same entries appear as a tree.
 *
 *   entry ─┬─ tar, in frames ─┬─ compress ── SHA-256 (digest) ── blob
 *          │                  └─ SHA-256 (diffID)
 *          ├─ listing, with a digest per file
 *          └─ tree_writer (optional)
 *
 * Where frames (archive/frames.h) end depends on the entries (oci/frame_cut.h).
 */
#ifndef NACRE_OCI_LAYER_WRITER_H
#define NACRE_OCI_LAYER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/stream.h"
#include "archive/tar_entry.h"
#include "base/err.h"
#include "oci/layer.h"

struct store;
struct frame_run;
struct layer_reuse;
struct layer_writer;
struct tree_writer;

struct layer_format {
	enum compression how;
	int level;            /* 0 = default */
	unsigned threads;     /* 0 = as many as there are processors; the bytes are the same */
	bool clamps;          /* times later than `latest` become it */
	int64_t latest;
};

int layer_writer_open(struct store *s, const struct layer_format *f,
		      struct tree_writer *tree /* borrowed, may be NULL */, struct layer_writer **ret, struct err *e);
/* The tree alone: nothing goes to the store, and there is nothing to finish but the tree. */
struct layer_writer *layer_writer_for_tree(struct tree_writer *tree /* borrowed */);
/* A plain tar: nothing goes to the store, names that begin with ".wh." are names, and deletions are left out. Ended by
 * layer_writer_end. */
struct layer_writer *layer_writer_for_tar(struct sink *out /* taken */);
int layer_writer_end(struct layer_writer *w, struct err *e);
/* A FILE is followed by exactly entry->size bytes through layer_writer_data or layer_writer_fd. Callers add parents
 * before children and hard links after their target. */
int layer_writer_add(struct layer_writer *w, const struct tar_entry *entry, struct err *e);
/* The times that an entry gets in this layer; layer_writer_add sees to it. */
void layer_writer_times(const struct layer_writer *w, struct tar_entry *t);
int layer_writer_whiteout(struct layer_writer *w, const char *path, struct err *e); /* path deleted from below */
int layer_writer_opaque(struct layer_writer *w, const char *dir, struct err *e);    /* hides all below dir */
int layer_writer_data(struct layer_writer *w, const void *bytes, size_t n, struct err *e);
/* Copies the present FILE's size from fd's offset; ERR_BUILD when the file is shorter: it changed while it was read. */
int layer_writer_fd(struct layer_writer *w, int fd, const char *name, struct err *e);
/* Of the FILE that was written last. */
const struct digest *layer_writer_content(const struct layer_writer *w);
/*
 * In place of the entries of a run: the frames that an earlier layer has of it. Their plain bytes are compared with the
 * run's entries meanwhile; when they, or the listing, are something else by now, this or a later call fails, and
 * layer_writer_misfit is true. For a layer without a tree.
 */
int layer_writer_reuse(struct layer_writer *w, struct layer_reuse *r /* borrowed till the end */,
		       const struct frame_run *run /* of r */, struct err *e);
bool layer_writer_misfit(struct layer_writer *w);
/* Publishes blob, layer/DIFFHEX.json and list/DIFFHEX; *ret's strings are owned by the caller. The tree is not
 * published. */
int layer_writer_finish(struct layer_writer *w, struct layer *ret, struct err *e);
void layer_writer_free(struct layer_writer *w); /* accepts NULL; unfinished work is dropped */
void layer_writer_drop(struct layer_writer **w);

#endif
