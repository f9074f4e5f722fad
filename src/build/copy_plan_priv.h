/* The plan in the making, shared by copy_plan.c and copy_archive.c. */
#ifndef NACRE_BUILD_COPY_PLAN_PRIV_H
#define NACRE_BUILD_COPY_PLAN_PRIV_H

#include "copy_priv.h"
#include "oci/inode_map.h"

struct plan {
	struct build *build;
	struct fsview *dest;
	const struct copy_spec *spec;   /* NULL for WORKDIR */
	struct df_ignore *exclude;
	const struct copy_owner *owner;
	uint32_t made_mode;             /* of directories made on the way */
	int64_t made_time;
	struct copy_owner made_owner;
	struct fsnode *jail;            /* the root for links and ".."; NULL: the destination's own */
	bool look_only;                 /* nothing is made: what is missing is *ret NULL */
	struct copy_from *image;        /* what lies below the destination; NULL: nothing */
	struct copy_from *from;         /* of the match in hand */
	struct inode_map links;         /* of that match: inode of the source -> inode given in the destination */
};

/* Remembers that a node is to be written, and that something below each of its parents is. */
struct copy_mark *plan_mark(struct plan *p, struct fsnode *n);

/*
 * Walks `path` in the destination, links followed inside the root, missing directories made. When dir_only, the last
 * component is a directory too. Otherwise *ret is what is there, or NULL and *ret_parent and *ret_name say where it
 * would be. In a jail a link must lead to what is there.
 */
int plan_resolve(struct plan *p, const char *path, bool dir_only, struct fsnode **ret, struct fsnode **ret_parent,
		 char **ret_name, struct err *e);

/* 1: the file was an archive and is unpacked; 0: it is none; -1. */
int plan_archive(struct plan *p, const struct copy_match *match, struct err *e);

#endif
