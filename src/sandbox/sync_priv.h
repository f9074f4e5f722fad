/*
 * The conversation of a start, one socket pair between the guard (our child outside) and init (process 1 inside):
 *
 *   guard -> init   SYNC_IDS_MAPPED   the id maps are written; before it init owns nothing
 *   init -> guard   a wait(2) status  the command has ended
 *
 * End-of-file instead of either means the other one is dead. Errors do not travel here but on the report pipe, straight
 * to the caller.
 */
#ifndef NACRE_SANDBOX_SYNC_PRIV_H
#define NACRE_SANDBOX_SYNC_PRIV_H

#include <stdbool.h>

enum sync_step { SYNC_IDS_MAPPED = 'm' };

bool sync_tell(int fd, enum sync_step step);
bool sync_await(int fd, enum sync_step step);
bool sync_tell_status(int fd, int wait_status);
bool sync_take_status(int fd, int *ret_wait_status); /* false at end-of-file */

#endif
