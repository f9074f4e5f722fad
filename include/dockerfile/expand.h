/* Variable expansion in the words of instructions (SEMANTICS section 6). */
#ifndef NACRE_DOCKERFILE_EXPAND_H
#define NACRE_DOCKERFILE_EXPAND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/vec.h"

struct df_scope {
	const struct strv *env;   /* NAME=VALUE; borrowed */
	char escape;
	struct strv *undefined;   /* names that were used and not set are appended (once each); may be NULL */
	bool *unknown;            /* not NULL: names that are not in env may be set to anything; true when one was used */
};
/* Quotes are processed and removed. The caller owns *ret. ERR_PARSE without a line: the caller adds it. */
int df_expand(const struct df_scope *s, const char *word, char **ret, struct err *e);
/* The same, then split into words at blanks that were not quoted (EXPOSE). */
int df_expand_words(const struct df_scope *s, const char *word, struct strv *ret, struct err *e);
/* Heredoc bodies: quotes stay as they are, backslash is the escape whatever the file says (HERE-07). */
int df_expand_body(const struct df_scope *s, const char *body, char **ret, struct err *e);

#endif
