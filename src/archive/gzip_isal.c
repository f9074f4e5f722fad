#include "gzip_priv.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "base/mem.h"

/*
 * What will not compress is stored, in blocks of at most 64 KiB with five bytes each (RFC 1951 section 3.2.4). The
 * library promises no bound: twice the overhead of blocks a quarter as long is ample.
 */
enum { ISAL_BOUND = FRAME_MAX + (FRAME_MAX / (16 << 10) + 1) * 10 + (64 << 10) };

struct isal_deflater {
	struct deflater base;
	struct isal_zstream z;
	uint8_t *level_buf; /* owned */
};

static size_t isal_run(struct deflater *d, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
	struct isal_deflater *z = (struct isal_deflater *)d;
	isal_deflate_reset(&z->z);
	z->z.next_in = (uint8_t *)(uintptr_t)in;
	z->z.avail_in = (uint32_t)n;
	z->z.next_out = out;
	z->z.avail_out = (uint32_t)room;
	z->z.end_of_stream = 1;
	/* Only our own mistakes in the stream's settings are reported. */
	if (isal_deflate(&z->z) != COMP_OK || z->z.internal_state.state != ZSTATE_END)
		abort();
	return room - z->z.avail_out;
}

static uint32_t isal_crc(const uint8_t *in, size_t n)
{
	return crc32_gzip_refl(0, in, n);
}

static void isal_deflate_free(struct deflater *d)
{
	struct isal_deflater *z = (struct isal_deflater *)d;
	free(z->level_buf);
	free(z);
}

struct deflater *deflater_isal(int level)
{
	uint32_t size = level == 1 ? ISAL_DEF_LVL1_DEFAULT : ISAL_DEF_LVL2_DEFAULT;
	struct isal_deflater *z = x_alloc(sizeof *z);
	z->base = (struct deflater){ ISAL_BOUND, isal_run, isal_crc, isal_deflate_free };
	z->level_buf = x_alloc(size);
	isal_deflate_init(&z->z);
	z->z.gzip_flag = IGZIP_DEFLATE;
	z->z.level = (uint32_t)level;
	z->z.level_buf = z->level_buf;
	z->z.level_buf_size = size;
	return &z->base;
}

/*
 * The header is read here: ISA-L 2.30 forgets the header's checksum when the header comes in two portions. The library
 * checks the CRC-32 and length that follow the data.
 */
struct isal_inflater {
	struct inflater base;
	struct gzip_header header;
	struct inflate_state s;
};

static enum inflate_status isal_inflate_run(struct inflater *i, struct inflate_span *span)
{
	struct isal_inflater *z = (struct isal_inflater *)i;
	if (!gzip_header_read(&z->header, &span->in, &span->in_n))
		return INFLATE_BAD;
	if (z->header.field != GZIP_DATA)
		return INFLATE_MORE;
	z->s.next_in = (uint8_t *)(uintptr_t)span->in;
	z->s.avail_in = (uint32_t)span->in_n;
	z->s.next_out = span->out;
	z->s.avail_out = (uint32_t)span->out_n;
	int status = isal_inflate(&z->s);
	span->in = z->s.next_in;
	span->in_n = z->s.avail_in;
	span->out = z->s.next_out;
	span->out_n = z->s.avail_out;
	if (status < 0 || status == ISAL_NEED_DICT)
		return INFLATE_BAD;
	return z->s.block_state == ISAL_BLOCK_FINISH ? INFLATE_END : INFLATE_MORE;
}

static void isal_reset(struct inflater *i)
{
	struct isal_inflater *z = (struct isal_inflater *)i;
	z->header = (struct gzip_header){ 0 };
	isal_inflate_reset(&z->s);
}

static void isal_inflate_free(struct inflater *i)
{
	free(i);
}

struct inflater *inflater_isal(void)
{
	struct isal_inflater *z = x_alloc(sizeof *z);
	z->base = (struct inflater){ isal_inflate_run, isal_reset, isal_inflate_free };
	isal_inflate_init(&z->s);
	z->s.crc_flag = ISAL_GZIP_NO_HDR_VER;
	return &z->base;
}
