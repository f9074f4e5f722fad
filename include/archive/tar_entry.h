/* One member of a tar archive or layer, in memory. */
#ifndef NACRE_ARCHIVE_TAR_ENTRY_H
#define NACRE_ARCHIVE_TAR_ENTRY_H

#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"

enum tar_type {
	TAR_FILE = 'f',
	TAR_DIR = 'd',
	TAR_SYMLINK = 'l',
	TAR_HARDLINK = 'h',
	TAR_FIFO = 'p',
	TAR_CHAR = 'c',
	TAR_BLOCK = 'b',
};

struct tar_xattr {
	char *name;  /* "user.x", "security.capability" …; owned */
	char *value; /* owned; may hold any byte */
	size_t len;
};

struct tar_xattrs { struct tar_xattr *v; size_t n, cap; };

struct tar_entry {
	enum tar_type type;
	char *path;        /* relative, no leading or trailing slash, "." for the root itself; owned */
	char *link; /* SYMLINK: target as it is; HARDLINK: path of an earlier member, like path; else NULL. owned */
	mode_t mode;       /* permission bits with setuid, setgid, sticky: 07777 */
	uint32_t uid, gid;
	uint64_t size;     /* FILE only, else 0 */
	int64_t mtime;     /* seconds */
	uint32_t mtime_ns;
	uint32_t major, minor; /* CHAR, BLOCK */
	struct tar_xattrs xattrs; /* sorted by name; owned */
};

void tar_entry_fini(struct tar_entry *t);
void tar_entry_copy(struct tar_entry *to, const struct tar_entry *from); /* deep; *to must be zeroed or finished */
void tar_xattrs_add(struct tar_xattrs *l, const char *name, const void *value, size_t len); /* kept sorted; replaces */
void tar_xattrs_fini(struct tar_xattrs *l);

#endif
