/*
 * Mount-point stubs: files and directories made in the root only to mount on. They must not become part of the layer,
 * nor must the traces of having been there: the times of their directory, and directories that overlayfs copied up for
 * their sake (RUN-09). What is removed afterwards is known by held directory descriptors of the upper and by inode,
 * never by a path that the command may have changed meanwhile (T-C5).
 */
#ifndef NACRE_SANDBOX_STUBS_PRIV_H
#define NACRE_SANDBOX_STUBS_PRIV_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/vec.h"

/* A stub, or a directory on the way to one. */
struct stub_node {
	char *path;         /* in the root, without a leading slash; "" is the root. owned */
	int parent;         /* index of the node it is in; -1 for the root */
	bool made;          /* a stub: remove it */
	bool copied_up;     /* was not in the upper before: remove it when nothing else came into it */
	struct stat before; /* in the merged root, before the first stub in it */
	struct stat sealed; /* in the upper, when the command starts */
	int upper_fd;       /* directory in the upper; -1 for files. owned */
};

struct stubs {
	int root_fd, upper_fd; /* borrowed: the merged root, its upper directory */
	int proc_fd;           /* borrowed: a procfs that is ours alone */
	dev_t dev;             /* of the merged root: what is on another device is on a mount and not ours to clean */
	VEC(struct stub_node) nodes;
};

int stubs_init(struct stubs *s, int root_fd, int upper_fd, int proc_fd, struct err *e);
/* A mkpath_fn; ctx is the struct stubs. */
int stubs_make(void *ctx, int parent_fd, const char *name, bool directory, struct err *e);
/* All are made: remembers how the upper looks now, and gives directories their times back. */
int stubs_seal(struct stubs *s, struct err *e);
/*
 * When every process of the step is dead. What the command removed, replaced or filled is its own; a stub that is still
 * ours and cannot be removed is an error, since it would become part of the layer.
 */
int stubs_clean(struct stubs *s, struct err *e);

#endif
