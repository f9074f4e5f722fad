/* Directories of RUN --mount=type=cache: mount/NAME of the store, and mount/NAME.lock beside those that are not shared.
 */
#ifndef NACRE_BUILD_CACHE_MOUNT_PRIV_H
#define NACRE_BUILD_CACHE_MOUNT_PRIV_H

#include "build_priv.h"
#include "dockerfile/mount.h"

/*
 * Opens mount/NAME, or with sharing=private the first of NAME, NAME-1, NAME-2 … that is free. 0; 1 when it is locked by
 * somebody else; 1 and *ret_missing (owned by the caller) when that directory has yet to be made; -1. *ret_lock stays
 * -1 when nothing is locked.
 */
int cache_mount_open(struct store *s, int mounts_fd, const char *name, enum df_sharing sharing, int *ret_fd, int *ret_lock,
		     char **ret_missing, struct err *e);
/* The lock alone. wait false: 1 when somebody else has it. */
int cache_mount_lock(int mounts_fd, const char *name, bool wait, int *ret_lock, struct err *e);

struct claim;

/* One in the making: the directory `tree` of a work directory, which gets its name when it is complete. */
struct cache_new {
	struct build *build;
	int mounts_fd;
	const char *name;
	unsigned work_id;
	int tree_fd;
};

/* In a worker: alone in making this one. False: it is there meanwhile. */
bool cache_new_claim(const struct cache_new *c, struct claim *ret);
/* In a worker inside the namespace. Losing against another that made the same is success. */
int cache_new_publish(const struct cache_new *c, uint32_t uid, uint32_t gid, uint32_t mode, struct err *e);
/* The same for one that is filled: its files are on disk before its name is. */
int cache_new_publish_copy(const struct cache_new *c, struct err *e);

#endif
