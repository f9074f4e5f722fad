/* Which files of a context an ignore file hides. */
#ifndef NACRE_DOCKERFILE_IGNORE_H
#define NACRE_DOCKERFILE_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

/* .dockerignore (SEMANTICS section 15) and --exclude patterns */
struct df_ignore;
/* `name` for messages. *ret NULL-safe to free; an empty file gives a matcher that excludes nothing. */
int df_ignore_parse(const char *bytes, size_t n, const char *name, struct df_ignore **ret, struct err *e);
int df_ignore_from_patterns(const struct strv *patterns, struct df_ignore **ret, struct err *e);
/* The same patterns (borrowed from i) for another thread: asking writes to what a matcher remembers. */
struct df_ignore *df_ignore_twin(const struct df_ignore *i);
void df_ignore_free(struct df_ignore *i);
/* path relative, cleaned, no leading slash. The last matching line decides; a match on a parent directory counts.
 * *ret_line (may be NULL) gets the number of the deciding line, 0 when none matched. */
bool df_ignored(const struct df_ignore *i, const char *path, int *ret_line);
/* The pattern of a line as it was written, without blanks around it; NULL: the line has none. */
const char *df_ignore_rule(const struct df_ignore *i, int line);
/* False when nothing below an ignored directory can be re-included by a "!" line: it need not be read. */
bool df_ignore_may_reinclude(const struct df_ignore *i, const char *dir);
bool df_ignore_has_exceptions(const struct df_ignore *i); /* there is a "!" line */
bool df_ignore_is_total(const struct df_ignore *i); /* a line is "*" or "**": it matches every name */

#endif
