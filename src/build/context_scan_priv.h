/* Reads the directories of a context that lies in a directory into its view: names in order, what is ignored left out. */
#ifndef NACRE_BUILD_CONTEXT_SCAN_PRIV_H
#define NACRE_BUILD_CONTEXT_SCAN_PRIV_H

#include "build_priv.h"

/* fsview's loader: one directory. load_ctx is the context. */
int context_scan(struct fsview *v, struct fsnode *dir, struct err *e);
/* fsview's finder: one name. Of a file system that does not tell capitals from small letters, any spelling is one. */
int context_find(struct fsview *v, struct fsnode *dir, const char *name, struct fsnode **ret, struct err *e);
/* What a thread that reads needs. */
struct scan {
	struct context *c;
	struct arena *arena;            /* takes the nodes; borrowed */
	const struct df_ignore *ignore; /* borrowed; NULL: nothing is ignored */
	struct str path;                /* of the entry that is looked at */
	VEC(struct fsnode *) hidden;    /* ignored directories that a "!" line may bring something back from */
	struct str *learned;            /* for the stat index; borrowed; NULL: no contents are read */
	char *buffer;                   /* what they are read into; owned */
};

void scan_fini(struct scan *s);
/* One directory; what it is to its context is read from its node. */
int scan_dir(struct scan *s, struct fsnode *dir, struct err *e);
/* Makes s->path the beginning of those of entries of `dir`; how much of it stays. */
size_t scan_path(struct scan *s, const char *dir);

/* ---- context_crew.c ---- */
/*
 * All that is below, with as many threads as there are processors when it is much. For what will be walked whole;
 * `contents`: files get their digests too. What cannot be read is left unread. Does nothing for an archive or a context
 * with a budget.
 */
void context_scan_all(struct context *c, struct fsnode *dir, bool contents);

enum { CONTEXT_READ = 128 * 1024 };
/*
 * Digest of an open file of a context, read through buf (CONTEXT_READ bytes); `learned` gets what the stat index may
 * believe of it.
 */
int context_hash(int fd, struct fsnode *n, const char *path, char *buf, struct str *learned, struct err *e);

#endif
