/*
 * Frames as gzip members:
 *
 *   1f 8b 08 04  00 00 00 00  00 ff     deflate, an extra field, no time, system unknown
 *   08 00  'N' 'F' 04 00  LENGTH        the extra field: length of the whole member, 4 bytes
 *   deflate data  CRC-32  SIZE
 *
 * All numbers have their low byte first (RFC 1952 section 2.3). With the length members are found without inflating.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "compress_priv.h"
#include "gzip_priv.h"

enum { HEAD = 20, LENGTH_AT = 16, TRAILER = 8 };
static const uint8_t head[LENGTH_AT] = { 0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 'N', 'F', 4, 0 };

struct gzip_packer {
	struct packer base;
	struct deflater *deflater; /* owned */
	struct inflater *inflater; /* owned; NULL until needed */
};

static void put_u32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get_u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int gzip_pack(struct packer *p, const void *in, size_t n, void *out, size_t *ret_n, struct err *e)
{
	struct deflater *d = ((struct gzip_packer *)p)->deflater;
	uint8_t *at = out;
	(void)e;
	size_t body = d->run(d, in, n, at + HEAD, p->bound - HEAD - TRAILER);
	memcpy(at, head, sizeof head);
	*ret_n = HEAD + body + TRAILER;
	put_u32(at + LENGTH_AT, (uint32_t)*ret_n);
	put_u32(at + HEAD + body, d->crc(in, n));
	put_u32(at + HEAD + body + 4, (uint32_t)n);
	return 0;
}

static bool gzip_unpack(struct packer *p, const void *in, size_t n, void *out, size_t out_n)
{
	struct gzip_packer *g = (struct gzip_packer *)p;
	struct inflate_span span = { in, n, out, out_n + 1 };
	enum inflate_status status;
	size_t in_had, out_had;
	if (!g->inflater)
		g->inflater = inflater_new();
	else
		g->inflater->reset(g->inflater);
	do {
		in_had = span.in_n;
		out_had = span.out_n;
		status = g->inflater->run(g->inflater, &span);
	} while (status == INFLATE_MORE && (span.in_n != in_had || span.out_n != out_had));
	return status == INFLATE_END && span.in_n == 0 && span.out_n == 1;
}

static void gzip_packer_free(struct packer *p)
{
	struct gzip_packer *g = (struct gzip_packer *)p;
	g->deflater->free(g->deflater);
	if (g->inflater)
		g->inflater->free(g->inflater);
	free(g);
}

/*
 * Of ISA-L's three levels only two: on every x86 with SSE 4.2 they give the same bytes, while the third has other code
 * with other results for AVX2 and for AVX-512 (seen with 2.30). It would compress 2 % better. What asks for more gets
 * zlib.
 */
static struct deflater *deflater_for(int level)
{
#if HAVE_ISAL
	if (level < 7)
		return deflater_isal(level == 1 ? 1 : 2);
#endif
	return deflater_zlib(level == 0 ? 6 : level > 9 ? 9 : level);
}

struct packer *packer_gzip(int level)
{
	struct gzip_packer *g = x_alloc(sizeof *g);
	g->deflater = deflater_for(level < 0 ? 0 : level);
	g->base = (struct packer){
		.bound = g->deflater->bound + HEAD + TRAILER,
		.pack = gzip_pack,
		.unpack = gzip_unpack,
		.free = gzip_packer_free,
	};
	return &g->base;
}

size_t gzip_frame_size(const void *bytes, size_t n)
{
	if (n < HEAD + TRAILER || memcmp(bytes, head, sizeof head) != 0)
		return 0;
	uint32_t size = get_u32((const uint8_t *)bytes + LENGTH_AT);
	return size >= HEAD + TRAILER && size <= n ? size : 0;
}
