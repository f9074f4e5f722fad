#include "compress_priv.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"

/*
 * RFC 8878 section 3.1.1.1.2 recommends that decoders support windows of 8 MiB; the highest levels would take more.
 * JOB is what one thread compresses at a time; fixed here, for the library's own choice depends on its version.
 * SMALL bytes need no threads, which cost more to start than to compress that much.
 */
enum { LEVEL = 3, WINDOW_LOG_SAFE = 23, LEVEL_OF_SAFE_WINDOW = 19, JOB = 4 << 20, SMALL = 256 << 10, THREADS_MAX = 64 };

struct zstd_sink {
	struct sink base;
	ZSTD_CCtx *ctx; /* owned */
	void *out;      /* owned */
	size_t out_n;
	unsigned threads;
	struct str first; /* the first SMALL bytes, until it is known whether there are more */
	bool started;
};

static int zstd_pump(struct zstd_sink *z, ZSTD_inBuffer *in, ZSTD_EndDirective end, struct err *e)
{
	size_t left;
	do {
		ZSTD_outBuffer out = { z->out, z->out_n, 0 };
		left = ZSTD_compressStream2(z->ctx, &out, in, end);
		if (ZSTD_isError(left))
			return err_set(e, ERR_SYS, "compress: zstd: %s", ZSTD_getErrorName(left));
		if (sink_write(z->base.below, z->out, out.pos, e) < 0)
			return -1;
	} while (end == ZSTD_e_end ? left != 0 : in->pos < in->size);
	return 0;
}

static void set(ZSTD_CCtx *ctx, ZSTD_cParameter p, int value)
{
	if (ZSTD_isError(ZSTD_CCtx_setParameter(ctx, p, value)))
		abort();
}

/*
 * With any number of workers the output is the same, with none it is another: so what is more than SMALL has at least
 * one, and what is not has none. A library built without threads refuses both settings.
 */
static void use_threads(struct zstd_sink *z)
{
	unsigned workers = z->threads == 0 ? 1 : z->threads < THREADS_MAX ? z->threads : THREADS_MAX;
	if (!ZSTD_isError(ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_nbWorkers, (int)workers)))
		set(z->ctx, ZSTD_c_jobSize, JOB);
}

static int flush_first(struct zstd_sink *z, struct err *e)
{
	ZSTD_inBuffer in = { str_text(&z->first), z->first.len, 0 };
	z->started = true;
	int r = zstd_pump(z, &in, ZSTD_e_continue, e);
	str_fini(&z->first);
	return r;
}

static int zstd_sink_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	struct zstd_sink *z = (struct zstd_sink *)s;
	if (!z->started && n <= SMALL - z->first.len) {
		str_addn(&z->first, bytes, n);
		return 0;
	}
	if (!z->started) {
		use_threads(z);
		if (flush_first(z, e) < 0)
			return -1;
	}
	ZSTD_inBuffer in = { bytes, n, 0 };
	return zstd_pump(z, &in, ZSTD_e_continue, e);
}

static int zstd_sink_finish(struct sink *s, struct err *e)
{
	struct zstd_sink *z = (struct zstd_sink *)s;
	ZSTD_inBuffer none = { "", 0, 0 };
	if (!z->started && flush_first(z, e) < 0)
		return -1;
	/* Never ends a frame in its first call: there the library would record the size and choose other parameters. */
	if (zstd_pump(z, &none, ZSTD_e_continue, e) < 0)
		return -1;
	return zstd_pump(z, &none, ZSTD_e_end, e);
}

static void zstd_sink_free(struct sink *s)
{
	struct zstd_sink *z = (struct zstd_sink *)s;
	ZSTD_freeCCtx(z->ctx);
	free(z->out);
	str_fini(&z->first);
	free(z);
}

struct sink *sink_zstd(int level, unsigned threads, struct sink *below)
{
	struct zstd_sink *z = x_alloc(sizeof *z);
	z->base = (struct sink){
		.write = zstd_sink_write,
		.finish = zstd_sink_finish,
		.free = zstd_sink_free,
		.below = below,
	};
	z->ctx = ZSTD_createCCtx();
	if (!z->ctx)
		abort();
	z->out_n = ZSTD_CStreamOutSize();
	z->out = x_alloc(z->out_n);
	if (level <= 0)
		level = LEVEL;
	if (level > ZSTD_maxCLevel())
		level = ZSTD_maxCLevel();
	set(z->ctx, ZSTD_c_compressionLevel, level);
	if (level > LEVEL_OF_SAFE_WINDOW)
		set(z->ctx, ZSTD_c_windowLog, WINDOW_LOG_SAFE);
	set(z->ctx, ZSTD_c_checksumFlag, 1);
	z->threads = threads;
	return &z->base;
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
