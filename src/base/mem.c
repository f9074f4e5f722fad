#include "base/mem.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *must(void *p)
{
	if (!p) {
		static const char text[] = "nacre: out of memory\n";
		(void)!write(STDERR_FILENO, text, sizeof text - 1);
		_exit(1);
	}
	return p;
}

void *x_alloc(size_t size)
{
	return must(calloc(1, size ? size : 1));
}

void *x_realloc(void *p, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		return must(NULL);
	return must(realloc(p, total ? total : 1));
}

char *x_strdup(const char *s)
{
	return must(strdup(s));
}

char *x_strndup(const char *s, size_t n)
{
	char *r = x_alloc(n + 1);
	if (n)
		memcpy(r, s, n);
	return r;
}

void *x_memdup(const void *p, size_t n)
{
	void *r = x_alloc(n);
	if (n)
		memcpy(r, p, n);
	return r;
}

char *x_asprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return must(n < 0 ? NULL : s);
}

void free_drop(void *address_of_pointer)
{
	int saved = errno;
	void **p = address_of_pointer;
	free(*p);
	*p = NULL;
	errno = saved;
}

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	max_align_t data[];
};

enum { ARENA_CHUNK = 32 * 1024 };

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	struct arena_chunk *c = a->chunks;
	if (!c || c->size - c->used < need) {
		size_t room = need > ARENA_CHUNK ? need : ARENA_CHUNK;
		c = x_alloc(sizeof *c + room);
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	void *p = (char *)c->data + c->used;
	c->used += need;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *r = arena_alloc(a, n + 1);
	if (n)
		memcpy(r, s, n);
	return r;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	AUTO(free_drop) char *s = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	must(n < 0 ? NULL : s);
	return arena_strndup(a, s, (size_t)n);
}

void arena_join(struct arena *to, struct arena *from)
{
	struct arena_chunk **end = &to->chunks;
	while (*end)
		end = &(*end)->next;
	*end = ptr_take(&from->chunks);
}

void arena_fini(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
}
