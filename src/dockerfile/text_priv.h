/*
 * Characters as the language sees them: UTF-8, blanks by Unicode where Go's unicode.IsSpace is used, ASCII blanks where
 * the words of an instruction are split.
 */
#ifndef NACRE_SRC_DOCKERFILE_TEXT_H
#define NACRE_SRC_DOCKERFILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* Decodes the character at p (n > 0 bytes left) and returns its length; a byte that is no UTF-8 is U+FFFD, length 1. */
size_t text_char(const char *p, size_t n, uint32_t *ret);

bool text_is_space(uint32_t c);       /* Unicode white space */
bool text_is_name_char(uint32_t c);   /* letter, digit or underscore: what a variable's name is made of */
bool text_is_blank(char c);           /* tab, vertical tab, form feed, carriage return, space */

/* A stretch of bytes inside a longer string; borrowed. */
struct span {
	const char *p;
	size_t n;
};
struct span span_of(const char *s);
struct span span_trim_left(struct span s);   /* Unicode white space */
struct span span_trim(struct span s);
bool span_eq(struct span s, const char *text);
bool span_starts(struct span s, const char *prefix);
bool span_to_bool(struct span s, bool *ret); /* as Go's strconv.ParseBool; false when it is neither */
const char *span_dup(struct arena *a, struct span s);

/* Takes the bytes up to the first blank off the front of *s, and the blanks after them. */
struct span span_take_word(struct span *s);

/* Moves what a VEC holds into the arena: from then on it cannot grow and must not be freed. */
#define vec_to_arena(arena, vec) do { \
	if ((vec)->n) { \
		void *moved_ = arena_alloc(arena, (vec)->n * sizeof *(vec)->v); \
		memcpy(moved_, (vec)->v, (vec)->n * sizeof *(vec)->v); \
		free((vec)->v); \
		(vec)->v = moved_; \
	} else { \
		free((vec)->v); \
		(vec)->v = NULL; \
	} \
	(vec)->cap = (vec)->n; \
} while (0)

#endif
