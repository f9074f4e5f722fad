#include "compress_priv.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/limits.h"
#include "base/mem.h"

/* The highest levels want windows that few decoders allow (RFC 8878 section 3.1.1.1.2); no frame is that long. */
enum { LEVEL = 3 };

struct zstd_packer {
	struct packer base;
	ZSTD_CCtx *ctx;   /* owned */
	ZSTD_DCtx *undo;  /* owned; NULL until needed */
};

static int zstd_pack(struct packer *p, const void *in, size_t n, void *out, size_t *ret_n, struct err *e)
{
	struct zstd_packer *z = (struct zstd_packer *)p;
	/* In one call, with room for the worst case: so the library knows the size and needs no buffers of its own. */
	size_t got = ZSTD_compress2(z->ctx, out, p->bound, in, n);
	if (ZSTD_isError(got))
		return err_set(e, ERR_SYS, "compress: zstd: %s", ZSTD_getErrorName(got));
	*ret_n = got;
	return 0;
}

static bool zstd_unpack(struct packer *p, const void *in, size_t n, void *out, size_t out_n)
{
	struct zstd_packer *z = (struct zstd_packer *)p;
	if (!z->undo)
		z->undo = ZSTD_createDCtx();
	return z->undo && ZSTD_decompressDCtx(z->undo, out, out_n + 1, in, n) == out_n;
}

static void zstd_packer_free(struct packer *p)
{
	struct zstd_packer *z = (struct zstd_packer *)p;
	ZSTD_freeCCtx(z->ctx);
	ZSTD_freeDCtx(z->undo);
	free(z);
}

static void set(ZSTD_CCtx *ctx, ZSTD_cParameter p, int value)
{
	if (ZSTD_isError(ZSTD_CCtx_setParameter(ctx, p, value)))
		abort();
}

struct packer *packer_zstd(int level)
{
	struct zstd_packer *z = x_alloc(sizeof *z);
	z->base = (struct packer){
		.bound = ZSTD_compressBound(FRAME_MAX),
		.pack = zstd_pack,
		.unpack = zstd_unpack,
		.free = zstd_packer_free,
	};
	z->ctx = ZSTD_createCCtx();
	if (!z->ctx)
		abort();
	if (level <= 0)
		level = LEVEL;
	set(z->ctx, ZSTD_c_compressionLevel, level < ZSTD_maxCLevel() ? level : ZSTD_maxCLevel());
	set(z->ctx, ZSTD_c_checksumFlag, 1);
	return &z->base;
}

size_t zstd_frame_size(const void *bytes, size_t n)
{
	size_t got = ZSTD_findFrameCompressedSize(bytes, n);
	return ZSTD_isError(got) ? 0 : got;
}

struct zstd_decoder {
	struct decoder base;
	ZSTD_DCtx *ctx; /* owned */
	bool in_frame;
};

static int zstd_refuse(size_t code, const char *name, struct err *e)
{
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(e, ERR_LIMIT, "%s: zstd window larger than %u MiB", name,
			       1u << (LIMIT_ZSTD_WINDOW_LOG - 20));
	return err_set(e, ERR_SPEC, "%s: broken zstd data: %s", name, ZSTD_getErrorName(code));
}

static ssize_t zstd_read(struct decoder *d, struct inflow *in, void *buf, size_t n, struct err *e)
{
	struct zstd_decoder *z = (struct zstd_decoder *)d;
	ZSTD_outBuffer out = { buf, n, 0 };
	while (out.pos == 0) {
		int more = inflow_more(in, e);
		if (more < 0)
			return -1;
		if (!more && !z->in_frame)
			return 0;
		ZSTD_inBuffer chunk = { in->buf, in->len, in->pos };
		size_t left = ZSTD_decompressStream(z->ctx, &out, &chunk);
		if (ZSTD_isError(left))
			return zstd_refuse(left, in->name, e);
		in->pos = chunk.pos;
		/* 0: a frame, perhaps a skippable one, is complete and all of it was given out. */
		z->in_frame = left != 0;
		if (!more && out.pos == 0 && z->in_frame)
			return err_set(e, ERR_SPEC, "%s: zstd data ends early", in->name);
	}
	return (ssize_t)out.pos;
}

static void zstd_decoder_free(struct decoder *d)
{
	struct zstd_decoder *z = (struct zstd_decoder *)d;
	ZSTD_freeDCtx(z->ctx);
	free(z);
}

struct decoder *decoder_zstd(void)
{
	struct zstd_decoder *z = x_alloc(sizeof *z);
	z->base = (struct decoder){ zstd_read, zstd_decoder_free };
	z->ctx = ZSTD_createDCtx();
	if (!z->ctx || ZSTD_isError(ZSTD_DCtx_setParameter(z->ctx, ZSTD_d_windowLogMax, LIMIT_ZSTD_WINDOW_LOG)))
		abort();
	return &z->base;
}
