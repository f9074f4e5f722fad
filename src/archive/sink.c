#include "archive/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

int sink_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	if (s->failed.kind == ERR_NONE) {
		if (s->write(s, bytes, n, &s->failed) == 0)
			return 0;
	}
	*e = s->failed;
	return -1;
}

int sink_finish(struct sink *s, struct err *e)
{
	for (; s; s = s->below) {
		if (s->failed.kind == ERR_NONE && (!s->finish || s->finish(s, &s->failed) == 0))
			continue;
		*e = s->failed;
		return -1;
	}
	return 0;
}

void sink_free(struct sink *s)
{
	while (s) {
		struct sink *below = s->below;
		s->free(s);
		s = below;
	}
}

void sink_drop(struct sink **s)
{
	sink_free(ptr_take(s));
}

enum { FD_BUFFER = 256 << 10 };

struct fd_sink {
	struct sink base;
	int fd;     /* borrowed */
	char *name; /* owned */
	char *buf;  /* owned; FD_BUFFER bytes */
	size_t n;
	uint64_t written;
};

static int put(struct fd_sink *f, const void *bytes, size_t n, struct err *e)
{
	if (fd_write_all(f->fd, bytes, n, f->name, e) < 0)
		return -1;
	f->written += n;
	fd_write_behind(f->fd, f->written, n);
	return 0;
}

static int fd_sink_flush(struct sink *s, struct err *e)
{
	struct fd_sink *f = (struct fd_sink *)s;
	size_t n = f->n;
	f->n = 0;
	return put(f, f->buf, n, e);
}

static int fd_sink_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	struct fd_sink *f = (struct fd_sink *)s;
	if (n > FD_BUFFER - f->n && fd_sink_flush(s, e) < 0)
		return -1;
	if (n >= FD_BUFFER)
		return put(f, bytes, n, e);
	if (n)
		memcpy(f->buf + f->n, bytes, n);
	f->n += n;
	return 0;
}

static void fd_sink_free(struct sink *s)
{
	struct fd_sink *f = (struct fd_sink *)s;
	free(f->name);
	free(f->buf);
	free(f);
}

struct sink *sink_fd(int fd, const char *name)
{
	struct fd_sink *f = x_alloc(sizeof *f);
	f->base = (struct sink){ .write = fd_sink_write, .finish = fd_sink_flush, .free = fd_sink_free };
	f->fd = fd;
	f->name = x_strdup(name);
	f->buf = x_alloc(FD_BUFFER);
	return &f->base;
}

struct mem_sink {
	struct sink base;
	struct str *out; /* borrowed */
};

static int mem_sink_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	str_addn(((struct mem_sink *)s)->out, bytes, n);
	return 0;
}

static void plain_free(struct sink *s)
{
	free(s);
}

struct sink *sink_mem(struct str *out)
{
	struct mem_sink *m = x_alloc(sizeof *m);
	m->base = (struct sink){ .write = mem_sink_write, .free = plain_free };
	m->out = out;
	return &m->base;
}

static int null_sink_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	return 0;
}

struct sink *sink_null(void)
{
	struct sink *s = x_alloc(sizeof *s);
	*s = (struct sink){ .write = null_sink_write, .free = plain_free };
	return s;
}

struct digest_sink {
	struct sink base;
	struct sha *sha; /* borrowed */
	uint64_t *count; /* borrowed, or NULL */
};

static int digest_sink_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	struct digest_sink *d = (struct digest_sink *)s;
	sha_add(d->sha, bytes, n);
	if (d->count)
		*d->count += n;
	return sink_write(s->below, bytes, n, e);
}

struct sink *sink_digest(struct sink *below, struct sha *sha, uint64_t *count)
{
	struct digest_sink *d = x_alloc(sizeof *d);
	d->base = (struct sink){ .write = digest_sink_write, .free = plain_free, .below = below };
	d->sha = sha;
	d->count = count;
	return &d->base;
}
