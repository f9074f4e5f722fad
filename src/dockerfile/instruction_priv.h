/* One logical line into one instruction. */
#ifndef NACRE_SRC_DOCKERFILE_INSTRUCTION_H
#define NACRE_SRC_DOCKERFILE_INSTRUCTION_H

#include "dockerfile/parse.h"
#include "lexer_priv.h"

/*
 * Parses a line and reads the heredocs that belong to it from the lexer. Errors have no line. The arrays of *ret are on
 * the heap until instruction_settle moves them to the arena.
 */
int instruction_parse(struct lexer *lx, const struct logical_line *line, struct df_instruction *ret, struct err *e);
void instruction_settle(struct df_instruction *in, struct arena *arena);
void instruction_fini(struct df_instruction *in); /* only before it was settled */

/* The rules of each instruction about its flags and arguments. */
int instruction_check(struct df_instruction *in, struct arena *arena, struct err *e);

#endif
