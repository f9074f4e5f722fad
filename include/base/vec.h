/*
 * Growing arrays.
 *
 *   VEC(struct thing) things = {0};
 *   struct thing *t = vec_add(&things);      a new zeroed element
 *   vec_push(&things, value);
 *   for (size_t i = 0; i < things.n; i++) … things.v[i] …
 *   vec_fini(&things);                       frees the array, not what its elements own
 *
 * Adding moves elements: keep indices, not pointers.
 */
#ifndef NACRE_BASE_VEC_H
#define NACRE_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define VEC(T) struct { T *v; size_t n, cap; }

#define vec_reserve(vec, more) do { \
	if ((vec)->n + (more) > (vec)->cap) { \
		(vec)->cap = (vec)->cap * 2 > (vec)->n + (more) ? (vec)->cap * 2 : (vec)->n + (more) + 4; \
		(vec)->v = x_realloc((vec)->v, (vec)->cap, sizeof *(vec)->v); \
	} \
} while (0)

#define vec_add(vec) ({ \
	vec_reserve(vec, 1); \
	memset(&(vec)->v[(vec)->n], 0, sizeof *(vec)->v); \
	&(vec)->v[(vec)->n++]; \
})

#define vec_push(vec, item) do { vec_reserve(vec, 1); (vec)->v[(vec)->n++] = (item); } while (0)

#define vec_fini(vec) do { free((vec)->v); (vec)->v = NULL; (vec)->n = (vec)->cap = 0; } while (0)

/* A list of owned strings; v has room for a closing NULL that strv_argv puts there. */
struct strv {
	char **v; /* owned, and each string too */
	size_t n, cap;
};
void strv_push(struct strv *l, const char *s);          /* copied */
void strv_push_taken(struct strv *l, char *s);          /* taken */
void strv_pushf(struct strv *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strv_copy(struct strv *to, const struct strv *from); /* appends copies */
bool strv_has(const struct strv *l, const char *s);
char **strv_argv(struct strv *l);                       /* NULL-terminated, borrowed */
char *strv_join(const struct strv *l, const char *between); /* the caller owns it */
void strv_clear(struct strv *l);
void strv_fini(struct strv *l);

/*
 * A list of NAME=VALUE strings as in an image's Env: a name set again is replaced in place, so the order of first
 * appearance is kept (ENV-01).
 */
const char *env_get(const struct strv *env, const char *name);  /* value, borrowed; NULL when unset */
void env_set(struct strv *env, const char *name, const char *value);
void env_unset(struct strv *env, const char *name);

#endif
