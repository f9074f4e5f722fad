/*
 * Layers of which a runtime can fetch single files: each file's content is compressed alone, and a table of contents at
 * the end of the blob says where. To everybody else they are ordinary gzip and zstd layers.
 *
 * LAZY_ZSTD_CHUNKED  zstd:chunked, as containers/storage reads it: the tar stays as it is; table, the headers of the tar
 *                    (tar-split) and a footer are skippable frames (RFC 8878 section 3.1.2).
 * LAZY_ESTARGZ       eStargz (containerd/stargz-snapshotter, docs/estargz.md): the table is the last member of the tar,
 *                    so the diffID is another one.
 */
#ifndef NACRE_OCI_LAZY_LAYER_H
#define NACRE_OCI_LAZY_LAYER_H

#include "archive/stream.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/vec.h"

enum lazy_format { LAZY_ZSTD_CHUNKED, LAZY_ESTARGZ };

struct lazy_options {
	enum lazy_format format;
	int level;          /* as of sink_compress */
	unsigned threads;
};

struct lazy_layer {
	struct diffid diffid;
	struct digest digest;
	uint64_t size;
	struct strv annotations; /* KEY=VALUE, for the layer's descriptor */
};

/*
 * Reads a layer's tar to its end and writes the blob to `fd`, which is empty and can be read and sought. ERR_SPEC for a
 * tar that cannot be told apart into headers and contents (sparse files).
 */
int lazy_layer_write(const struct lazy_options *o, struct source *tar /* borrowed, decompressed */, const char *name,
		     int fd, struct lazy_layer *ret, struct err *e);
void lazy_layer_fini(struct lazy_layer *l);

#endif
