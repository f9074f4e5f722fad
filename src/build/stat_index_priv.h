/*
 * What the files of a context held when they were last read: inode, size, times and digest, so that a cached rebuild
 * reads no contents. Kept in the store as context/HEX: "nacre-context 3\n", then entries as they are in memory, for
 * 100,000 files are asked in each build (a store file has a sum, so those of another byte order are not believed).
 *
 * A file is believed unchanged when all of these agree (ctime cannot be set back by a user). One that was changed
 * within the clock's granularity of when its reading began is not entered: a later write could leave the same times (git
 * calls such an entry racy). A path is there as 64 bits of a hash: of two paths with one hash, one is read every time.
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

/* The index of the context at this (absolute) path; empty when there is none yet. It is read when first asked. */
struct stat_index *stat_index_open(struct store *s, const char *path);
/* What it is called in the store: other names, other contexts. */
const char *stat_index_name(const struct stat_index *x);
/* Many files: reading it is dearer than a process. */
bool stat_index_is_large(const struct stat_index *x);
/* Reads it now, so that threads may ask. */
void stat_index_load(struct stat_index *x);
bool stat_index_find(struct stat_index *x, const char *path, const struct stat *st, struct digest *ret);
/* Whether a write from now on leaves other times: asked before a file is read. */
bool stat_index_is_settled(const struct stat *st);
/* Of a file that is settled; another one is not entered. */
void stat_index_add(struct stat_index *x, const char *path, const struct stat *st, const struct digest *d);
/* For threads: into a list of their own, to be merged. The file was settled before it was read. */
void stat_index_note(const char *path, const struct stat *st, const struct digest *d, struct str *out);
/* How much was added since opening, and what since it was `from`, for the index of another process. */
size_t stat_index_added(const struct stat_index *x);
void stat_index_give(const struct stat_index *x, size_t from, struct str *out);
void stat_index_merge(struct stat_index *x, const char *given, size_t n);
/* Writes it back when something was added. */
int stat_index_save(struct stat_index *x, struct err *e);
void stat_index_free(struct stat_index *x);

#endif
