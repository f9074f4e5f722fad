/* How the text after an instruction word is cut into arguments (SEMANTICS section 4). All strings go to the arena. */
#ifndef NACRE_SRC_DOCKERFILE_WORDS_H
#define NACRE_SRC_DOCKERFILE_WORDS_H

#include "base/err.h"
#include "dockerfile/parse.h"
#include "lexer_priv.h"
#include "text_priv.h"

struct words_ctx {
	struct arena *arena;
	char escape;
	const struct logical_line *line; /* the text is a part of this one; NULL: it is not from the file */
	const char *base;                /* a byte of the text, and where in the line it stands */
	size_t offset;
};

/* Where a byte of the text, from base onwards, stands in the file. */
struct df_pos words_pos(const struct words_ctx *c, const char *p);

/*
 * Text that is a JSON array becomes in->args: 1, and 0 when it is not one (ARGF-06). A valid array with something
 * other than strings in it is an error.
 */
int words_json(const struct words_ctx *c, struct span text, struct df_instruction *in, struct err *e);

/* Words between blanks, to in->args. */
void words_blanks(const struct words_ctx *c, struct span text, struct df_instruction *in);

/* name[=value] words with quotes, to in->kvs: ARG. */
void words_names(const struct words_ctx *c, struct span text, struct df_instruction *in);

/* name=value words, or the old form "name rest": ENV and LABEL (ARGF-04). */
int words_pairs(const struct words_ctx *c, struct span text, struct df_instruction *in, struct err *e);

/* Takes the --flag words off the front of *text (FLG-01, FLG-03). */
void words_flags(const struct words_ctx *c, struct span *text, struct df_instruction *in);

/* Appends one string to in->args; it was read at `p`. */
void words_add(const struct words_ctx *c, struct span word, const char *p, struct df_instruction *in);

#endif
