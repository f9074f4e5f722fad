/*
 * A tar reader for hostile input: ustar, pax (path, linkpath, size, uid, gid, mtime, SCHILY.xattr.*,
 * LIBARCHIVE.xattr.*, GNU.sparse.* 0.0/0.1/1.0), GNU long names and links, base-256 numbers, old GNU sparse. Never
 * recurses, never allocates by a declared size beyond limits.h.
 *
 * Paths come out relative and lexically safe: leading "/" and "./" stripped, empty components dropped. A ".."
 * component (but see tar_reader_clamp), a NUL, an empty name is ERR_SPEC naming the member. Types it does not know: an error, but for GNU volume
 * labels (skipped). Global pax headers apply where they give owner or time; with a name, size or attribute, on which
 * readers disagree, they are ERR_SPEC. So is all else that two readers could take for different members.
 *
 * The sizes of all files together, holes counted, are limited by LIMIT_LAYER_BYTES. What follows the two zero blocks
 * of the end is not read: source_drain, where a digest must cover it.
 */
#ifndef NACRE_ARCHIVE_TAR_READ_H
#define NACRE_ARCHIVE_TAR_READ_H

#include "archive/stream.h"
#include "archive/tar_entry.h"

struct tar_reader;

struct tar_reader *tar_reader_new(struct source *in /* borrowed */, const char *name /* copied, for messages */);
/* Names with "..", of links too, are then cleaned as paths below the root, as ADD reads the archives of users. */
void tar_reader_clamp(struct tar_reader *r);
/* 1 and *entry (valid until the next call, owned by the reader), 0 at the end of the archive, -1. Skips unread data. */
int tar_reader_next(struct tar_reader *r, const struct tar_entry **entry, struct err *e);
/* Content of the present FILE, holes filled with zeros; 0 at its end. */
ssize_t tar_reader_read(struct tar_reader *r, void *buf, size_t n, struct err *e);
void tar_reader_free(struct tar_reader *r);
void tar_reader_drop(struct tar_reader **r); /* for AUTO */

#endif
