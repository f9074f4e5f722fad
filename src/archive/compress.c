#include "archive/stream.h"

#include <stdlib.h>

#include "base/mem.h"
#include "compress_priv.h"

struct sink *sink_compress(enum compression how, int level, unsigned threads, struct sink *below)
{
	return how == COMPRESSION_NONE ? below : sink_frames(how, level, threads, NULL, below);
}

struct packer *packer_new(enum compression how, int level)
{
	switch (how) {
	case COMPRESSION_GZIP:
		return packer_gzip(level);
	case COMPRESSION_ZSTD:
		return packer_zstd(level);
	case COMPRESSION_NONE:
		break;
	}
	abort();
}

void packer_free(struct packer *p)
{
	if (p)
		p->free(p);
}

void packer_drop(struct packer **p)
{
	packer_free(ptr_take(p));
}

size_t packer_bound(const struct packer *p)
{
	return p->bound;
}

int packer_pack(struct packer *p, const void *in, size_t n, void *out, size_t *ret_n, struct err *e)
{
	return p->pack(p, in, n, out, ret_n, e);
}

bool packer_unpack(struct packer *p, const void *in, size_t n, void *out, size_t out_n)
{
	return p->unpack(p, in, n, out, out_n);
}
