#include "archive/frames.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "compress_priv.h"

/*
 * More threads than THREADS_MAX would wait for the one that hashes. SLACK frames beside those that are compressed: one is
 * filled, one hashed, one written. While no more than SMALL bytes wait, a thread costs more than it saves.
 */
enum { THREADS_MAX = 8, SLACK = 2, SMALL = 256 << 10 };

struct frame {
	uint8_t *raw;  /* owned; FRAME_MAX bytes and one, NULL before its first use */
	uint8_t *out;  /* owned; what `raw` became */
	size_t n, out_n;
	bool has_raw;  /* raw is there, and checked */
	bool has_out;  /* and out */
	bool put;      /* by frames_put: raw is made of out */
	struct frame_check check;
};

/* Counts of frames: what has the number i is in ring[i % ring_n]. written, hashed <= started <= queued. */
struct frames {
	struct sink base;
	struct sha *sha;  /* borrowed, or NULL */
	enum compression how;
	int level;
	struct frame *ring; /* owned */
	unsigned ring_n;
	struct frame *filling; /* into ring; of who writes */
	unsigned threads_max;
	unsigned n_threads;
	bool refused;       /* there can be no thread (RLIMIT_NPROC, a pids cgroup): the same bytes, only later */
	pthread_t thread[THREADS_MAX];

	pthread_mutex_t lock; /* of what follows, and of the has_raw and has_out of frames */
	pthread_cond_t changed;
	uint64_t queued, started, hashed, written;
	size_t waiting;     /* bytes queued and not yet written */
	bool hashing, writing, closed;
	bool misfit;
	struct err error;   /* the first */
	struct packer *idle[THREADS_MAX + 1]; /* owned */
	unsigned n_idle;
};

/* ---- the work; any thread takes what can be done ---- */

enum work { NO_WORK, WRITE, HASH, PACK };

static struct frame *frame_at(struct frames *f, uint64_t i)
{
	return &f->ring[i % f->ring_n];
}

/* What frees a frame comes first. Under the lock. */
static enum work take(struct frames *f, struct frame **ret)
{
	if (f->error.kind != ERR_NONE)
		return NO_WORK;
	if (!f->writing && f->written < f->started && frame_at(f, f->written)->has_out) {
		f->writing = true;
		*ret = frame_at(f, f->written);
		return WRITE;
	}
	if (!f->hashing && f->hashed < f->queued && frame_at(f, f->hashed)->has_raw) {
		f->hashing = true;
		*ret = frame_at(f, f->hashed);
		return HASH;
	}
	if (f->started < f->queued) {
		*ret = frame_at(f, f->started++);
		return PACK;
	}
	return NO_WORK;
}

static struct packer *packer_take(struct frames *f)
{
	return f->n_idle ? f->idle[--f->n_idle] : packer_new(f->how, f->level);
}

static void give_room(uint8_t **buf, size_t n)
{
	if (!*buf)
		*buf = x_realloc(NULL, n, 1);
}

static int misfit(struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "a frame of an earlier layer does not hold what it should");
}

static int unpack(struct frames *f, struct frame *one, struct packer *p, struct err *e)
{
	const struct frame_check *c = &one->check;
	if (!packer_unpack(p, one->out, one->out_n, one->raw, one->n) || (!c->in_order && !c->fn(c->ctx, one->raw, one->n)))
		return misfit(e);
	return 0;
}

static int pack(struct frames *f, struct frame *one, struct packer *p, struct err *e)
{
	if (!p)
		return 0;
	if (one->put)
		return unpack(f, one, p, e);
	give_room(&one->out, p->bound);
	return packer_pack(p, one->raw, one->n, one->out, &one->out_n, e);
}

static int hash(struct frames *f, struct frame *one, struct err *e)
{
	if (f->sha)
		sha_add(f->sha, one->raw, one->n);
	return one->put && one->check.in_order && !one->check.fn(one->check.ctx, one->raw, one->n) ? misfit(e) : 0;
}

