/* A build context that comes as one file: an archive, or a file that is none. */
#ifndef NACRE_BUILD_CONTEXT_UNPACK_PRIV_H
#define NACRE_BUILD_CONTEXT_UNPACK_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { ARCHIVE_HEAD = 512 };

/* Whether a file that begins like this is taken for an archive: gzip, bzip2, xz, zstd or the header of a tar member. */
bool archive_head(const unsigned char *head, size_t n);

struct unpacked {
	bool archive;        /* false: one file, context_file_name */
	bool has_newest;
	int64_t newest;      /* time of the newest file */
	struct str listing;  /* what there is (oci/listing.h); owned */
};

/*
 * In a worker: puts the content of every file into the directory contents_fd, under its digest; all else (names, modes,
 * owners, links, devices) is in the listing only. So nothing that an archive says decides which file is written, and
 * neither odd modes nor foreign owners need privileges.
 */
int context_unpack(int fd, const char *name, int contents_fd, struct unpacked *ret, struct err *e);

#endif
