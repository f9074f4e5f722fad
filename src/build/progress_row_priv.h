/* Lines that fit a terminal: how many columns a text takes, and as much of it as a width allows. */
#ifndef NACRE_SRC_BUILD_PROGRESS_ROW_PRIV_H
#define NACRE_SRC_BUILD_PROGRESS_ROW_PRIV_H

#include "base/str.h"

/* Columns of printable UTF-8, as terminals count: East Asian wide characters two, marks above others none. */
size_t text_columns(const char *text, size_t n);
/* Appends what fits; where it does not, "..." takes the place of the end. Returns the columns it took. */
size_t text_cut(struct str *out, const char *text, size_t n, size_t columns);
/* What a line leaves on a terminal, in printable characters: behind its last carriage return, tabs widened. */
void text_flatten(struct str *out, const char *text, size_t n);

#endif
