#include "gzip_priv.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"

enum { OUT = 256 << 10, GZIP_WRAPPER = 16, OS_UNKNOWN = 255 };

struct zlib_deflater {
	struct deflater base;
	z_stream z;
	gz_header header;
	uint8_t *out; /* owned; OUT bytes */
};

static int zlib_deflate(struct deflater *d, const uint8_t *in, size_t n, bool last, struct sink *out, struct err *e)
{
	struct zlib_deflater *z = (struct zlib_deflater *)d;
	z->z.next_in = (Bytef *)(uintptr_t)in;
	z->z.avail_in = (uInt)n;
	do {
		z->z.next_out = z->out;
		z->z.avail_out = OUT;
		/* Z_BUF_ERROR only says that there was nothing left to do. */
		if (deflate(&z->z, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
			abort();
		if (sink_write(out, z->out, OUT - z->z.avail_out, e) < 0)
			return -1;
	} while (z->z.avail_out == 0);
	return 0;
}

static void zlib_deflate_free(struct deflater *d)
{
	struct zlib_deflater *z = (struct zlib_deflater *)d;
	deflateEnd(&z->z);
	free(z->out);
	free(z);
}

struct deflater *deflater_zlib(int level)
{
	struct zlib_deflater *z = x_alloc(sizeof *z);
	z->base = (struct deflater){ zlib_deflate, zlib_deflate_free };
	z->out = x_alloc(OUT);
	/* Only memory can run out here. No time and no name in the header; the same system byte as ISA-L writes. */
	z->header.os = OS_UNKNOWN;
	if (deflateInit2(&z->z, level, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflateSetHeader(&z->z, &z->header) != Z_OK)
		abort();
	return &z->base;
}

struct zlib_inflater {
	struct inflater base;
	z_stream z;
};

static enum inflate_status zlib_inflate(struct inflater *i, struct inflate_span *span)
{
	struct zlib_inflater *z = (struct zlib_inflater *)i;
	z->z.next_in = (Bytef *)(uintptr_t)span->in;
	z->z.avail_in = (uInt)span->in_n;
	z->z.next_out = span->out;
	z->z.avail_out = (uInt)span->out_n;
	int status = inflate(&z->z, Z_NO_FLUSH);
	span->in = z->z.next_in;
	span->in_n = z->z.avail_in;
	span->out = z->z.next_out;
	span->out_n = z->z.avail_out;
	if (status == Z_STREAM_END)
		return INFLATE_END;
	return status == Z_OK || status == Z_BUF_ERROR ? INFLATE_MORE : INFLATE_BAD;
}

static void zlib_reset(struct inflater *i)
{
	if (inflateReset(&((struct zlib_inflater *)i)->z) != Z_OK)
		abort();
}

static void zlib_inflate_free(struct inflater *i)
{
	inflateEnd(&((struct zlib_inflater *)i)->z);
	free(i);
}

struct inflater *inflater_zlib(void)
{
	struct zlib_inflater *z = x_alloc(sizeof *z);
	z->base = (struct inflater){ zlib_inflate, zlib_reset, zlib_inflate_free };
	if (inflateInit2(&z->z, MAX_WBITS + GZIP_WRAPPER) != Z_OK)
		abort();
	return &z->base;
}
