/* Heredocs (SEMANTICS section 5). */
#ifndef NACRE_SRC_DOCKERFILE_HEREDOC_H
#define NACRE_SRC_DOCKERFILE_HEREDOC_H

#include "dockerfile/parse.h"
#include "lexer_priv.h"
#include "words_priv.h"

/*
 * 1 when the whole word opens a heredoc, 0 when it does not, -1; name, expand, strip_tabs and fd are filled in.
 * A word of a line whose quotes were already found to match gives no error.
 */
int heredoc_from_word(const char *word, struct arena *arena, struct df_heredoc *ret, struct err *e);

/* Finds what opens a heredoc in the line, which is c->base, and reads the bodies that follow it into in->heredocs. */
int heredocs_read(struct lexer *lx, const struct words_ctx *c, struct df_instruction *in, struct err *e);

/* Behind a line that is wrong: the bodies that follow it are no instructions. Those without an end are not skipped. */
void heredocs_skip(struct lexer *lx, const struct words_ctx *c);

#endif
