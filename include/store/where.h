/* What the file system under a store does to it. */
#ifndef NACRE_STORE_WHERE_H
#define NACRE_STORE_WHERE_H

#include <stdbool.h>

#include "base/vec.h"

struct store;

/* Appends a line for each consequence; none where there is nothing to say. */
void store_where(struct store *s, struct strv *ret);
/* The same once for each store and type of file system; false later. */
bool store_where_news(struct store *s, struct strv *ret);
/* Whether files can have user.* xattrs there. */
bool store_has_xattrs(struct store *s);

#endif
