#include "compress_priv.h"

#include <stdlib.h>

#include "base/mem.h"
#include "gzip_priv.h"

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

struct inflater *inflater_new(void)
{
#if HAVE_ISAL
	return inflater_isal();
#else
	return inflater_zlib();
#endif
}

struct decoder *decoder_gzip(void)
{
	struct gzip_decoder *g = x_alloc(sizeof *g);
	g->base = (struct decoder){ gzip_read, gzip_free };
	g->inflater = inflater_new();
	return &g->base;
}
