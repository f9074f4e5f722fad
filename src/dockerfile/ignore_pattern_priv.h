/* One pattern of an ignore file: Go's path.Match, and "**" for any depth (CTX-03). */
#ifndef NACRE_SRC_DOCKERFILE_IGNORE_PATTERN_H
#define NACRE_SRC_DOCKERFILE_IGNORE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"

enum pattern_kind {
	PATTERN_EXACT,   /* no wildcard: the path itself */
	PATTERN_PREFIX,  /* "text**" */
	PATTERN_SUFFIX,  /* "**" + "text" */
	PATTERN_GLOB,
};

struct glob_item;

struct ignore_pattern {
	enum pattern_kind kind;
	bool include;       /* "!pattern" */
	int line;           /* in the file it stands in, from 1 */
	char *written;      /* as the file has it, without blanks around it; NULL: not from a file. owned */
	char *text;         /* cleaned, without "!"; owned */
	VEC(struct glob_item) items;
	size_t literal;     /* length of the text before the first wildcard */
};

/* `text` is taken; it has passed match_syntax_ok. */
void ignore_pattern_init(struct ignore_pattern *p, char *text, bool include, int line);
void ignore_pattern_fini(struct ignore_pattern *p);
bool ignore_pattern_match(const struct ignore_pattern *p, const char *path);

#endif
