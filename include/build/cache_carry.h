/*
 * `nacre cache export` and `import`: step records and what they lead to, carried from one store to another.
 *
 * An export is a directory, or a tar of one, with the names of the store:
 *
 *   nacre-cache                 "nacre-cache 1\n"
 *   blobs/sha256/HEX            layers, and the documents of base images
 *   list/HEX  layer/HEX.json    of those layers
 *   step/HEX.json  base/HEX.json
 *   mount/HEX.tar.zst           a cache mount, with the ids that RUN sees
 */
#ifndef NACRE_BUILD_CACHE_CARRY_H
#define NACRE_BUILD_CACHE_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "store/objects.h"
#include "store/store.h"

struct cache_counts {
	size_t n[OBJECT_KINDS];       /* objects that were written */
	uint64_t bytes[OBJECT_KINDS];
	size_t same;                  /* were there already */
	size_t removed;               /* export: were in the directory and are no longer part of it */
	size_t refused;               /* import: not whole, or not what they must be */
	struct err broken;            /* import: what ended the archive early; ERR_NONE: nothing did */
};

struct cache_report {
	struct cache_counts counts;
	struct str notes; /* a line for each object that was left out */
};
void cache_report_fini(struct cache_report *r);

struct cache_export_options {
	const char *path;     /* a directory, or a file: cache_path_is_file */
	const char *build;    /* "last", or NULL */
	struct strv images;
	bool all;             /* none of the three: the last build */
	bool no_mounts;
};
/* A file when it is one, or when nothing is there yet and the name ends as those of archives do: .tar, .tar.gz, .tar.zst. */
bool cache_path_is_file(const char *path);
/* Replaces a file as a whole; brings a directory up to date. */
int cache_export(struct store *s, const struct cache_export_options *o, struct cache_report *ret, struct err *e);

struct cache_import_options {
	const char *path;
	bool no_mounts, replace;
};
/* Whatever is whole goes into the store; what is not is counted and noted. */
int cache_import(struct store *s, const struct cache_import_options *o, struct cache_report *ret, struct err *e);

#endif
