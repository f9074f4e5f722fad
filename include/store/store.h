/*
 * The store: a directory that is a valid OCI image layout and holds, beside it, what makes rebuilds fast.
 *
 *   oci-layout index.json blobs/sha256/HEX     the layout; image names are refs in index.json
 *   snap/CHAINHEX/tree  snap/CHAINHEX.json     an unpacked layer, ready as an overlay lower; no record, no snapshot
 *   list/DIFFHEX                               what a layer holds, entry by entry (oci/listing.h)
 *   layer/DIFFHEX.json                         diffID -> descriptor of a blob that holds it
 *   step/KEYHEX.json                           a step record
 *   context/ID                                 stat index of a context
 *   log/BUILD/                                 one record per build
 *   lock/ tmp/ trash/ version
 *
 * Mode 0700. Objects are made in tmp/ID (locked by its owner) and published by rename; what exists under its final
 * name is complete. A tmp/ entry whose lock is free belongs to the dead and is moved to trash/ by the next start.
 */
#ifndef NACRE_STORE_STORE_H
#define NACRE_STORE_STORE_H

#include <stdbool.h>

#include "base/err.h"

struct store {
	int fd;       /* the directory */
	char *path;   /* as the user gave it; for messages. owned */
};

/*
 * Opens, creating it at first use. `path` NULL means $NACRE_STORE, $XDG_DATA_HOME/nacre, ~/.local/share/nacre,
 * /var/tmp/nacre-UID, the first that can be made; the error lists what was tried. ERR_SPEC for a directory that is something else or
 * another version. Also clears what dead processes left (store_recover).
 */
int store_open(const char *path, struct store *ret, struct err *e);
void store_fini(struct store *s);

/* A private directory tmp/ID, locked until the descriptor is closed or the process dies. *ret_fd is the directory. */
int store_tmp_new(struct store *s, char id[33], int *ret_fd, struct err *e);
/* Moves tmp/ID to trash/ and removes what this user may remove. */
void store_tmp_discard(struct store *s, const char *id);
/* Moves dead tmp/ entries to trash/, then removes all of trash/ that this process may remove. true when something of
 * subordinate ids is left: call again from inside a user namespace. */
bool store_recover(struct store *s);

/* syncfs, once per build before its records count. */
int store_sync(struct store *s, struct err *e);

#endif
