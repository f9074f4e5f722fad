/* New mounts as descriptors: made, configured and attached without a name that an image controls. Linux 5.2. */
#ifndef NACRE_SANDBOX_NEWMOUNT_PRIV_H
#define NACRE_SANDBOX_NEWMOUNT_PRIV_H

#include <stdbool.h>

#include "base/err.h"

struct mount_option {
	const char *key, *value;
}; /* value NULL: a flag */

/* A detached mount of a file system without a source. `options` ends with a NULL key. -1 and errno. */
int newmount_open(const char *fstype, const struct mount_option *options, unsigned attr);
/* A detached copy of the mount and what is below dirfd/path ("" = dirfd itself). -1 and errno. */
int newmount_clone(int dirfd, const char *path);
/* Makes it read-only (and what `attr` says) with all that is mounted in it. Locked flags stay. -1 and errno. */
int newmount_restrict(int mnt_fd, unsigned attr);
/* Puts the mount on what target_fd/name ("" = target_fd itself) names; a link there is not followed. -1 and errno. */
int newmount_attach(int mnt_fd, int target_fd, const char *name);

#endif
