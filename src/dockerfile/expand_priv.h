/* The expansion engine with the switches that finding heredocs needs besides ordinary expansion. */
#ifndef NACRE_SRC_DOCKERFILE_EXPAND_H
#define NACRE_SRC_DOCKERFILE_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

struct df_scope;

struct expand_mode {
	bool keep_quotes;   /* quotes are understood and stay in the result */
	bool keep_escapes;  /* escape characters stay in the result */
	bool keep_unset;    /* a variable that is not set stays as it is written */
	bool no_quotes;     /* quotes are ordinary characters (HERE-07) */
	char escape;        /* 0: that of the scope */
	size_t limit;       /* of the result, bytes */
};

/* ret_text and ret_words may each be NULL. */
int expand(const struct df_scope *s, const struct expand_mode *mode, const char *word, struct str *ret_text,
	struct strv *ret_words, struct err *e);

/* ${v#p} ${v##p} ${v%p} ${v%%p}: `op` is '#' or '%'. The result is appended to out. */
int expand_trim(const char *value, const char *pattern, char op, bool longest, struct str *out, struct err *e);
/* ${v/p/r} ${v//p/r} */
int expand_replace(const char *value, const char *pattern, const char *by, bool all, size_t limit, struct str *out,
	struct err *e);

#endif
