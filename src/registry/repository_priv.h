/* What the parts of this folder see of a repository. */
#ifndef NACRE_REGISTRY_REPOSITORY_PRIV_H
#define NACRE_REGISTRY_REPOSITORY_PRIV_H

#include "registry/repository.h"
#include "session_priv.h"
#include "url_priv.h"

struct transport;

struct repository {
	const struct reference *ref;           /* borrowed, like progress */
	const struct pull_progress *progress;
	struct session session;
	struct transport *transport;           /* owned */
	bool took_subject;                     /* it says that it knows what the manifest it was last given refers to */
};

/* "/v2/REPOSITORY/KIND/NAME" of its registry. */
void repository_url(const struct repository *r, const char *kind, const char *name, struct url *ret);

#endif
