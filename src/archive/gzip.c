#include "compress_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gzip_priv.h"

/*
 * Both libraries may answer the same bytes differently when they come in other portions, so they always get whole
 * blocks of this size, and a last one of what remains.
 */
enum { BLOCK = 256 << 10 };

struct gzip_sink {
	struct sink base;
	struct deflater *deflater; /* owned */
	uint8_t *block;            /* owned; BLOCK bytes */
	size_t n;
};

static int gzip_sink_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	struct gzip_sink *g = (struct gzip_sink *)s;
	const uint8_t *p = bytes;
	while (n) {
		size_t part = n < BLOCK - g->n ? n : BLOCK - g->n;
		memcpy(g->block + g->n, p, part);
		g->n += part;
		p += part;
		n -= part;
		if (g->n < BLOCK)
			break;
		if (g->deflater->run(g->deflater, g->block, g->n, false, s->below, e) < 0)
			return -1;
		g->n = 0;
	}
	return 0;
}

static int gzip_sink_finish(struct sink *s, struct err *e)
{
	struct gzip_sink *g = (struct gzip_sink *)s;
	return g->deflater->run(g->deflater, g->block, g->n, true, s->below, e);
}

static void gzip_sink_free(struct sink *s)
{
	struct gzip_sink *g = (struct gzip_sink *)s;
	g->deflater->free(g->deflater);
	free(g->block);
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

struct sink *sink_gzip(int level, struct sink *below)
{
	struct gzip_sink *g = x_alloc(sizeof *g);
	g->base = (struct sink){
		.write = gzip_sink_write,
		.finish = gzip_sink_finish,
		.free = gzip_sink_free,
		.below = below,
	};
	g->deflater = deflater_for(level < 0 ? 0 : level);
	g->block = x_alloc(BLOCK);
	return &g->base;
}

/* A gzip file is members one after another (RFC 1952 section 2.2); some are padded with zeros, as gzip(1) allows. */
enum gzip_place { IN_MEMBER, BETWEEN_MEMBERS, IN_PADDING };

struct gzip_decoder {
	struct decoder base;
	struct inflater *inflater; /* owned */
	enum gzip_place place;
};

static ssize_t member_read(struct gzip_decoder *g, struct inflow *in, void *buf, size_t n, struct err *e)
{
	struct inflate_span span = { .out = buf, .out_n = n };
	while (span.out_n == n) {
		int more = inflow_more(in, e);
		if (more < 0)
			return -1;
		span.in = in->buf + in->pos;
		span.in_n = in->len - in->pos;
		size_t had = span.in_n;
		/* Even without input: decoded bytes may be waiting for room. */
		enum inflate_status status = g->inflater->run(g->inflater, &span);
		in->pos += had - span.in_n;
		if (status == INFLATE_BAD)
			return err_set(e, ERR_SPEC, "%s: broken gzip data", in->name);
		if (status == INFLATE_END) {
			g->place = BETWEEN_MEMBERS;
			break;
		}
		if (span.out_n < n)
			break;
		if (!more)
			return err_set(e, ERR_SPEC, "%s: gzip data ends early", in->name);
		if (span.in_n == had)
			return err_set(e, ERR_SPEC, "%s: broken gzip data", in->name);
	}
	return (ssize_t)(n - span.out_n);
}

/* What follows a member: 1 the next member, 0 the end of the file, -1. */
static int member_next(struct gzip_decoder *g, struct inflow *in, struct err *e)
{
	int more;
	while ((more = inflow_more(in, e)) > 0) {
		uint8_t byte = in->buf[in->pos];
		if (g->place == BETWEEN_MEMBERS && byte == 0x1f) {
			g->inflater->reset(g->inflater);
			g->place = IN_MEMBER;
			return 1;
		}
		if (byte != 0)
			return err_set(e, ERR_SPEC, "%s: junk after gzip data", in->name);
		g->place = IN_PADDING;
		in->pos++;
	}
	return more;
}

static ssize_t gzip_read(struct decoder *d, struct inflow *in, void *buf, size_t n, struct err *e)
{
	struct gzip_decoder *g = (struct gzip_decoder *)d;
	for (;;) {
		if (g->place != IN_MEMBER) {
			int next = member_next(g, in, e);
			if (next <= 0)
				return next;
		}
		ssize_t got = member_read(g, in, buf, n, e);
		if (got != 0)
			return got;
	}
}

static void gzip_free(struct decoder *d)
{
	struct gzip_decoder *g = (struct gzip_decoder *)d;
	g->inflater->free(g->inflater);
	free(g);
}

struct decoder *decoder_gzip(void)
{
	struct gzip_decoder *g = x_alloc(sizeof *g);
	g->base = (struct decoder){ gzip_read, gzip_free };
#if HAVE_ISAL
	g->inflater = inflater_isal();
#else
	g->inflater = inflater_zlib();
#endif
	return &g->base;
}
