#include "archive/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

enum { SCRATCH = 16 << 10 };

ssize_t source_read(struct source *s, void *buf, size_t n, struct err *e)
{
	return s->read(s, buf, n, e);
}

int source_read_exactly(struct source *s, void *buf, size_t n, const char *name, struct err *e)
{
	char *p = buf;
	while (n) {
		ssize_t got = source_read(s, p, n, e);
		if (got < 0)
			return -1;
		if (got == 0)
			return err_set(e, ERR_SPEC, "%s ends early", name);
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

int source_skip(struct source *s, uint64_t n, const char *name, struct err *e)
{
	char scratch[SCRATCH];
	while (n) {
		size_t part = n < sizeof scratch ? (size_t)n : sizeof scratch;
		if (source_read_exactly(s, scratch, part, name, e) < 0)
			return -1;
		n -= part;
	}
	return 0;
}

int source_drain(struct source *s, struct err *e)
{
	char scratch[SCRATCH];
	for (;;) {
		ssize_t got = source_read(s, scratch, sizeof scratch, e);
		if (got <= 0)
			return (int)got;
	}
}

void source_free(struct source *s)
{
	if (s)
		s->free(s);
}

void source_drop(struct source **s)
{
	source_free(ptr_take(s));
}

struct fd_source {
	struct source base;
	int fd;     /* borrowed */
	char *name; /* owned */
};

static ssize_t fd_source_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct fd_source *f = (struct fd_source *)s;
	ssize_t got = fd_read(f->fd, buf, n);
	return got < 0 ? err_sys(e, "read %s", f->name) : got;
}

static void fd_source_free(struct source *s)
{
	struct fd_source *f = (struct fd_source *)s;
	free(f->name);
	free(f);
}

struct source *source_fd(int fd, const char *name)
{
	struct fd_source *f = x_alloc(sizeof *f);
	f->base = (struct source){ fd_source_read, fd_source_free };
	f->fd = fd;
	f->name = x_strdup(name);
	return &f->base;
}

struct mem_source {
	struct source base;
	const char *at; /* borrowed */
	size_t left;
};

static ssize_t mem_source_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct mem_source *m = (struct mem_source *)s;
	size_t part = n < m->left ? n : m->left;
	if (part)
		memcpy(buf, m->at, part);
	m->at += part;
	m->left -= part;
	return (ssize_t)part;
}

static void mem_source_free(struct source *s)
{
	free(s);
}

struct source *source_mem(const void *bytes, size_t n)
{
	struct mem_source *m = x_alloc(sizeof *m);
	m->base = (struct source){ mem_source_read, mem_source_free };
	m->at = bytes;
	m->left = n;
	return &m->base;
}

struct limit_source {
	struct source base;
	struct source *below; /* owned */
	uint64_t left, max;
	char *name; /* owned */
};

static ssize_t limit_source_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct limit_source *l = (struct limit_source *)s;
	ssize_t got = source_read(l->below, buf, n, e);
	if (got < 0)
		return -1;
	if ((uint64_t)got > l->left)
		return err_set(e, ERR_LIMIT, "%s is larger than %llu bytes", l->name, (unsigned long long)l->max);
	l->left -= (uint64_t)got;
	return got;
}

static void limit_source_free(struct source *s)
{
	struct limit_source *l = (struct limit_source *)s;
	source_free(l->below);
	free(l->name);
	free(l);
}

struct source *source_limit(struct source *below, uint64_t max, const char *name)
{
	struct limit_source *l = x_alloc(sizeof *l);
	l->base = (struct source){ limit_source_read, limit_source_free };
	l->below = below;
	l->left = l->max = max;
	l->name = x_strdup(name);
	return &l->base;
}

struct digest_source {
	struct source base;
	struct source *below; /* owned */
	struct sha *sha;      /* borrowed */
	uint64_t *count;      /* borrowed, or NULL */
};

static ssize_t digest_source_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct digest_source *d = (struct digest_source *)s;
	ssize_t got = source_read(d->below, buf, n, e);
	if (got <= 0)
		return got;
	sha_add(d->sha, buf, (size_t)got);
	if (d->count)
		*d->count += (uint64_t)got;
	return got;
}

static void digest_source_free(struct source *s)
{
	struct digest_source *d = (struct digest_source *)s;
	source_free(d->below);
	free(d);
}

struct source *source_digest(struct source *below, struct sha *sha, uint64_t *count)
{
	struct digest_source *d = x_alloc(sizeof *d);
	d->base = (struct source){ digest_source_read, digest_source_free };
	d->below = below;
	d->sha = sha;
	d->count = count;
	return &d->base;
}
