/*
 * What of a tar is not content, so that it can be put together again from files: vbatts/tar-split's format, a JSON object
 * a line.
 *
 *   {"type":2,"payload":BASE64,"position":N}                        bytes of the tar: headers, padding, the end
 *   {"type":1,"name":NAME,"size":N,"payload":BASE64,"position":N}   the content of a file comes here; its CRC-64
 */
#ifndef NACRE_SRC_OCI_TAR_SPLIT_PRIV_H
#define NACRE_SRC_OCI_TAR_SPLIT_PRIV_H

#include "archive/stream.h"

struct tar_split {
	struct sink *out; /* borrowed */
	uint64_t position;
};
int tar_split_segment(struct tar_split *t, const void *bytes, size_t n, struct err *e);
int tar_split_file(struct tar_split *t, const char *name, uint64_t size, uint64_t crc, struct err *e);

/* Go's hash/crc64 with the polynomial of ISO 3309, as it goes on from `crc`; 0 at the beginning. */
uint64_t crc64_iso(uint64_t crc, const void *bytes, size_t n);

#endif
