#include "archive/stream.h"

#include <stdlib.h>

#include "compress_priv.h"

struct sink *sink_compress(enum compression how, int level, unsigned threads, struct sink *below)
{
	switch (how) {
	case COMPRESSION_NONE:
		return below;
	case COMPRESSION_GZIP:
		return sink_gzip(level, below);
	case COMPRESSION_ZSTD:
		return sink_zstd(level, threads, below);
	}
	abort();
}
