/*
 * Requests carried through to their end: redirects followed, logins answered, interruptions retried and resumed.
 * Several run at once. A transfer is a download, whose body is given to its owner, or an exchange, one request or a
 * chain of them, of which each answer's head is given to its owner, who says what comes next.
 *
 * Credentials go to the session's own origin only. Once a redirect has left it they are gone for the rest of this try,
 * even if the way leads back (T-G2). https never leads to http. A request with a body is never redirected.
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

enum transfer_next {
	TRANSFER_END,   /* that was all */
	TRANSFER_MORE,  /* the transfer is another request now */
	TRANSFER_AGAIN, /* it failed, and err says why: the request it is now comes after a pause, as another try */
};

struct transfer {
	/* What is wanted; filled by the caller. */
	char *name;                 /* for messages: "registry/repository: layer sha256:…"; owned */
	struct url url;
	struct strv headers;        /* "Name: value", sent wherever redirects lead; owned */
	struct session *session;    /* who logs in, or NULL for nobody; borrowed */
	char *secret_header;        /* sent to url and nowhere else; owned, overwritten */
	enum http_method method;
	char *form;                 /* of a POST; owned, overwritten */
	struct http_body send;      /* of a PUT or PATCH */
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
	/* An exchange: the statuses that `answered` wants, 0 at the end; others are refusals. NULL: a download. */
	const int *expected;
	int (*answered)(void *ctx, const struct http_answer *a, enum transfer_next *ret, struct err *e);
	void (*sent)(void *ctx, uint64_t sent); /* of the present request's body, now and then; may be NULL */
	void (*broken)(void *ctx);  /* before another try, for which it may choose another request; may be NULL */
	void *ctx;

	/* What came of it. */
	int status;                 /* of the last answer */
	struct url final;           /* where the body came from */

	/* The machine's own. */
	enum { TRANSFER_WAITING, TRANSFER_RUNNING, TRANSFER_DONE } state;
	struct http_call call;
	struct url at;              /* where the present request goes */
	int64_t due_ms, progress_ms;
	uint64_t offset, mark;      /* bytes given to body, or that the server has; the most that counted as progress */
	char *etag;                 /* of what was begun, when strong: for If-Range */
	bool is_ready, no_range, wrong_range, left_origin, accepted;
	unsigned failures, hops, logins, generation;
	struct str refusal;         /* body of an answer that is no download */
};

/* Runs all, at most `parallel` at a time; the first failure ends the others. progress may be NULL. */
int transfer_run(struct transport *t, struct transfer *list, size_t n, unsigned parallel,
		 const struct pull_progress *progress, struct err *e);
void transfer_fini(struct transfer *t);

/* Where a Location header of the present answer leads: refused where that would give up encryption. */
int transfer_resolve(const struct transfer *t, const char *location, struct url *ret, struct err *e);

#endif
