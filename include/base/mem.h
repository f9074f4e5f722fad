/*
 * Memory: allocation that stops the program when there is none left, and the few words for ownership.
 *
 *   AUTO(fn)     on a local that owns; fn gets its address when the scope ends, and keeps errno
 *   ptr_take     hand a pointer over: yields it and leaves NULL
 *   arena        for what lives as long as one build; freed at once
 *
 * Sizes that come from input are checked before they get here.
 */
#ifndef NACRE_BASE_MEM_H
#define NACRE_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

#define AUTO(fn) __attribute__((cleanup(fn)))

#define ptr_take(p) ({ __auto_type take_ = *(p); *(p) = NULL; take_; })

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

void *x_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));             /* zeroed */
void *x_realloc(void *p, size_t count, size_t size)
	__attribute__((returns_nonnull, warn_unused_result)); /* count * size checked */
char *x_strdup(const char *s) __attribute__((malloc, returns_nonnull, nonnull));
char *x_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
void *x_memdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *x_asprintf(const char *fmt, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* For AUTO: frees what a `T *` local points to. */
void free_drop(void *address_of_pointer);

struct arena {
	struct arena_chunk *chunks; /* owned */
};
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull)); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull, nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((returns_nonnull, format(printf, 2, 3)));
void arena_join(struct arena *to, struct arena *from); /* what `from` has belongs to `to`; from is empty */
void arena_fini(struct arena *a);

#endif
