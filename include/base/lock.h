/* Advisory locks on held descriptors (open file descriptions): freed by the kernel at death. */
#ifndef NACRE_BASE_LOCK_H
#define NACRE_BASE_LOCK_H

#include <stdbool.h>

#include "base/err.h"

/* flock(2) on any open file or directory. wait false: 1 when somebody else has it. */
int lock_fd(int fd, bool exclusive, bool wait, const char *name, struct err *e);
/* Opens (creating, 0600) dir_fd/name and locks it; lock_drop(ret_fd) frees it. wait false: 1 when taken. */
int lock_file(int dir_fd, const char *name, bool exclusive, bool wait, int *ret_fd, struct err *e);
/* Frees the lock and closes. Closing alone would leave it to the copies that processes forked meanwhile still hold. */
void lock_drop(int *fd);

#endif
