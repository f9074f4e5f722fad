/*
 * The store: a directory that is a valid OCI image layout and holds, beside it, what makes rebuilds fast.
 *
 *   oci-layout index.json blobs/sha256/HEX     the layout; image names are refs in index.json
 *   snap/CHAINHEX/tree  snap/CHAINHEX.json     an unpacked layer, ready as an overlay lower; no record, no snapshot
 *   list/DIFFHEX                               what a layer holds, entry by entry (oci/listing.h)
 *   layer/DIFFHEX.json                         diffID -> descriptor of a blob that holds it
 *   step/KEYHEX.json                           a step record
 *   mount/ID/                                  RUN --mount=type=cache directories
 *   context/ID                                 stat index of a context
 *   log/last.json log/FILE-ID.json             the last builds (build/build_log_priv.h)
 *   source/HEX                                 what the sources of a step held (build/file_list_priv.h)
 *   sync/BOOTID                                up to when of that boot everything is known to be on disk
 *   lock/ tmp/ trash/ version
 *
 * Mode 0700. Objects are made in tmp/ID (locked by its owner) and published by rename; what exists under its final
 * name is complete. A tmp/ entry whose lock is free belongs to the dead and is moved to trash/ by the next start.
 *
 * What a power cut may do. Three orders hold:
 *   1. The bytes of a large blob (blob_writer) are on disk before its name is.
 *   2. What a name leads to is synced, by store_sync or blob by blob (blob_sync), before a ref is written, and a ref is on
 *      disk when ref_put returns: what a name leads to is whole.
 *   3. A snapshot counts in the boot that made it, later only if a store_sync of that boot came after it.
 * Small documents and records (blob_put, store_json_put, store_file_put) are not synced one by one, since that would
 * cost more than the step they describe. After a power cut they may be missing, empty or cut short. So: a record tells
 * by its form and its sum that it is whole, and a damaged one reads as absent; what a record names is asked for (existence and size
 * of a blob, presence of a snapshot) before the record is believed; writing a small blob again replaces a damaged one.
 */
#ifndef NACRE_STORE_STORE_H
#define NACRE_STORE_STORE_H

#include <stdbool.h>
#include <time.h>

#include "base/err.h"

struct store {
	int fd;       /* the directory */
	char *path;   /* as the user gave it; for messages. owned */
	int live_fd;  /* says since when this process uses it (store/use.h) */
	struct timespec began;
	bool left;    /* what the dead left is not all removed: some belongs to subordinate ids */
};

/*
 * Opens, creating it at first use. `path` NULL means $NACRE_STORE, or the first that can be made of
 * $XDG_DATA_HOME/nacre, ~/.local/share/nacre, /var/tmp/nacre-UID; the error lists what was tried. ERR_SPEC for a
 * directory that is something else, another version or somebody else's. Also clears what dead processes left
 * (store_recover).
 */
int store_open(const char *path, struct store *ret, struct err *e);
/* For who only asks: a place that the user named and that does not exist is ERR_NOTFOUND, for it was probably mistyped. */
int store_open_there(const char *path, struct store *ret, struct err *e);
void store_fini(struct store *s);

/* A private directory tmp/ID, locked until the descriptor is closed or the process dies. *ret_fd is the directory. */
int store_tmp_new(struct store *s, char id[33], int *ret_fd, struct err *e);
/* Moves tmp/ID to trash/ and removes what this user may remove. */
void store_tmp_discard(struct store *s, const char *id);
/*
 * Moves dead tmp/ entries to trash/, then removes all of trash/ that this process may remove. true when something of
 * subordinate ids is left: call again from inside a user namespace.
 */
bool store_recover(struct store *s);

/* syncfs, once per build before its records count. */
int store_sync(struct store *s, struct err *e);

#endif
