/*
 * Being known to one registry for one repository: its URL, and the token or password of the moment. One session lives
 * as long as one pull, so it is also the cache of its token.
 */
#ifndef NACRE_REGISTRY_SESSION_PRIV_H
#define NACRE_REGISTRY_SESSION_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "registry/reference.h"
#include "credentials_priv.h"
#include "url_priv.h"

struct pull_progress;
struct transport;

struct session {
	const struct reference *ref;           /* borrowed, like progress; without repository: of the registry alone */
	const struct pull_progress *progress;
	bool push;                             /* asks for the right to push, too */
	const struct credential *given;        /* a login to try instead of the user's; borrowed */
	struct strv mount_from;                /* repositories that blobs may be mounted from */
	struct transport *transport;           /* for token requests; owned */
	struct url base;                       /* "https://registry-1.docker.io/" */
	char *authorization;                   /* whole header, or NULL; secret */
	int64_t expires_ms;                    /* monotonic; 0 = never */
	unsigned generation; /* counts authorizations, so that answers to an older one are known as such */
	bool logged_in;                        /* with the user's login, not anonymously */
	bool holds_secret;                     /* the process is not dumpable since then */
	int was_dumpable;
};

/* Finds out how the registry is reached; asks only a loopback one, which may speak http or https. */
int session_open(const struct reference *ref, bool push, const struct pull_progress *progress, struct session *ret,
		 struct err *e);
void session_fini(struct session *s);

/* Header to send now, or NULL. Borrowed until the next session call. */
const char *session_authorization(struct session *s);
/* Gets an authorization that answers the challenges of a 401. ERR_AUTH with what the user can do when there is none. */
int session_answer(struct session *s, const struct strv *challenges, struct err *e);
/* Adds to an ERR_AUTH message what the user can do about it. */
void session_hint(const struct session *s, struct err *e);

#endif
