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
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

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

/* ---- blobs ---- */

bool blob_exists(struct store *s, const struct digest *d, uint64_t *ret_size /* may be NULL */);
/* ERR_NOTFOUND when absent; never follows a link. */
int blob_open(struct store *s, const struct digest *d, int *ret_fd, struct err *e);
/* A small document, whole, its digest verified. */
int blob_read(struct store *s, const struct digest *d, size_t limit, struct str *out, struct err *e);
/* Writes a small document; ready when it returns. */
int blob_put(struct store *s, const void *bytes, size_t n, struct digest *ret, struct err *e);

/* A blob being written: an anonymous or temporary file in tmp/, published under its digest when complete. */
struct blob_writer {
	int fd;         /* write here; or stack sink_fd on it */
	char name[40];  /* in tmp/ */
	struct store *store;
};
int blob_writer_open(struct store *s, struct blob_writer *ret, struct err *e);
/* fsync, then rename to blobs/sha256/HEX; a blob that is there already is kept and this one dropped. */
int blob_writer_commit(struct blob_writer *w, const struct digest *d, struct err *e);
void blob_writer_drop(struct blob_writer *w);

/* ---- small named JSON records: step/KEY, layer/DIFFID, snap/CHAINID, log/BUILD/… ---- */

/* 0 found, 1 absent, -1. `name` is "step/HEX.json" and the like, made by us, never from input. Damaged = absent, logged. */
int store_json_get(struct store *s, const char *name, struct json *ret, struct err *e);
/* Written aside and renamed over what is there. */
int store_json_put(struct store *s, const char *name, const char *text, struct err *e);
/* The same for any bytes. */
int store_file_put(struct store *s, const char *name, const void *bytes, size_t n, struct err *e);
int store_file_get(struct store *s, const char *name, size_t limit, struct str *out, struct err *e); /* 0, 1 absent, -1 */

/* ---- snapshots ---- */

bool snap_exists(struct store *s, const struct chainid *c);
/* O_PATH|O_DIRECTORY of snap/CHAIN/tree. ERR_NOTFOUND. */
int snap_open(struct store *s, const struct chainid *c, int *ret_fd, struct err *e);
/* Moves the directory `name` of dir_fd to snap/CHAIN/tree and writes the record; a snapshot that is there already wins
 * and ours goes to trash/. */
int snap_publish(struct store *s, const struct chainid *c, int dir_fd, const char *name, struct err *e);

/* syncfs, once per build before its records count. */
int store_sync(struct store *s, struct err *e);

/* ---- names of images: refs in index.json ---- */

struct ref_entry {
	char *name;            /* org.opencontainers.image.ref.name, or NULL; owned */
	char *media_type;      /* owned */
	struct digest digest;
	uint64_t size;
	char *created;         /* RFC 3339 or NULL; owned */
	char *platform_os, *platform_arch, *platform_variant; /* NULL when not stated; owned */
};
struct ref_list { struct ref_entry *v; size_t n, cap; };
int ref_list(int layout_fd, struct ref_list *ret, struct err *e);
void ref_list_fini(struct ref_list *l);
/* Replaces the entry of that name (or adds). dir fd of a layout: the store's or an output's. Locked, written aside, renamed. */
int ref_put(int layout_fd, const struct ref_entry *entry, struct err *e);
int ref_remove(int layout_fd, const char *name, bool *ret_was_there, struct err *e);

/* Makes oci-layout, index.json and blobs/sha256 in a directory unless they are there; ERR_SPEC for another layout version. */
int layout_init(int dir_fd, const char *name, struct err *e);

#endif
