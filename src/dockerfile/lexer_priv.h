/* Physical lines into logical ones: comments, continuations, escape character (SEMANTICS sections 1 and 2). */
#ifndef NACRE_SRC_DOCKERFILE_LEXER_H
#define NACRE_SRC_DOCKERFILE_LEXER_H

#include "base/err.h"
#include "base/vec.h"
#include "directive_priv.h"
#include "dockerfile/parse.h"
#include "text_priv.h"

/* A stretch of a joined line and where it stands in the file. */
struct piece {
	size_t start;               /* its first byte in `text` */
	struct df_pos at;
};

struct logical_line {
	const char *text;           /* continuations joined; in the arena */
	int first, last;            /* physical lines, from 1 */
	int empty_continuation;     /* `last` when a blank line stood inside, else 0 */
	VEC(struct piece) pieces;   /* in order; owned */
	VEC(struct df_comment) comments; /* directly above; owned */
};

struct lexer {
	struct arena *arena;        /* borrowed */
	VEC(struct span) lines;     /* physical lines with their line ends; borrowed from the input */
	bool detached;              /* the text is not a file: places in it say nothing */
	size_t next;                /* index of the first unread one, so also the number of lines read */
	struct directives directives;
};

/* Cuts the input into physical lines. Errors have a line. */
int lexer_init(struct lexer *lx, struct arena *arena, const char *bytes, size_t n, struct err *e);
void lexer_fini(struct lexer *lx);

/* 1 and the next instruction's line, 0 at the end of the file, -1. */
int lexer_next(struct lexer *lx, struct logical_line *ret, struct err *e);
void logical_line_fini(struct logical_line *l);
/* Where in the file the byte `offset` of the text stands. */
struct df_pos logical_line_at(const struct logical_line *l, size_t offset);

/* The next physical line as it is (HERE-05); false at the end of the file. */
bool lexer_raw_line(struct lexer *lx, struct span *ret);

struct span line_without_end(struct span line);

#endif
