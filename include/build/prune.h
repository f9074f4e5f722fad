/* `nacre prune` and --cache-max: the store without what nobody needs. */
#ifndef NACRE_BUILD_PRUNE_H
#define NACRE_BUILD_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/objects.h"
#include "store/store.h"

/*
 * Images with names stay whole, and so does what a living process uses. What nothing leads to (no name, no step that
 * may be used again, not the last build) goes in any case; the cache as the options say.
 */
struct prune_options {
	bool all;           /* the whole cache */
	int64_t older_than; /* cache that was not used for so many seconds; -1: none */
	uint64_t keep;      /* cache, least recently used first, until the store has no more bytes; UINT64_MAX: none */
	uint64_t spare;     /* so many bytes less than that, once something has to go for it */
	bool going_on;      /* the caller goes on using the store: what it uses stays, and nothing goes without need */
	bool dry_run;
};

struct prune_result {
	size_t n[OBJECT_KINDS];
	uint64_t bytes[OBJECT_KINDS];
	uint64_t left; /* bytes of the store afterwards */
};

int store_prune(struct store *s, const struct prune_options *o, struct prune_result *ret, struct err *e);

#endif
