#include "archive/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "compress_priv.h"

enum { MAGIC = 4, OUT_BUFFER = 128 << 10 };

struct decompress_source {
	struct source base;
	struct inflow in;
	struct decoder *decoder; /* owned; NULL for plain bytes */
	bool sniffed;
	char *name;   /* owned */
	uint8_t *out; /* owned; decoded ahead, so that the small reads of a tar reader cost little */
	size_t pos, len;
};

int inflow_more(struct inflow *in, struct err *e)
{
	if (in->pos < in->len)
		return 1;
	ssize_t got = source_read(in->below, in->buf, INFLOW_BUFFER, e);
	if (got < 0)
		return -1;
	in->pos = 0;
	in->len = (size_t)got;
	return got > 0;
}

/* RFC 1952 section 2.3.1; RFC 8878 sections 3.1.1 and 3.1.2 (skippable frames may come first). */
static struct decoder *decoder_for(const uint8_t *magic, size_t n)
{
	if (n >= 2 && magic[0] == 0x1f && magic[1] == 0x8b)
		return decoder_gzip();
	if (n >= 4 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
		return decoder_zstd();
	if (n >= 4 && (magic[0] & 0xf0) == 0x50 && memcmp(magic + 1, "\x2a\x4d\x18", 3) == 0)
		return decoder_zstd();
	return NULL;
}

static int sniff(struct decompress_source *d, struct err *e)
{
	struct inflow *in = &d->in;
	while (in->len < MAGIC) {
		ssize_t got = source_read(in->below, in->buf + in->len, INFLOW_BUFFER - in->len, e);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		in->len += (size_t)got;
	}
	d->decoder = decoder_for(in->buf, in->len);
	d->sniffed = true;
	return 0;
}

static ssize_t plain_read(struct inflow *in, void *buf, size_t n, struct err *e)
{
	if (in->pos == in->len && n >= INFLOW_BUFFER)
		return source_read(in->below, buf, n, e);
	int more = inflow_more(in, e);
	if (more <= 0)
		return more;
	size_t part = n < in->len - in->pos ? n : in->len - in->pos;
	memcpy(buf, in->buf + in->pos, part);
	in->pos += part;
	return (ssize_t)part;
}

static ssize_t decompress_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct decompress_source *d = (struct decompress_source *)s;
	if (n == 0)
		return 0;
	if (!d->sniffed && sniff(d, e) < 0)
		return -1;
	if (!d->decoder)
		return plain_read(&d->in, buf, n, e);
	if (d->pos == d->len) {
		if (n >= OUT_BUFFER)
			return d->decoder->read(d->decoder, &d->in, buf, n, e);
		ssize_t got = d->decoder->read(d->decoder, &d->in, d->out, OUT_BUFFER, e);
		if (got <= 0)
			return got;
		d->pos = 0;
		d->len = (size_t)got;
	}
	size_t part = n < d->len - d->pos ? n : d->len - d->pos;
	memcpy(buf, d->out + d->pos, part);
	d->pos += part;
	return (ssize_t)part;
}

static void decompress_free(struct source *s)
{
	struct decompress_source *d = (struct decompress_source *)s;
	if (d->decoder)
		d->decoder->free(d->decoder);
	source_free(d->in.below);
	free(d->in.buf);
	free(d->name);
	free(d->out);
	free(d);
}

struct source *source_decompress(struct source *below, const char *name)
{
	struct decompress_source *d = x_alloc(sizeof *d);
	d->base = (struct source){ decompress_read, decompress_free };
	d->name = x_strdup(name);
	d->in = (struct inflow){ .below = below, .name = d->name, .buf = x_alloc(INFLOW_BUFFER) };
	d->out = x_alloc(OUT_BUFFER);
	return &d->base;
}
