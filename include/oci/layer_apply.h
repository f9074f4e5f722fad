/*
 * A layer blob read once: its bytes verified against the descriptor, its diffID recomputed, its listing made, and, if
 * asked, its entries created as a tree. image-spec layer.md, "Applying Changesets".
 */
#ifndef NACRE_OCI_LAYER_APPLY_H
#define NACRE_OCI_LAYER_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/vec.h"
#include "oci/descriptor.h"

struct blob_follow;
struct store;

struct layer_apply {
	struct store *store;
	const struct descriptor *blob;
	const struct diffid *want; /* from the config; ERR_INTEGRITY when the recomputed one differs. NULL = unknown */
	const struct blob_follow *follow; /* it is being downloaded; NULL: the store has it */
	int tree_fd;                 /* an empty directory, or -1 for no tree */
	bool digest_files;           /* keep a digest per file in the listing (COPY --from keys) */
	struct strv *implied;        /* see tree_writer_finish; may be NULL */
	uint64_t *ret_size;          /* bytes of the tar; may be NULL */
};
/*
 * Publishes list/DIFFHEX and layer/DIFFHEX.json; the tree is for the caller to publish. The store has the blob then. One
 * that fails while it follows a download may succeed when all is there.
 */
int layer_apply(const struct layer_apply *a, struct diffid *ret, struct err *e);

/* Gives the directories in `implied` of one layer's tree the owner, mode, times and xattrs they have in the trees
 * below. */
int tree_fix_implied(int tree_fd, const struct strv *implied, const int *lower_fds, size_t n_lower, struct err *e);

#endif
