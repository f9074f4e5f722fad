#include "gzip_priv.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"

enum { GZIP_WRAPPER = 16, MEMORY = 8 };

struct zlib_deflater {
	struct deflater base;
	z_stream z;
};

static size_t zlib_run(struct deflater *d, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
	struct zlib_deflater *z = (struct zlib_deflater *)d;
	z->z.next_in = (Bytef *)(uintptr_t)in;
	z->z.avail_in = (uInt)n;
	z->z.next_out = out;
	z->z.avail_out = (uInt)room;
	if (deflateReset(&z->z) != Z_OK || deflate(&z->z, Z_FINISH) != Z_STREAM_END)
		abort();
	return room - z->z.avail_out;
}

static uint32_t zlib_crc(const uint8_t *in, size_t n)
{
	return (uint32_t)crc32(0, in, (uInt)n);
}

static void zlib_deflate_free(struct deflater *d)
{
	struct zlib_deflater *z = (struct zlib_deflater *)d;
	deflateEnd(&z->z);
	free(z);
}

struct deflater *deflater_zlib(int level)
{
	struct zlib_deflater *z = x_alloc(sizeof *z);
	/* Only memory can run out here. */
	if (deflateInit2(&z->z, level, Z_DEFLATED, -MAX_WBITS, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	z->base = (struct deflater){ deflateBound(&z->z, FRAME_MAX), zlib_run, zlib_crc, zlib_deflate_free };
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
