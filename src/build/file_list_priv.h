/*
 * What a content digest was made of, so that two of them can be told apart by file:
 *
 *   source/HEX   a line per file, sorted: PATH<tab>TYPE MODE OWNER SIZE CONTENT
 *
 * HEX is the digest in the key of a COPY, ADD or mount. PATH is escaped for people, OWNER is "-" where it does not
 * count, CONTENT a digest, a link's target or "-". Lists beyond FILE_LIST_MAX are not kept, and those that no log of a
 * build leads to are removed with old logs.
 */
#ifndef NACRE_BUILD_FILE_LIST_PRIV_H
#define NACRE_BUILD_FILE_LIST_PRIV_H

#include "base/digest.h"
#include "copy_priv.h"

enum { FILE_LIST_MAX = 2 << 20 };

/* Keeps the list of a selection whose digest is `content`, unless it is there. Losing it loses an explanation only. */
void file_list_keep(struct store *s, const struct digest *content, const struct copy_selection *sel,
		    const struct copy_spec *spec);

#endif
