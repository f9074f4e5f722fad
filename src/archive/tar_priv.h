/* A tar header block: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format". */
#ifndef NACRE_SRC_ARCHIVE_TAR_PRIV_H
#define NACRE_SRC_ARCHIVE_TAR_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_BLOCK_SIZE = 512, TAR_NAME = 100, TAR_PREFIX = 155 };

struct tar_header {
	char name[TAR_NAME];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char chksum[8];
	char type;
	char linkname[100];
	char magic[6];   /* "ustar\0"; old GNU "ustar " */
	char version[2]; /* "00"; old GNU " \0" */
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[TAR_PREFIX];
	char fill[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK_SIZE, "a tar header is one block");

/* Old GNU sparse: what stands in the header (type 'S') from `prefix` on, and the blocks that may follow it. */
struct tar_sparse_slot {
	char offset[12];
	char len[12];
};
struct tar_sparse_header {
	char before[386];
	struct tar_sparse_slot slot[4];
	char extended;
	char realsize[12];
	char fill[17];
};
_Static_assert(sizeof(struct tar_sparse_header) == TAR_BLOCK_SIZE, "a tar header is one block");
struct tar_sparse_block {
	struct tar_sparse_slot slot[21];
	char extended;
	char fill[7];
};
_Static_assert(sizeof(struct tar_sparse_block) == TAR_BLOCK_SIZE, "a tar header is one block");

/* Sum of all bytes of the block with the checksum field as blanks; signed_sum as some old writers computed it. */
uint32_t tar_checksum(const void *block, int32_t *signed_sum /* may be NULL */);
bool tar_checksum_is_right(const struct tar_header *h);

/* A numeric field: octal with blanks around it, or GNU's base-256. False when it is neither or does not fit. */
bool tar_number(const char *field, size_t size, int64_t *ret);

#endif
