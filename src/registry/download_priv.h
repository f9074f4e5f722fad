/* Blobs from one repository of a registry into the store, several at a time. */
#ifndef NACRE_REGISTRY_DOWNLOAD_PRIV_H
#define NACRE_REGISTRY_DOWNLOAD_PRIV_H

#include <stddef.h>

#include "base/err.h"
#include "oci/descriptor.h"

struct pull_progress;
struct session;
struct store;
struct transport;

/*
 * Those that the store has are skipped. `what` is for messages. While one is fetched, lock/blob-HEX of the store is
 * held: another process that wants it waits and then finds it there.
 */
int download_blobs(struct store *s, struct session *session, struct transport *t, const char *what,
		   const struct descriptor *list, size_t n, const struct pull_progress *progress, struct err *e);

#endif
