#include "archive/stream.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/*
 * A ring of chunks. The producer fills chunk (first + ready) % CHUNKS without the lock, for only it touches that one;
 * the thread empties chunk `first` without the lock, for it counts as ready until it is done with.
 *
 * The thread starts with the first full chunk: most layers are smaller than one and do without.
 */
enum { CHUNKS = 8, CHUNK = 256 << 10 };

struct thread_sink {
	struct sink base;
	pthread_t thread;
	bool running;
	bool refused;         /* there can be no thread (RLIMIT_NPROC, a pids cgroup): the same bytes, only later */
	pthread_mutex_t lock; /* of everything below it */
	pthread_cond_t changed;
	unsigned first, ready;
	bool closed;      /* no more chunks will come */
	bool abandoned;   /* and those that are there do not matter */
	struct err error; /* of the sink below, from the thread */
	struct chunk {
		char *buf; /* owned; CHUNK bytes */
		size_t n;
	} ring[CHUNKS];
	struct chunk *filling; /* into ring; the producer's */
};

/* Waits for a chunk; NULL when there will be none. The thread's side. */
static struct chunk *chunk_wait(struct thread_sink *t)
{
	pthread_mutex_lock(&t->lock);
	while (t->ready == 0 && !t->closed)
		pthread_cond_wait(&t->changed, &t->lock);
	struct chunk *c = t->ready && !t->abandoned ? &t->ring[t->first] : NULL;
	pthread_mutex_unlock(&t->lock);
	return c;
}

static void chunk_done(struct thread_sink *t, const struct err *error)
{
	pthread_mutex_lock(&t->lock);
	t->first = (t->first + 1) % CHUNKS;
	t->ready--;
	t->error = *error;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static void *thread_main(void *ctx)
{
	struct thread_sink *t = ctx;
	struct err error = { 0 };
	struct chunk *c;
	while (error.kind == ERR_NONE && (c = chunk_wait(t))) {
		if (sink_write(t->base.below, c->buf, c->n, &error) == 0)
			c->n = 0;
		chunk_done(t, &error);
	}
	return NULL;
}

/* With all signals blocked, so that the process's handlers keep running in its first thread. */
static void thread_start(struct thread_sink *t)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&t->thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	t->running = !failed;
	t->refused = failed;
	if (failed) {
		log_debug("no thread for compression: %s", strerror(failed));
		return;
	}
	for (size_t i = 1; i < CHUNKS; i++)
		t->ring[i].buf = x_alloc(CHUNK);
}

static int chunk_write(struct thread_sink *t, struct err *e)
{
	size_t n = t->filling->n;
	t->filling->n = 0;
	return sink_write(t->base.below, t->filling->buf, n, e);
}

/* Hands the chunk over and waits for an empty one. */
static int chunk_pass(struct thread_sink *t, struct err *e)
{
	if (!t->running && !t->refused)
		thread_start(t);
	if (!t->running)
		return chunk_write(t, e);
	pthread_mutex_lock(&t->lock);
	t->ready++;
	pthread_cond_signal(&t->changed);
	while (t->ready == CHUNKS)
		pthread_cond_wait(&t->changed, &t->lock);
	bool failed = t->error.kind != ERR_NONE;
	if (failed)
		*e = t->error;
	else
		t->filling = &t->ring[(t->first + t->ready) % CHUNKS];
	pthread_mutex_unlock(&t->lock);
	return failed ? -1 : 0;
}

static int thread_sink_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	struct thread_sink *t = (struct thread_sink *)s;
	const char *p = bytes;
	while (n) {
		struct chunk *c = t->filling;
		size_t part = n < CHUNK - c->n ? n : CHUNK - c->n;
		memcpy(c->buf + c->n, p, part);
		c->n += part;
		p += part;
		n -= part;
		if (c->n == CHUNK && chunk_pass(t, e) < 0)
			return -1;
	}
	return 0;
}

static void thread_end(struct thread_sink *t, bool abandon)
{
	if (!t->running)
		return;
	pthread_mutex_lock(&t->lock);
	t->closed = true;
	t->abandoned = abandon;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	t->running = false;
}

static int thread_sink_finish(struct sink *s, struct err *e)
{
	struct thread_sink *t = (struct thread_sink *)s;
	if (!t->running)
		return chunk_write(t, e);
	if (t->filling->n && chunk_pass(t, e) < 0)
		return -1;
	thread_end(t, false);
	if (t->error.kind == ERR_NONE)
		return 0;
	*e = t->error;
	return -1;
}

static void thread_sink_free(struct sink *s)
{
	struct thread_sink *t = (struct thread_sink *)s;
	thread_end(t, true);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	for (size_t i = 0; i < CHUNKS; i++)
		free(t->ring[i].buf);
	free(t);
}

struct sink *sink_thread(struct sink *below)
{
	struct thread_sink *t = x_alloc(sizeof *t);
	t->base = (struct sink){
		.write = thread_sink_write,
		.finish = thread_sink_finish,
		.free = thread_sink_free,
		.below = below,
	};
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	t->filling = &t->ring[0];
	t->filling->buf = x_alloc(CHUNK);
	return &t->base;
}
