/*
 * Blobs of the store into one repository of a registry, several at a time: distribution-spec 1.1, "Pushing blobs".
 *
 * What is there is skipped. A small one is sent whole (POST, PUT), a large one in chunks (POST, PATCH…, PUT), after
 * each of which the server says how much it has: when the connection breaks it is asked again and only the rest is
 * sent. A server that knows no chunks gets the whole.
 */
#ifndef NACRE_REGISTRY_UPLOAD_PRIV_H
#define NACRE_REGISTRY_UPLOAD_PRIV_H

#include <stddef.h>

#include "base/err.h"
#include "oci/descriptor.h"

struct repository;
struct store;

/* `what` is for messages. ERR_NOTFOUND when the store has not all of them. */
int upload_blobs(struct repository *r, struct store *s, const char *what, const struct descriptor *list, size_t n,
		 struct err *e);

#endif
