/* The mounts of one RUN, for the files that carry them out: run_mounts.c, run_caches.c, run_plan.c. */
#ifndef NACRE_BUILD_RUN_MOUNT_PRIV_H
#define NACRE_BUILD_RUN_MOUNT_PRIV_H

#include "agent_priv.h"
#include "copy_priv.h"
#include "run_mounts_priv.h"
#include "dockerfile/mount.h"

struct run_mount {
	struct df_mount m;
	char *target;               /* absolute; owned */
	struct copy_from from;      /* bind, and the seed of a cache */
	bool from_found;
	struct fsview **view;       /* of the stage or image it comes from, made on demand; borrowed */
	size_t *view_layers;        /* how many of its layers *view shows; borrowed */
	struct digest content;      /* what it shows of a directory */
	int fd;                     /* bind from a directory, cache, ssh: what is mounted; -1 */
	char *cache;                /* cache: its name in mount/, once opened; owned */
	int lock_fd;                /* cache with sharing locked or private */
	int *lower;                 /* bind from an image: tree descriptors, topmost first; owned array */
	struct str secret;
	struct agent_relay agent;   /* ssh */
};

struct run_mounts {
	struct stage *stage;
	const struct df_instruction *in;
	VEC(struct run_mount) v;
	bool digests_known;
	struct job *hashing;
	struct job *waiting;           /* for the lock of a cache, or for a new one */
	struct sandbox_mount *planned; /* owned, n_planned */
	size_t n_planned;
};

void run_mounts_plan_free(struct run_mounts *m);

#endif
