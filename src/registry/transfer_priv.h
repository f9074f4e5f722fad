/*
 * A GET (or token POST) carried through to its end: redirects followed, logins answered, interruptions retried and
 * resumed. Several run at once.
 *
 * Credentials go to the session's own origin only. Once a redirect has left it they are gone for the rest of this try,
 * even if the way leads back (T-G2). https never leads to http.
 */
#ifndef NACRE_REGISTRY_TRANSFER_PRIV_H
#define NACRE_REGISTRY_TRANSFER_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "transport_priv.h"
#include "url_priv.h"

struct pull_progress;
struct session;

enum transfer_ready { TRANSFER_GO, TRANSFER_LATER, TRANSFER_NEEDLESS };

struct transfer {
	/* What is wanted; filled by the caller. */
	char *name;                 /* for messages: "registry/repository: layer sha256:…"; owned */
	struct url url;
	struct strv headers;        /* "Name: value", sent wherever redirects lead; owned */
	struct session *session;    /* who logs in, or NULL for nobody; borrowed */
	char *secret_header;        /* sent to url and nowhere else; owned, overwritten */
	char *form;                 /* body of a POST; owned, overwritten */
	bool conditional;           /* headers ask for changes only: 304 is a success too */
	bool no_redirects;
	bool plain_http;            /* http is fine for any host (ADD); otherwise for loopback only */
	bool has_size;
	uint64_t size;              /* has_size: the body's exact length, else its most */
	/* May this start? LATER asks again soon, NEEDLESS counts as done. NULL: at once. -1. */
	int (*ready)(void *ctx, enum transfer_ready *ret, struct err *e);
	/* The body comes, from this offset on; what was given beyond it is void. */
	int (*begin)(void *ctx, const struct http_answer *a, uint64_t offset, struct err *e);
	int (*body)(void *ctx, const void *bytes, size_t n, struct err *e);
	int (*end)(void *ctx, struct err *e);
	void *ctx;

	/* What came of it. */
	int status;                 /* of the last answer */
	struct url final;           /* where the body came from */

	/* The machine's own. */
	enum { TRANSFER_WAITING, TRANSFER_RUNNING, TRANSFER_DONE } state;
	struct http_call call;
	struct url at;              /* where the present request goes */
	int64_t due_ms, progress_ms;
	uint64_t offset, mark;      /* bytes given to body; the most of them that counted as progress */
	char *etag;                 /* of what was begun, when strong: for If-Range */
	bool is_ready, no_range, wrong_range, left_origin, accepted;
	unsigned failures, hops, logins, generation;
	struct str refusal;         /* body of an answer that is no success */
};

/* Runs all, at most `parallel` at a time; the first failure ends the others. progress may be NULL. */
int transfer_run(struct transport *t, struct transfer *list, size_t n, unsigned parallel,
		 const struct pull_progress *progress, struct err *e);
void transfer_fini(struct transfer *t);

#endif
