/*
 * A root filesystem as a tree of nodes in memory: the listings of an image's layers merged, or a build context read
 * directory by directory. COPY, ADD and WORKDIR plan against it without touching a tree.
 *
 * Links are resolved inside the root: absolute targets start at it, ".." stops at it, at most LIMIT_SYMLINKS links.
 */
#ifndef NACRE_OCI_FSVIEW_H
#define NACRE_OCI_FSVIEW_H

#include <stdbool.h>

#include "archive/tar_entry.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "oci/listing.h"

/* There are two of these for each file that is copied, so they are small: what only one type has shares its room. */
struct fsnode {
	const char *name;           /* one component; "" for the root. All strings belong to the view's arena */
	struct fsnode *parent;      /* NULL for the root */
	union {
		struct {            /* DIR */
			struct fsnode **kids; /* sorted by name (byte order) once fsview_kids was called */
			uint32_t n_kids, cap_kids;
			uint32_t emptied; /* for fsview: 1 + the last layer that hid all from below in it */
		};
		struct digest digest; /* of a FILE's content, if has_digest */
	};
	uint64_t size;              /* FILE */
	int64_t mtime;
	union {
		const char *link;   /* SYMLINK */
		struct {            /* CHAR, BLOCK */
			uint32_t major, minor;
		};
	};
	const struct tar_xattrs *xattrs; /* NULL when none */
	uint64_t inode;             /* equal for hard links of one file; 0 = no other link */
	const char *layer_path; /* of the member with the content inside that layer (differs for hard links); implied:
				   NULL */
	void *mark;                 /* belongs to who plans with the view; NULL at first */
	struct fsnode *hash_next;   /* for fsview, as all up to touched */
	uint32_t hash;              /* of the directory and the name */
	uint32_t place;             /* in parent->kids */
	unsigned touched;           /* 1 + the last layer that put this node or something below it */
	unsigned layer;             /* index of the layer that holds it (bottom = 0) */
	uint32_t uid, gid;
	uint32_t mtime_ns;
	uint16_t mode;
	enum tar_type type : 8;     /* never TAR_HARDLINK: both names are nodes with the same `inode` */
	bool kids_loaded : 1;       /* false: a loader has yet to fill kids */
	bool kids_sorted : 1;
	bool has_digest : 1;
	bool implied : 1;           /* no entry named this directory */
	bool partial : 1;           /* DIR: not all in it is in the view's scope */
};

struct fsview {
	struct arena arena;
	struct fsnode *root;
	/* For a view that is read on demand: fills dir's kids. NULL when all is loaded. */
	int (*load)(struct fsview *v, struct fsnode *dir, struct err *e);
	/* One child of a directory that is not loaded, *ret NULL when there is none; may be NULL. Those that were found
	 * stay the same nodes when the directory is loaded. */
	int (*find)(struct fsview *v, struct fsnode *dir, const char *name, struct fsnode **ret, struct err *e);
	void *load_ctx; /* borrowed */
	uint64_t next_inode;
	struct fsnode **table;      /* children by (directory, name); owned */
	size_t table_size, n_nodes;
	uint64_t hash_key[2];
	/* Of a view of a part: what is looked for outside of it is an error, and is in `missed`. */
	struct list_scope scope;
	const char *missed;         /* "": all is wanted */
};

void fsview_init(struct fsview *v);   /* a root directory 0755 0:0 and nothing else */
void fsview_fini(struct fsview *v);
/* Of an empty view: its layers will be listings of that scope. Links on the way may lead out of it. */
void fsview_narrow(struct fsview *v, struct list_scope *scope /* taken */);
/* -1, with what is missed, when a link on the way to a path, or the last one, leads out of the scope. */
int fsview_check(struct fsview *v, const char *path, struct err *e);
/* Notes that the path is outside of the scope; -1. */
int fsview_miss(struct fsview *v, const char *path, struct err *e);

/*
 * Puts a layer on top. Whiteouts and opaque markers act on what is below it only, wherever they stand in the listing;
 * links on the way to an entry are followed, as the programs do that will unpack the image. Layers come in the order
 * of their numbers.
 */
int fsview_apply(struct fsview *v, const struct listing *l, unsigned layer, struct err *e);

/* A new child of dir (which must not have one of that name); the caller fills the rest. */
struct fsnode *fsview_add(struct fsview *v, struct fsnode *dir, const char *name);
/* For loaders: puts a node into its directory; the arena is the view's, or will be. */
void fsnode_add_kid(struct arena *arena, struct fsnode *dir, struct fsnode *kid);
/* Takes a node out, with all below it. What is put there later is a new node. */
void fsview_detach(struct fsview *v, struct fsnode *node);
/* Brings the kids in order. */
void fsnode_sort(struct fsnode *dir);
/* The last one, when the others are. */
void fsnode_sort_last(struct fsnode *dir);
/* Loads if needed and sorts. */
int fsview_kids(struct fsview *v, struct fsnode *dir, struct err *e);
/* Child by name, or NULL; -1 only when loading fails. */
int fsview_child(struct fsview *v, struct fsnode *dir, const char *name, struct fsnode **ret, struct err *e);

/*
 * The node `path` names; *ret NULL when there is none (a component is missing, or is no directory: *ret_errno ENOENT or
 * ENOTDIR or ELOOP; may be NULL). follow_last: a link in the last place is followed too.
 */
int fsview_lookup(struct fsview *v, const char *path, bool follow_last, struct fsnode **ret, int *ret_errno,
		  struct err *e);

/* The target of a link or the number of a device, as the node's type wants it; the text is copied. */
void fsnode_set_kind(struct arena *arena, struct fsnode *n, const char *link, uint32_t major, uint32_t minor);
/* Path from the root, no leading slash, "" for the root; the caller owns it. */
char *fsnode_path(const struct fsnode *n);

#endif
