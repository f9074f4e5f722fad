/*
 * How full the store is, as builds that keep it below a limit tell each other.
 *
 *   lock/room   eight bytes in host order: what the objects of the store have, by the last look and what was added since
 *
 * Byte 0 is locked for writing by who reads or changes the figure. Who is about to write n bytes holds a read lock on n
 * bytes of the file, from a place that only its process uses: what the dead announced is forgotten by the kernel. Processes
 * without a limit do not take part; what they write is seen by the next look.
 */
#ifndef NACRE_STORE_ROOM_H
#define NACRE_STORE_ROOM_H

#include <stdint.h>

#include "base/err.h"

struct store;

struct room {
	int fd;             /* -1: none */
	uint64_t used;      /* the figure */
	uint64_t announced; /* by others, and not yet in it */
};

/* Waits until nobody else is inside. One room per process at a time. */
int room_enter(struct store *s, struct room *ret, struct err *e);
/* Before room_leave: the figure becomes r->used, and `coming` bytes are announced until room_end. */
int room_announce(struct room *r, uint64_t coming, struct err *e);
void room_leave(struct room *r);
/* The announcement ends, with so many bytes written. Nothing for a room that is none. */
void room_end(struct room *r, uint64_t written);
/* It ends with nothing to add to the figure. */
void room_drop(struct room *r);

#endif
