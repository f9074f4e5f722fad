/*
 * Files with holes. An archive holds the spans of data one after another and a map of where they belong, in one of
 * four forms: in the header itself (old GNU), as pax records (GNU.sparse 0.0 and 0.1), as text before the data (1.0).
 * GNU tar manual, "Sparse Formats".
 */
#ifndef NACRE_SRC_ARCHIVE_SPARSE_PRIV_H
#define NACRE_SRC_ARCHIVE_SPARSE_PRIV_H

#include <stdint.h>

#include "archive/stream.h"
#include "base/vec.h"
#include "tar_priv.h"

struct span { uint64_t offset, len; };
struct spans { struct span *v; size_t n, cap; };

/* Each adds a span; ERR_LIMIT when there are too many. */
int spans_add(struct spans *l, uint64_t offset, uint64_t len, const char *name, struct err *e);
/* In order, apart, inside realsize, and together exactly `stored` bytes; else ERR_SPEC. */
int spans_check(const struct spans *l, uint64_t realsize, uint64_t stored, const char *name, struct err *e);

/* The map of an old GNU member: in its header, and in the blocks read from `in`. */
int sparse_read_old(const struct tar_header *h, struct source *in, const char *name, struct spans *ret,
		    uint64_t *ret_realsize, struct err *e);
/* "OFFSET,LEN,OFFSET,LEN…" of form 0.1. */
int sparse_parse_list(const char *text, const char *name, struct spans *ret, struct err *e);
/* The text before the data of form 1.0; takes the blocks it reads off *stored. */
int sparse_read_text(struct source *in, uint64_t *stored, const char *name, struct spans *ret, struct err *e);

#endif