static int write_frame(struct frames *f, const struct frame *one, struct err *e)
{
	if (f->how == COMPRESSION_NONE)
		return sink_write(f->base.below, one->raw, one->n, e);
	return sink_write(f->base.below, one->out, one->out_n, e);
}

static void work_done(struct frames *f, enum work work, struct frame *one)
{
	switch (work) {
	case PACK:
		one->has_raw = one->has_out = true;
		break;
	case HASH:
		f->hashing = false;
		f->hashed++;
		break;
	case WRITE:
		f->writing = false;
		f->written++;
		f->waiting -= one->n;
		break;
	case NO_WORK:
		break;
	}
}

/* Does one piece of work; false when there is none. Called and left with the lock held. */
static bool work_once(struct frames *f)
{
	struct frame *one;
	struct err e = { 0 };
	enum work work = take(f, &one);
	if (work == NO_WORK)
		return false;
	struct packer *p = work == PACK && f->how != COMPRESSION_NONE ? packer_take(f) : NULL;
	pthread_mutex_unlock(&f->lock);
	int r = 0;
	if (work == PACK)
		r = pack(f, one, p, &e);
	else if (work == WRITE)
		r = write_frame(f, one, &e);
	else
		r = hash(f, one, &e);
	pthread_mutex_lock(&f->lock);
	if (p)
		f->idle[f->n_idle++] = p;
	if (r < 0 && f->error.kind == ERR_NONE) {
		f->error = e;
		f->misfit = one->put && work != WRITE;
	}
	work_done(f, work, one);
	pthread_cond_broadcast(&f->changed);
	return true;
}

static void *thread_main(void *ctx)
{
	struct frames *f = ctx;
	pthread_mutex_lock(&f->lock);
	while (!f->closed)
		if (!work_once(f))
			pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* With all signals blocked, so that the process's handlers keep running in its first thread. */
static void thread_start(struct frames *f)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&f->thread[f->n_threads], NULL, thread_main, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		log_debug("no thread for compression: %s", strerror(failed));
		f->refused = true;
		return;
	}
	f->n_threads++;
}

static void threads_end(struct frames *f)
{
	pthread_mutex_lock(&f->lock);
	f->closed = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	while (f->n_threads)
		pthread_join(f->thread[--f->n_threads], NULL);
}

/* ---- who writes ---- */

/* Helps, or waits where all that can be done is being done, until no more than `left` frames are under way. */
static int wait_for(struct frames *f, uint64_t left, struct err *e)
{
	pthread_mutex_lock(&f->lock);
	while (f->error.kind == ERR_NONE && (f->queued - f->written > left || f->queued - f->hashed > left))
		if (!work_once(f))
			pthread_cond_wait(&f->changed, &f->lock);
	int r = f->error.kind == ERR_NONE ? 0 : -1;
	if (r < 0)
		*e = f->error;
	pthread_mutex_unlock(&f->lock);
	return r;
}

static void enqueue(struct frames *f)
{
	pthread_mutex_lock(&f->lock);
	f->filling->has_raw = !f->filling->put;
	f->filling->has_out = false;
	f->waiting += f->filling->n;
	f->queued++;
	bool more = f->waiting > SMALL && f->n_threads < f->threads_max && !f->refused && f->queued > f->n_threads;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	f->filling = NULL;
	if (more)
		thread_start(f);
}

/* A frame to fill. */
static int begin(struct frames *f, struct err *e)
{
	if (wait_for(f, f->ring_n - 1, e) < 0)
		return -1;
	f->filling = frame_at(f, f->queued);
	give_room(&f->filling->raw, FRAME_MAX + 1);
	f->filling->n = 0;
	f->filling->put = false;
	return 0;
}

static void *room(struct frames *f, size_t *ret_n, struct err *e)
{
	if (f->filling && f->filling->n == FRAME_MAX)
		enqueue(f);
	if (!f->filling && begin(f, e) < 0)
		return NULL;
	*ret_n = FRAME_MAX - f->filling->n;
	return f->filling->raw + f->filling->n;
}

void *frames_room(struct sink *s, size_t *ret_n, struct err *e)
{
	void *at = s->failed.kind == ERR_NONE ? room((struct frames *)s, ret_n, &s->failed) : NULL;
	if (!at)
		*e = s->failed;
	return at;
}

