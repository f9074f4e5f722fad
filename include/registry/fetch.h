/*
 * One GET of a URL, for ADD: over the same transport as registries (retries, resume, limits, redirects handled by us),
 * but with no credentials other than the caller's: none are looked up, and a URL that carries a user name is refused.
 *
 * These functions open connections, so they run in worker processes only.
 */
#ifndef NACRE_REGISTRY_FETCH_H
#define NACRE_REGISTRY_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct pull_progress;

struct fetch_request {
	const char *url;             /* http:// or https:// */
	int fd;                      /* empty, writable, seekable; gets the body */
	uint64_t limit;              /* most bytes of the body; ERR_LIMIT beyond */
	const char *etag;            /* of the copy the caller has, or NULL: asks for changes only */
	const char *authorization;   /* value of that header, for `url` and not for where it redirects to; or NULL */
	const struct pull_progress *progress; /* may be NULL */
};

struct fetched {
	bool not_modified;           /* the copy with fetch_request.etag is current; nothing was written */
	char *url;                   /* after redirects, without fragment; owned */
	char *etag;                  /* as sent, or NULL; owned */
	bool has_last_modified;
	int64_t last_modified;       /* seconds since 1970 */
	uint64_t size;
	struct digest digest;        /* of the body */
};

/* A query string of the URL never appears in messages. https never leads to http. ERR_NOTFOUND for 404 and 410. */
int http_fetch(const struct fetch_request *q, struct fetched *ret, struct err *e);
void fetched_fini(struct fetched *f);

#endif
