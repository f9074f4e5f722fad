/*
 * Git repositories as sources (ADD-07, ADD-08), through the system's git with an environment of its own: no
 * configuration of the user or the system, no hooks, no local transport, refs never taken for options (THREATS F).
 */
#ifndef NACRE_BUILD_GIT_PRIV_H
#define NACRE_BUILD_GIT_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct secrets;
struct ssh_agent;

/* With what a repository may be asked. */
struct git_access {
	const struct secrets *secrets;
	const struct ssh_agent *agent; /* that of --ssh default, or NULL */
	bool by_user;                  /* the user named the repository: then the agent of SSH_AUTH_SOCK will do too */
};

struct git_source {
	char *url;        /* without fragment and query; owned, like all */
	char *ref;        /* branch, tag, full ref or commit; NULL: the remote's HEAD */
	char *subdir;     /* or NULL */
	char *checksum;   /* commit or its beginning, or NULL */
	bool keep_git_dir;
	bool has_keep_git_dir; /* the URL says so */
	bool no_submodules;
	bool commit_times; /* files get the commit's time instead of the present */
	bool has_mtime;   /* the URL says which */
	char commit[65];  /* once resolved */
	char *auth;       /* value of an Authorization header for the host, once asked for; or NULL */
	bool auth_known;
	int64_t time;     /* of the commit (its committer's), once checked out */
};

/* In ADD and COPY: git://, ssh://, USER@HOST:PATH, http(s) with a path that ends in ".git". */
bool git_is_source(const char *text);
/* As a context also github.com/OWNER/REPOSITORY (ADD-10). */
bool git_is_context(const char *text);
/* Any URL without a user name and password in it, for messages; the caller owns it. */
char *git_url_shown(const char *url);

/* "URL[?key=value&…][#ref[:subdir]]"; ERR_BUILD for what is malformed, an unknown key, or looks like an option. */
int git_parse(const char *text, struct git_source *ret, struct err *e);
void git_fini(struct git_source *g);

/* In a worker: asks the remote which commit the ref is now, and checks it against the checksum. */
int git_resolve(struct git_source *g, const struct git_access *a, struct err *e);
/* In a worker: checks the resolved commit out into the (empty) directory at `path`, absolute. .git is removed unless
 * kept. */
int git_checkout(struct git_source *g, const struct git_access *a, const char *path, struct err *e);
/* In a worker: when the commit was made that a directory of this machine is checked out from. 1: it is in no repository. */
int git_head_time(const char *dir, int64_t *ret, struct err *e);
/* The directory that a checkout was asked for. */
int git_open_subdir(int top, const char *subdir, int *ret, struct err *e);

#endif