void frames_filled(struct sink *s, size_t n)
{
	struct frames *f = (struct frames *)s;
	assert(f->filling && n <= FRAME_MAX - f->filling->n);
	f->filling->n += n;
}

int frames_cut(struct sink *s, struct err *e)
{
	struct frames *f = (struct frames *)s;
	if (s->failed.kind != ERR_NONE) {
		*e = s->failed;
		return -1;
	}
	if (f->filling && f->filling->n)
		enqueue(f);
	return 0;
}

static bool read_at(int fd, void *to, const struct frame_span *from)
{
	for (size_t n = 0; n < from->n;) {
		ssize_t got = pread(fd, (char *)to + n, from->n - n, (off_t)(from->offset + n));
		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		n += got > 0 ? (size_t)got : 0;
	}
	return true;
}

static int put(struct frames *f, int fd, const struct frame_span *from, size_t raw_n, const struct frame_check *check,
	       struct err *e)
{
	if (!f->filling && begin(f, e) < 0)
		return -1;
	pthread_mutex_lock(&f->lock);
	struct packer *p = packer_take(f);
	f->idle[f->n_idle++] = p;
	pthread_mutex_unlock(&f->lock);
	struct frame *one = f->filling;
	give_room(&one->out, p->bound);
	if (raw_n > FRAME_MAX || from->n > p->bound || !read_at(fd, one->out, from)) {
		pthread_mutex_lock(&f->lock);
		f->misfit = true;
		pthread_mutex_unlock(&f->lock);
		return misfit(e);
	}
	one->n = raw_n;
	one->out_n = from->n;
	one->put = true;
	one->check = *check;
	enqueue(f);
	return 0;
}

int frames_put(struct sink *s, int fd, const struct frame_span *from, size_t raw_n, const struct frame_check *check,
	       struct err *e)
{
	if (frames_cut(s, e) == 0 && put((struct frames *)s, fd, from, raw_n, check, &s->failed) == 0)
		return 0;
	*e = s->failed;
	return -1;
}

bool frames_misfit(struct sink *s)
{
	struct frames *f = (struct frames *)s;
	pthread_mutex_lock(&f->lock);
	bool is = f->misfit;
	pthread_mutex_unlock(&f->lock);
	return is;
}

static int frames_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	struct frames *f = (struct frames *)s;
	const char *p = bytes;
	while (n) {
		size_t part;
		void *to = room(f, &part, e);
		if (!to)
			return -1;
		part = part < n ? part : n;
		memcpy(to, p, part);
		frames_filled(s, part);
		p += part;
		n -= part;
	}
	return 0;
}

/* A stream of nothing is one empty frame. */
static int frames_finish(struct sink *s, struct err *e)
{
	struct frames *f = (struct frames *)s;
	if (!f->queued && !f->filling && begin(f, e) < 0)
		return -1;
	if (f->filling && (f->filling->n || !f->queued))
		enqueue(f);
	int r = wait_for(f, 0, e);
	threads_end(f);
	return r;
}

static void frames_free(struct sink *s)
{
	struct frames *f = (struct frames *)s;
	threads_end(f);
	for (unsigned i = 0; i < f->n_idle; i++)
		packer_free(f->idle[i]);
	for (unsigned i = 0; i < f->ring_n; i++) {
		free(f->ring[i].raw);
		free(f->ring[i].out);
	}
	free(f->ring);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

struct sink *sink_frames(enum compression how, int level, unsigned threads, struct sha *sha, struct sink *below)
{
	struct frames *f = x_alloc(sizeof *f);
	f->base = (struct sink){
		.write = frames_write,
		.finish = frames_finish,
		.free = frames_free,
		.below = below,
	};
	f->sha = sha;
	f->how = how;
	f->level = level;
	f->threads_max = threads == 0 ? 1 : threads < THREADS_MAX ? threads : THREADS_MAX;
	f->ring_n = f->threads_max + SLACK;
	f->ring = x_alloc(f->ring_n * sizeof *f->ring);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	return &f->base;
}
