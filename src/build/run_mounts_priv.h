/* RUN --mount (SEMANTICS section 11), and the files every RUN sees. */
#ifndef NACRE_BUILD_RUN_MOUNTS_PRIV_H
#define NACRE_BUILD_RUN_MOUNTS_PRIV_H

#include "build_priv.h"

struct copy_spec;
struct depfile;
struct df_mount;
struct run_mounts;

/* Reads the flags; NULL and an error when one cannot be carried out. */
struct run_mounts *run_mounts_new(struct build *b, struct stage *st, const struct df_instruction *in, struct err *e);
void run_mounts_free(struct run_mounts *m);

/* 0: where every mount comes from is known, with the digest of what it shows. 1: come back. */
int run_mounts_ready(struct run_mounts *m, struct build *b, struct step *step, struct err *e);
/* What of a directory a mount shows; the caller frees its sources. */
void mount_spec(const struct df_mount *m, struct copy_spec *ret);
int run_mounts_depends(const struct run_mounts *m, struct depfile *d, struct err *e);
/* What of them a cache key holds: targets, options, content; never secrets or what a cache holds. */
void run_mounts_key(const struct run_mounts *m, struct cache_key *k);
/* 0: every tree that is mounted is there. 1: come back. */
int run_mounts_trees(struct run_mounts *m, struct build *b, struct step *step, struct err *e);
/* 0: every cache is open, and locked if it asks for that. 1: somebody else has one, come back. */
int run_mounts_caches(struct run_mounts *m, struct build *b, struct step *step, struct err *e);
/* Fills plan->mounts, and the variables that secrets and agents bring into *env. `script` (may be NULL): HERE-09. */
int run_mounts_plan(struct run_mounts *m, struct build *b, const char *script_name, const char *script,
		    struct sandbox_plan *plan, struct strv *env, struct err *e);
/* After the command: gives up locks and descriptors. */
void run_mounts_close(struct run_mounts *m);

#endif
