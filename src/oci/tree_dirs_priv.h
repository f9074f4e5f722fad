/*
 * The directories of a tree that is being written: finding the parent of each member (and making those that no member
 * named), and the times of directories, which are set when nothing more is put into them.
 *
 * All paths are those of members: resolved inside the root, links followed, of any length.
 */
#ifndef NACRE_OCI_TREE_DIRS_PRIV_H
#define NACRE_OCI_TREE_DIRS_PRIV_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "oci/inode_map.h"

struct tree_dir {
	char *path;          /* as the member named it; owned */
	uint64_t dev, ino;   /* what the path must still be when the times are set (T-A6) */
	struct timespec time;
	bool implied;        /* no member named it */
	bool opaque;
};

struct tree_dirs {
	int root_fd;              /* borrowed */
	VEC(struct tree_dir) all;
	struct inode_map by_inode; /* -> index in all */
	struct str parent_path;   /* of parent_fd */
	int parent_fd; /* owned; the directory of the last member: most members follow a sibling. -1 = none */
};

void tree_dirs_init(struct tree_dirs *d, int root_fd);
void tree_dirs_fini(struct tree_dirs *d);

/* The directory that `path` (not ".") is to be put into, made if missing: *ret_fd, O_PATH, borrowed until the next
 * call. */
int tree_dirs_parent(struct tree_dirs *d, const char *path, int *ret_fd, const char **ret_name, struct err *e);
/* The directory `path` itself, made if missing; readable; the caller owns *ret_fd. */
int tree_dirs_open(struct tree_dirs *d, const char *path, int *ret_fd, struct err *e);
/* The directory that holds `path`, O_PATH, if it is there; the caller owns it. -1 and errno. */
int tree_dirs_find_parent(struct tree_dirs *d, const char *path, const char **ret_name);
/* After a directory or link was removed, paths may lead elsewhere. */
void tree_dirs_forget_parent(struct tree_dirs *d);

/*
 * The record of a directory. fresh: it was just made, and what is known of its inode number is about one that is gone.
 * Valid until the next call of any of these.
 */
struct tree_dir *tree_dirs_record(struct tree_dirs *d, const char *path, const struct stat *st, bool fresh);
/* Marks it opaque, once (T-A13). */
int tree_dirs_set_opaque(struct tree_dirs *d, const char *path, int dir_fd, struct err *e);

/* Sets the times; appends the implied directories that are still there to `implied` (may be NULL). */
int tree_dirs_finish(struct tree_dirs *d, struct strv *implied, struct err *e);

#endif
