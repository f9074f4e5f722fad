/* Table of contents of a layer whose files can be fetched one by one. */
#ifndef NACRE_SRC_OCI_LAZY_TOC_PRIV_H
#define NACRE_SRC_OCI_LAZY_TOC_PRIV_H

#include "archive/frames.h"
#include "archive/tar_entry.h"
#include "oci/lazy_layer.h"

/* An entry of the tar. Content that is longer than a frame is in several: pieces of FRAME_MAX bytes and a last one. */
struct lazy_entry {
	struct tar_entry tar; /* owned */
	struct digest digest; /* of the content */
	size_t frame;         /* the first that holds content */
	VEC(struct digest) pieces;
};
struct lazy_entries { struct lazy_entry *v; size_t n, cap; };
void lazy_entries_fini(struct lazy_entries *l);

/* Writes the JSON. split: digest of the compressed tar-split, or NULL. */
int lazy_toc_write(const struct lazy_entries *l, const struct frame_spans *where, enum lazy_format format,
		   const struct digest *split, struct sink *out, struct err *e);

#endif
