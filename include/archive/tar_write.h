/*
 * Deterministic pax tar: ustar headers, with a pax header only where ustar cannot hold a value (long or non-ASCII name,
 * size over 8 GiB, ids over 2097151, negative times, xattrs as SCHILY.xattr.NAME). No fractions of seconds, no user or
 * group names, no checks of the clock. The same entries give the same bytes.
 *
 * POSIX.1-2017 pax, "pax Header Block"; image-spec layer.md.
 */
#ifndef NACRE_ARCHIVE_TAR_WRITE_H
#define NACRE_ARCHIVE_TAR_WRITE_H

#include "archive/stream.h"
#include "archive/tar_entry.h"

/*
 * The header. A FILE must be followed by exactly entry->size bytes of sink_write, then tar_write_pad. ERR_SPEC for what
 * no tar can hold: an attribute name with "=", a device number of more than 21 bits.
 */
int tar_write_entry(struct sink *out, const struct tar_entry *entry, struct err *e);
int tar_write_pad(struct sink *out, uint64_t size, struct err *e);
/* The header alone, at the end of `out`. */
int tar_header_add(struct str *out, const struct tar_entry *entry, struct err *e);
/* What an entry takes in all, header, content and padding. scratch: used and left as it is. */
int tar_entry_size(const struct tar_entry *entry, struct str *scratch, uint64_t *ret, struct err *e);
/* How much room content of that size takes; it does not overflow up to INT64_MAX. */
uint64_t tar_padded(uint64_t size);
/* The two zero blocks that end an archive. */
int tar_write_end(struct sink *out, struct err *e);

#endif
