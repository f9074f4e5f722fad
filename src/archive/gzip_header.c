#include "gzip_priv.h"

#include <zlib.h>

/* RFC 1952 section 2.3: ten fixed bytes, of which the fourth says what follows. */
enum { FIXED_SIZE = 10 };
enum { FLAG_CRC = 1 << 1, FLAG_EXTRA = 1 << 2, FLAG_NAME = 1 << 3, FLAG_COMMENT = 1 << 4, FLAGS_RESERVED = 0xe0 };

/* The first field from `place` on that this header has. */
static enum gzip_field next_field(const struct gzip_header *h, enum gzip_field place)
{
	static const uint8_t flag_of[] = {
		[GZIP_EXTRA_LEN] = FLAG_EXTRA, [GZIP_EXTRA] = FLAG_EXTRA, [GZIP_NAME] = FLAG_NAME,
		[GZIP_COMMENT] = FLAG_COMMENT, [GZIP_CRC] = FLAG_CRC,
	};
	while (place < GZIP_DATA && (!(h->flags & flag_of[place]) || (place == GZIP_EXTRA && !h->extra)))
		place++;
	return place;
}

static bool add_fixed(struct gzip_header *h, uint8_t byte)
{
	static const uint8_t magic[] = { 0x1f, 0x8b, 8 };
	if (h->n < sizeof magic)
		return byte == magic[h->n];
	if (h->n == sizeof magic)
		h->flags = byte;
	return !(h->flags & FLAGS_RESERVED);
}

static enum gzip_field add_byte(struct gzip_header *h, uint8_t byte)
{
	unsigned n = h->n++;
	bool done = false;
	switch (h->field) {
	case GZIP_FIXED:
		done = n + 1 == FIXED_SIZE;
		break;
	case GZIP_EXTRA_LEN:
		h->extra |= (unsigned)byte << 8 * n;
		done = n == 1;
		break;
	case GZIP_EXTRA:
		done = n + 1 == h->extra;
		break;
	case GZIP_NAME:
	case GZIP_COMMENT:
		done = byte == 0;
		break;
	case GZIP_CRC:
		h->stated_crc |= (uint32_t)byte << 8 * n;
		done = n == 1;
		break;
	case GZIP_DATA:
		break;
	}
	if (!done)
		return h->field;
	h->n = 0;
	return next_field(h, h->field + 1);
}

bool gzip_header_read(struct gzip_header *h, const uint8_t **in, size_t *n)
{
	for (; *n && h->field != GZIP_DATA; ++*in, --*n) {
		uint8_t byte = **in;
		if (h->field == GZIP_FIXED && !add_fixed(h, byte))
			return false;
		if (h->field != GZIP_CRC)
			h->crc = (uint32_t)crc32(h->crc, &byte, 1);
		h->field = add_byte(h, byte);
	}
	return h->field != GZIP_DATA || !(h->flags & FLAG_CRC) || h->stated_crc == (h->crc & 0xffff);
}
