/* What a store holds, object by object, for those who count it or clear it up. */
#ifndef NACRE_STORE_OBJECTS_H
#define NACRE_STORE_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store;

enum object_kind {
	OBJECT_BLOB,
	OBJECT_SNAPSHOT,    /* snap/HEX and its record */
	OBJECT_LISTING,
	OBJECT_LAYER,       /* layer/HEX.json */
	OBJECT_STEP,
	OBJECT_MOUNT,       /* a cache mount */
	OBJECT_CONTEXT,
	OBJECT_BASE,        /* what a reference led to */
	OBJECT_URL,
	OBJECT_SOURCE,
	OBJECT_LOG,
	OBJECT_UNFINISHED,  /* in tmp/ and trash/ */
	OBJECT_KINDS,
};
const char *object_kind_name(enum object_kind k); /* "blobs", "snapshots", … */

struct object {
	enum object_kind kind;
	char *name;       /* below the store: "blobs/sha256/HEX"; owned */
	uint64_t size;    /* bytes, as stat says, of all its files */
	int64_t used;     /* last use, nanoseconds (store/use.h) */
};
struct objects { struct object *v; size_t n, cap; };

/*
 * All objects, in the order of kinds and names. Trees of other ids can be counted only from inside a user namespace;
 * what cannot be read counts as far as it can.
 */
int objects_read(struct store *s, struct objects *ret, struct err *e);
void objects_fini(struct objects *o);

/*
 * Takes it away, unless somebody used it at or after `since` (store_use_since). 0, 1 kept, -1. A directory
 * goes to trash/: store_recover removes it.
 */
int object_remove(struct store *s, const struct object *o, int64_t since, struct err *e);

#endif
