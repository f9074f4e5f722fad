/* Parser directives: the "# name=value" lines at the top of the file (SEMANTICS section 2). */
#ifndef NACRE_SRC_DOCKERFILE_DIRECTIVE_H
#define NACRE_SRC_DOCKERFILE_DIRECTIVE_H

#include <stdbool.h>

#include "base/err.h"
#include "dockerfile/parse.h"
#include "text_priv.h"

struct directives {
	char escape;          /* '\\' or '`' */
	const char *syntax;   /* in the arena, or NULL */
	const char *check;
	struct df_pos check_at;
	unsigned seen;        /* names met so far, by bit */
	bool done;            /* the block is over */
};

void directives_init(struct directives *d);

/* Finds syntax and check, which only count with "#" in the first column and may follow a "#!" line (DIR-04, DIR-05). */
void directives_detect(struct directives *d, struct arena *arena, const struct span *lines, size_t n);

/* Looks at one line, indentation removed, while the block lasts; a second directive of one name is an error. *ret_fault
 * is the part of the line that an error is about. */
int directives_line(struct directives *d, struct span line, int number, bool *ret_is_directive, struct span *ret_fault,
		    struct err *e);

#endif
