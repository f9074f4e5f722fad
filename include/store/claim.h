/*
 * Claims: who makes an object, so that others wait for it and take what was made.
 *
 *   lock/KIND-HEX   a file; flock(2) on it is the claim. Empty, or what its holder told
 *     blob-DIGEST   fetching a blob
 *     base-HEX      fetching an image that a reference names
 *     list-DIFFID   reading a layer for its listing
 *     snap-CHAINID  unpacking a layer
 *     mount-HEX     filling a new cache mount
 *     step-KEY      running a step
 *     read-HEX      running one whose key follows from files that are being read
 *
 * A claim is advice. Who has one looks again whether the object is there by now; who cannot have one because the file
 * system knows no locks makes the object too, which is a waste and never wrong, since objects are published whole.
 *
 * Who holds a claim may wait only for kinds that stand above it in this list, and for snapshots below its own, so that
 * nobody waits in a circle.
 */
#ifndef NACRE_STORE_CLAIM_H
#define NACRE_STORE_CLAIM_H

#include <stdbool.h>

struct store;
struct str;

/* A zeroed one is none. Processes forked while it is held share it; the kernel frees it when all of them are gone. */
struct claim {
	struct store *store; /* borrowed; NULL: none */
	char name[80];
	int fd;              /* -1: without a lock, see above */
};

/* `name` is KIND-HEX, made by us. False: somebody else has it. */
bool claim_try(struct store *s, const char *name, struct claim *ret);
/* Waits for whoever has it. For workers, and for what is held for a moment only. */
void claim_take(struct store *s, const char *name, struct claim *ret);
/* Waits until nobody has it, and does not take it. */
void claim_wait(struct store *s, const char *name);
void claim_drop(struct claim *c);

/* For whoever is interested in what the holder does; less than 80 bytes. Told again, it takes the place of the last. */
void claim_tell(const struct claim *c, const char *text);
/* What the holder told, or one that died. False: nothing. */
bool claim_told(struct store *s, const char *name, struct str *ret);

/* Removes the files of claims whose holders died. */
void claims_sweep(struct store *s);

#endif
