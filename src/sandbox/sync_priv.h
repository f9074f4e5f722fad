/*
 * The conversation of a start, one socket pair between the guard (our child outside) and init (process 1 inside):
 *
 *   guard -> init   SYNC_IDS_MAPPED   the id maps are written; before it init owns nothing
 *   init -> guard   a wait(2) status  the command has ended
 *
 * End-of-file instead of either means the other one is dead, or has reported why it ends. Errors do not travel here but
 * on the report pipe, straight to the caller.
 */
#ifndef NACRE_SANDBOX_SYNC_PRIV_H
#define NACRE_SANDBOX_SYNC_PRIV_H

#include <stdbool.h>

enum sync_step { SYNC_IDS_MAPPED = 'm' };

struct err;

int sync_tell(int fd, enum sync_step step, struct err *e);
int sync_await(int fd, enum sync_step step, struct err *e);
int sync_tell_status(int fd, int wait_status, struct err *e);
/* 1; 0 at end-of-file; -1. */
int sync_take_status(int fd, int *ret_wait_status, struct err *e);

#endif
