/* What frames.c, compress.c and decompress.c ask of each format. */
#ifndef NACRE_SRC_ARCHIVE_COMPRESS_PRIV_H
#define NACRE_SRC_ARCHIVE_COMPRESS_PRIV_H

#include <stdbool.h>

#include "archive/frames.h"
#include "archive/stream.h"

struct packer {
	size_t bound; /* of a frame of FRAME_MAX bytes */
	int (*pack)(struct packer *p, const void *in, size_t n, void *out, size_t *ret_n, struct err *e);
	bool (*unpack)(struct packer *p, const void *in, size_t n, void *out, size_t out_n);
	void (*free)(struct packer *p);
};
struct packer *packer_gzip(int level);
struct packer *packer_zstd(int level);

/* Length of the frame that `bytes` begin with; 0: none of ours, or it is longer than n. */
size_t gzip_frame_size(const void *bytes, size_t n);
size_t zstd_frame_size(const void *bytes, size_t n);

/* Compressed bytes that no decoder has used yet: buf[pos] to buf[len]. */
struct inflow {
	struct source *below; /* owned */
	const char *name;     /* borrowed; for messages */
	uint8_t *buf;         /* owned; INFLOW_BUFFER bytes */
	size_t pos, len;
};
enum { INFLOW_BUFFER = 256 << 10 };

/* 1 when at least one byte is there, reading more only when there is none; 0 at the end of what is below; -1. */
int inflow_more(struct inflow *in, struct err *e);

struct decoder {
	/* At least one byte of output, 0 when all input is used up and complete, -1. */
	ssize_t (*read)(struct decoder *d, struct inflow *in, void *buf, size_t n, struct err *e);
	void (*free)(struct decoder *d);
};
struct decoder *decoder_gzip(void);
struct decoder *decoder_zstd(void);

#endif
