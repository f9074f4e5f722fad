/*
 * A source that reads on in a thread of its own, through a bounded queue, so that decompressing and hashing a layer
 * overlap with creating its files. Only for processes that do not fork meanwhile. What `below` adds to (digests,
 * counts) may be looked at after the end or an error was read, or after source_free.
 */
#ifndef NACRE_OCI_READ_AHEAD_PRIV_H
#define NACRE_OCI_READ_AHEAD_PRIV_H

#include "archive/stream.h"

struct source *read_ahead(struct source *below /* taken */);

#endif
