#ifndef NACRE_BUILD_CONTEXT_FETCH_PRIV_H
#define NACRE_BUILD_CONTEXT_FETCH_PRIV_H

#include "build_priv.h"
#include "git_priv.h"

/* What a context that is no directory needs while it is fetched. */
struct context_fetch {
	struct build *build;
	struct context *context; /* borrowed */
	struct git_source git;   /* GIT */
	char *tree_path;         /* owned */
	int tree_fd;
};
void context_fetch_free(struct context_fetch *f);

#endif
