/* Names of images: refs in the index.json of an OCI image layout, the store's own or an output's. */
#ifndef NACRE_STORE_REF_H
#define NACRE_STORE_REF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"

struct ref_entry {
	char *name;            /* org.opencontainers.image.ref.name, or NULL; owned */
	char *media_type;      /* owned */
	struct digest digest;
	uint64_t size;
	const char *artifact_type; /* to write: of what is no image, or NULL; borrowed */
	char *created;         /* RFC 3339 or NULL; owned */
	const struct json *annotations; /* to write besides: an object of strings, JSON_NULL or NULL; borrowed */
	char *platform_os, *platform_arch, *platform_variant; /* NULL when not stated; owned */
};
/* The member "annotations" of such an entry, if there is something to write. */
void ref_write_annotations(struct json_out *o, const char *name, const char *created, const struct json *others);

struct ref_list { struct ref_entry *v; size_t n, cap; };
int ref_list(int layout_fd, struct ref_list *ret, struct err *e);
void ref_list_fini(struct ref_list *l);
/*
 * Replaces the entry of that name, or adds; one without name replaces the one of its digest without name. layout_fd:
 * the store's or an output's. Under the layout's lock (its file oci-layout), written aside, synced, renamed.
 */
int ref_put(int layout_fd, const struct ref_entry *entry, struct err *e);
int ref_remove(int layout_fd, const char *name, bool *ret_was_there, struct err *e);
/* Takes away that entry, unless its name (NULL: none) leads elsewhere by now. */
int ref_remove_entry(int layout_fd, const char *name, const struct digest *d, bool *ret_was_there, struct err *e);

/*
 * Makes oci-layout, index.json and blobs/sha256 in a directory unless they are there; ERR_SPEC for another layout
 * version.
 */
int layout_init(int dir_fd, const char *name, struct err *e);
/* Whether oci-layout and index.json can be read; entries that another tool put there may be of any kind. */
int layout_check_marker(int dir_fd, struct err *e);
int layout_check_index(int dir_fd, size_t *ret_entries, struct err *e);
/* Puts an empty layout's file in the place of one that cannot be read. 1: it can, and is kept. */
int layout_remake_marker(int dir_fd, struct err *e);
int layout_remake_index(int dir_fd, struct err *e);

#endif
