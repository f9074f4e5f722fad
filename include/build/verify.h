/* `nacre verify`: is a store what it says? */
#ifndef NACRE_BUILD_VERIFY_H
#define NACRE_BUILD_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

struct verify_options {
	bool repair;
	bool json;
	bool progress; /* a line on stderr that is rewritten */
};

struct verify_result {
	size_t problems, left; /* found; of them not repaired */
};

/*
 * Appends a table, or JSON:
 *   {"store":…,"notes":[…],"checked":[{"kind":…,"count":…},…],"bytes":…,"not_compared":…,
 *    "problems":[{"object":…,"problem":…,"state":"found|repaired|in use|kept"},…]}
 * "bytes" are those of blobs; "not_compared" counts snapshots of which nothing says what they hold. With `repair`, what
 * is bad is taken away, so that the next build makes it again, unless another process uses it.
 */
int store_verify(struct store *s, const struct verify_options *o, struct str *out, struct verify_result *ret,
		 struct err *e);

#endif
