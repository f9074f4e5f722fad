/* What compress.c and decompress.c ask of each format. */
#ifndef NACRE_SRC_ARCHIVE_COMPRESS_PRIV_H
#define NACRE_SRC_ARCHIVE_COMPRESS_PRIV_H

#include <stdbool.h>

#include "archive/stream.h"

struct sink *sink_gzip(int level, struct sink *below /* taken */);
struct sink *sink_zstd(int level, unsigned threads, struct sink *below /* taken */);

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
