/* Reads the directories of a context that lies in a directory into its view: names in order, what is ignored left out. */
#ifndef NACRE_BUILD_CONTEXT_SCAN_PRIV_H
#define NACRE_BUILD_CONTEXT_SCAN_PRIV_H

#include "build_priv.h"

/* fsview's loader: one directory. load_ctx is the context. */
int context_scan(struct fsview *v, struct fsnode *dir, struct err *e);
/* fsview's finder: one name. Of a file system that does not tell capitals from small letters, any spelling is one. */
int context_find(struct fsview *v, struct fsnode *dir, const char *name, struct fsnode **ret, struct err *e);
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
