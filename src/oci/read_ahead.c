#include "read_ahead_priv.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/*
 * A ring of chunks: the thread fills (first + ready) % CHUNKS without the lock, for only it touches that one; the
 * reader empties `first` without the lock, for it counts as ready until it is empty.
 */
enum { CHUNKS = 8, CHUNK = 256 << 10 };

struct read_ahead {
	struct source base;
	struct source *below;   /* owned */
	pthread_t thread;
	pthread_mutex_t lock;   /* of ready, ended, stop and error */
	pthread_cond_t changed;
	unsigned first, ready;
	bool ended;             /* the thread puts no more chunks */
	bool stop;              /* the reader wants no more */
	struct err error;       /* why it ended; ERR_NONE = end of the source */
	size_t taken;           /* of the first chunk; the reader's */
	struct chunk {
		char *buf;      /* owned; CHUNK bytes */
		size_t n;
	} ring[CHUNKS];
};

static struct chunk *empty_chunk(struct read_ahead *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->ready == CHUNKS && !r->stop)
		pthread_cond_wait(&r->changed, &r->lock);
	struct chunk *c = r->stop ? NULL : &r->ring[(r->first + r->ready) % CHUNKS];
	pthread_mutex_unlock(&r->lock);
	return c;
}

static void chunk_filled(struct read_ahead *r, bool any, bool end, const struct err *error)
{
	pthread_mutex_lock(&r->lock);
	r->ready += any ? 1 : 0;
	r->ended = end;
	r->error = *error;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void *thread_main(void *ctx)
{
	struct read_ahead *r = ctx;
	struct err error = { 0 };
	struct chunk *c;
	bool end = false;
	while (!end && (c = empty_chunk(r))) {
		for (c->n = 0; c->n < CHUNK;) {
			ssize_t n = source_read(r->below, c->buf + c->n, CHUNK - c->n, &error);
			end = n <= 0;
			if (end)
				break;
			c->n += (size_t)n;
		}
		chunk_filled(r, c->n > 0, end, &error);
	}
	return NULL;
}

/* The first full chunk; NULL at the end or on failure. */
static struct chunk *full_chunk(struct read_ahead *r)
{
	pthread_mutex_lock(&r->lock);
	while (!r->ready && !r->ended)
		pthread_cond_wait(&r->changed, &r->lock);
	struct chunk *c = r->ready ? &r->ring[r->first] : NULL;
	pthread_mutex_unlock(&r->lock);
	return c;
}

static void chunk_emptied(struct read_ahead *r)
{
	r->taken = 0;
	pthread_mutex_lock(&r->lock);
	r->first = (r->first + 1) % CHUNKS;
	r->ready--;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static ssize_t read_ahead_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct read_ahead *r = (struct read_ahead *)s;
	struct chunk *c = full_chunk(r);
	if (!c && r->error.kind == ERR_NONE)
		return 0;
	if (!c) {
		*e = r->error;
		return -1;
	}
	size_t part = n < c->n - r->taken ? n : c->n - r->taken;
	memcpy(buf, c->buf + r->taken, part);
	r->taken += part;
	if (r->taken == c->n)
		chunk_emptied(r);
	return (ssize_t)part;
}

static void read_ahead_fini(struct read_ahead *r)
{
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	for (size_t i = 0; i < CHUNKS; i++)
		free(r->ring[i].buf);
	free(r);
}

static void read_ahead_free(struct source *s)
{
	struct read_ahead *r = (struct read_ahead *)s;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	source_free(r->below);
	read_ahead_fini(r);
}

/* With all signals blocked, so that the process's handlers keep running in its first thread. */
static int start(struct read_ahead *r)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&r->thread, NULL, thread_main, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

struct source *read_ahead(struct source *below)
{
	struct read_ahead *r = x_alloc(sizeof *r);
	r->base = (struct source){ .read = read_ahead_read, .free = read_ahead_free };
	r->below = below;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	for (size_t i = 0; i < CHUNKS; i++)
		r->ring[i].buf = x_alloc(CHUNK);
	int failed = start(r);
	if (!failed)
		return &r->base;
	/* RLIMIT_NPROC or a pids cgroup: the same bytes, only later. */
	log_debug("no thread for reading a layer: %s", strerror(failed));
	read_ahead_fini(r);
	return below;
}
