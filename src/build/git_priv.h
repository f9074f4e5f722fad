/*
 * Git repositories as sources (ADD-07, ADD-08), through the system's git with an environment of its own: no
 * configuration of the user or the system, no hooks, no local transport, refs never taken for options (THREATS F).
 */
#ifndef NACRE_BUILD_GIT_PRIV_H
#define NACRE_BUILD_GIT_PRIV_H

#include <stdbool.h>

#include "base/err.h"

struct git_source {
	char *url;        /* without fragment and query; owned, like all */
	char *ref;        /* branch, tag, full ref or commit; NULL: the remote's HEAD */
	char *subdir;     /* or NULL */
	char *checksum;   /* commit or its beginning, or NULL */
	bool keep_git_dir;
	bool has_keep_git_dir; /* the URL says so */
	bool no_submodules;
	char commit[65];  /* once resolved */
};

/* "URL[?key=value&…][#ref[:subdir]]"; ERR_BUILD for what is malformed, an unknown key, or looks like an option. */
int git_parse(const char *text, struct git_source *ret, struct err *e);
void git_fini(struct git_source *g);

/* In a worker: asks the remote which commit the ref is now, and checks it against the checksum. */
int git_resolve(struct git_source *g, struct err *e);
/* In a worker: checks the resolved commit out into the (empty) directory at `path`, absolute. .git is removed unless
 * kept. */
int git_checkout(const struct git_source *g, const char *path, struct err *e);

#endif
