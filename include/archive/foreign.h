/*
 * Compressions that layers never have but files given to ADD may: bzip2 and xz, through libarchive's filters. Its tar
 * reader is not used: archives of every compression go through tar_read.
 */
#ifndef NACRE_ARCHIVE_FOREIGN_H
#define NACRE_ARCHIVE_FOREIGN_H

#include "archive/stream.h"

/* A file from its beginning, decompressed by content: bzip2, xz, and what source_decompress knows; plain bytes as they
 * are. */
int source_file_decompress(int fd /* borrowed */, const char *name /* copied */, struct source **ret, struct err *e);
/* The same for any source, such as a pipe. `below` is taken also when it fails. */
int source_decompress_any(struct source *below /* taken */, const char *name /* copied */, struct source **ret,
			  struct err *e);

#endif
