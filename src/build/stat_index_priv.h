/*
 * What the files of a context held when they were last read: path, inode, size, times and digest, so that a cached
 * rebuild reads no contents. Kept in the store as context/HEX:
 *   nacre-context 2
 *   INODE SIZE MTIME_NS CTIME_NS DIGEST PATH        (bytes of PATH outside 0x21-0x7e, and "\", as \ooo)
 *
 * A file is believed unchanged when all of these agree (ctime cannot be set back by a user). One that was changed
 * within the clock's granularity of being read is not entered: a later write could leave the same times (git calls
 * such an entry racy).
 */
#ifndef NACRE_BUILD_STAT_INDEX_PRIV_H
#define NACRE_BUILD_STAT_INDEX_PRIV_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

struct stat_index;

/* The index of the context at this (absolute) path; empty when there is none yet. */
struct stat_index *stat_index_load(struct store *s, const char *path);
bool stat_index_find(const struct stat_index *x, const char *path, const struct stat *st, struct digest *ret);
void stat_index_add(struct stat_index *x, const char *path, const struct stat *st, const struct digest *d);
/* What was added since loading, as text, for another process to merge. Borrowed. */
const struct str *stat_index_fresh(const struct stat_index *x);
void stat_index_merge(struct stat_index *x, const char *text);
/* Writes it back when something was added. */
int stat_index_save(struct store *s, struct stat_index *x, struct err *e);
void stat_index_free(struct stat_index *x);

#endif
