/*
 * Objects in use, so that builds and prunes may run on one store at once.
 *
 * The access time of an object says when somebody last asked for it; store_use sets it. Every process that has the
 * store open holds a lock that says since when (lock/live), which dies with it. What was used since the oldest living
 * process began may be in use, and what is older is nobody's: a prune may take that away, under a lock that excludes
 * only the moment in which another process asks for it.
 *
 * An object is a file, or a directory under its final name: blobs/sha256/HEX, snap/HEX, mount/HEX, step/HEX.json …
 */
#ifndef NACRE_STORE_USE_H
#define NACRE_STORE_USE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

struct store;

/* Whether it is there. Then nobody takes it away while this process, and those forked from it, live. */
bool store_use(struct store *s, const char *name, struct stat *ret /* may be NULL */);

/* For prunes: nobody asks for anything while *ret_lock is held. Keep it for moments, and
 * do not fork with it: the child would hold it too. */
int store_use_stop(struct store *s, int *ret_lock, struct err *e);
/* What was used at or after this time (nanoseconds of CLOCK_REALTIME) may be in use by a living process; `own`: by the one
 * that opened `s` too, else by another. */
int store_use_since(struct store *s, bool own, int64_t *ret, struct err *e);
/* When it was last asked for, as store_use_since counts time; `st` is what stat(2) says about it. */
int64_t store_used(struct store *s, const char *name, const struct stat *st);

#endif
