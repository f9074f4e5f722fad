/* What the gzip files ask of the library that does the work: ISA-L where it is there, zlib otherwise and for high levels. */
#ifndef NACRE_SRC_ARCHIVE_GZIP_PRIV_H
#define NACRE_SRC_ARCHIVE_GZIP_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/frames.h"
#include "archive/stream.h"

struct deflater {
	size_t bound; /* of the deflate data of FRAME_MAX bytes */
	/* n, at most FRAME_MAX, bytes as deflate data of their own (RFC 1951); its length. room: at least `bound`. */
	size_t (*run)(struct deflater *d, const uint8_t *in, size_t n, uint8_t *out, size_t room);
	uint32_t (*crc)(const uint8_t *in, size_t n); /* CRC-32 */
	void (*free)(struct deflater *d);
};
struct deflater *deflater_zlib(int level);
struct deflater *deflater_isal(int level); /* 1 or 2 */

/* What is left to read and the room left to write; inflater.run moves both on. */
struct inflate_span {
	const uint8_t *in;
	size_t in_n;
	uint8_t *out;
	size_t out_n;
};
enum inflate_status { INFLATE_MORE, INFLATE_END, INFLATE_BAD };

struct inflater {
	/* END: the member is complete and its checksum and length are right. */
	enum inflate_status (*run)(struct inflater *i, struct inflate_span *span);
	void (*reset)(struct inflater *i); /* for the next member */
	void (*free)(struct inflater *i);
};
struct inflater *inflater_new(void); /* the better one */
struct inflater *inflater_zlib(void);
struct inflater *inflater_isal(void);

/* The header of a member, field by field. Zeroed is at its beginning. */
enum gzip_field { GZIP_FIXED, GZIP_EXTRA_LEN, GZIP_EXTRA, GZIP_NAME, GZIP_COMMENT, GZIP_CRC, GZIP_DATA };
struct gzip_header {
	enum gzip_field field; /* GZIP_DATA: the header is complete */
	unsigned n;            /* bytes of the field so far */
	uint8_t flags;
	unsigned extra;        /* length of the extra field */
	uint32_t crc, stated_crc;
};
/* Takes what belongs to the header off *in. False when it is none. */
bool gzip_header_read(struct gzip_header *h, const uint8_t **in, size_t *n);

#endif
