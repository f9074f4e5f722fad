/*
 * What overlayfs writes into its directories to remember deletions, and what it keeps for itself. Mounts are made with
 * `userxattr` (Linux 5.11), so its names begin with "user.overlay."; what a container sets under such a name arrives
 * escaped, as "user.overlay.overlay." (Linux 6.7).
 *
 * Linux Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories", "User xattr", "Nested overlays".
 */
#ifndef NACRE_OCI_OVERLAY_MARKS_PRIV_H
#define NACRE_OCI_OVERLAY_MARKS_PRIV_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

/* Character device 0:0: the name is deleted. */
bool mark_is_whiteout(const struct stat *st);
int mark_whiteout(int dir_fd, const char *name); /* -1 and errno */

/* XWHITEOUTS: holds empty files with the xattr "user.overlay.whiteout", another spelling of deletions (Linux 6.7). */
enum opaque { OPAQUE_NO, OPAQUE_YES, OPAQUE_XWHITEOUTS };
/* dir_fd must not be O_PATH. */
enum opaque mark_opaque_get(int dir_fd);
int mark_opaque_set(int dir_fd, const char *path, struct err *e);
bool mark_is_xwhiteout(int file_fd);

#endif
