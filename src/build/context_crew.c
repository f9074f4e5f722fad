/* All below a directory of a context: read, and its files hashed, by threads. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/fd.h"
#include "base/path.h"
#include "context_scan_priv.h"
#include "dockerfile/ignore.h"
#include "stat_index_priv.h"

/* A directory to read, or (end > 0) some of its kids of which digests are wanted. */
struct task {
	struct fsnode *dir;
	size_t first, end;
};

/*
 * Threads that take tasks from one list and put there those they find. They exist only inside context_scan_all:
 * outside it the process has one thread and may fork.
 */
struct crew {
	struct context *c;
	bool contents;               /* digests are wanted */
	pthread_mutex_t lock;        /* of all below */
	pthread_cond_t changed;
	VEC(struct task) todo;
	unsigned busy;               /* threads that may yet find more */
	uint64_t done;               /* entries, and two KiB of contents for as much: about a microsecond each */
};

struct member {
	struct crew *crew;
	pthread_t thread;
	struct arena arena;
	struct df_ignore *ignore;    /* owned */
	struct str learned;          /* for the stat index */
};

static bool needs_digest(const struct fsnode *n)
{
	return n->type == TAR_FILE && !n->has_digest;
}

/* What cannot be read now keeps no digest: who asks for it is told why. */
static uint64_t hash_some(struct scan *s, const struct task *t)
{
	AUTO(free_drop) char *where = fsnode_path(t->dir);
	AUTO(fd_drop) int dir = root_open(s->c->fd, *where ? where : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	size_t base = scan_path(s, where);
	uint64_t bytes = 0;
	struct err ignored;
	if (!s->buffer)
		s->buffer = x_realloc(NULL, CONTEXT_READ, 1);
	for (size_t i = t->first; dir >= 0 && i < t->end; i++) {
		struct fsnode *n = t->dir->kids[i];
		if (!needs_digest(n))
			continue;
		AUTO(fd_drop) int fd = openat(dir, n->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		s->path.len = base;
		str_add(&s->path, n->name);
		if (fd >= 0)
			(void)context_hash(fd, n, s->path.buf, s->buffer, s->learned, &ignored);
		bytes += n->size;
	}
	return bytes;
}

/* Tasks of about a megabyte or a hundred files, so that one large directory is shared too. */
static void add_hashing(struct crew *w, struct fsnode *dir)
{
	enum { FILES = 100, BYTES = 1 << 20 };
	struct task t = { .dir = dir };
	uint64_t files = 0, bytes = 0;
	for (size_t i = 0; i < dir->n_kids; i++) {
		if (!needs_digest(dir->kids[i]))
			continue;
		files++;
		bytes += dir->kids[i]->size;
		t.end = i + 1;
		if (files < FILES && bytes < BYTES)
			continue;
		vec_push(&w->todo, t);
		t.first = t.end;
		files = bytes = 0;
	}
	if (files)
		vec_push(&w->todo, t);
}

static void add_found(struct crew *w, struct fsnode *dir)
{
	for (size_t i = dir->n_kids; i > 0; i--)
		if (dir->kids[i - 1]->type == TAR_DIR)
			vec_push(&w->todo, ((struct task){ .dir = dir->kids[i - 1] }));
	if (w->contents)
		add_hashing(w, dir);
}

/* The task that was put there last; with the lock, which it gives back meanwhile. */
static void take_one(struct crew *w, struct scan *s)
{
	struct task t = w->todo.v[--w->todo.n];
	struct err ignored;
	uint64_t bytes = 0;
	w->busy++;
	pthread_mutex_unlock(&w->lock);
	if (t.end)
		bytes = hash_some(s, &t);
	else if (!t.dir->kids_loaded)
		(void)scan_dir(s, t.dir, &ignored); /* as with contents */
	pthread_mutex_lock(&w->lock);
	w->busy--;
	w->done += t.end ? t.end - t.first + bytes / 2048 : t.dir->n_kids;
	if (!t.end)
		add_found(w, t.dir);
	pthread_cond_broadcast(&w->changed);
}

static void take_all(struct crew *w, struct scan *s)
{
	pthread_mutex_lock(&w->lock);
	while (w->todo.n || w->busy) {
		if (w->todo.n)
			take_one(w, s);
		else
			pthread_cond_wait(&w->changed, &w->lock);
	}
	pthread_mutex_unlock(&w->lock);
}

static void *member_main(void *ctx)
{
	struct member *m = ctx;
	AUTO(scan_fini) struct scan s = {
		.c = m->crew->c, .arena = &m->arena, .ignore = m->ignore, .learned = &m->learned
	};
	take_all(m->crew, &s);
	return NULL;
}

static bool member_start(struct crew *w, struct member *m)
{
	sigset_t all, before;
	*m = (struct member){ .crew = w, .ignore = w->c->ignore ? df_ignore_twin(w->c->ignore) : NULL };
	/* Signals are for the thread that stays. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&m->thread, NULL, member_main, m) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!started)
		df_ignore_free(m->ignore);
	return started;
}

static void member_end(struct member *m)
{
	struct context *c = m->crew->c;
	pthread_join(m->thread, NULL);
	arena_join(&c->view.arena, &m->arena);
	stat_index_merge(c->index, m->learned.buf, m->learned.len);
	str_fini(&m->learned);
	df_ignore_free(m->ignore);
}

/* Alone at first: a second thread costs more than it brings when there is little. */
static void take_some(struct crew *w, struct scan *s)
{
	enum { ALONE = 1000 };
	pthread_mutex_lock(&w->lock);
	while (w->todo.n && w->done < ALONE)
		take_one(w, s);
	pthread_mutex_unlock(&w->lock);
}

void context_scan_all(struct context *c, struct fsnode *dir, bool contents)
{
	enum { MEMBERS = 7 };
	struct member members[MEMBERS];
	struct crew w = { .c = c, .contents = contents };
	AUTO(str_fini) struct str learned = { 0 };
	AUTO(scan_fini)
	struct scan s = { .c = c, .arena = &c->view.arena, .ignore = c->ignore, .learned = &learned };
	if (c->view.load != context_scan || c->budget || dir->type != TAR_DIR)
		return;
	stat_index_load(c->index);
	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.changed, NULL);
	vec_push(&w.todo, ((struct task){ .dir = dir }));
	take_some(&w, &s);
	size_t left = w.todo.n;
	unsigned n = 0, cpus = left > 1 ? cpus_usable() : 1;
	while (n + 1 < left && n + 1 < cpus && n < MEMBERS && member_start(&w, &members[n]))
		n++;
	take_all(&w, &s);
	while (n)
		member_end(&members[--n]);
	stat_index_merge(c->index, learned.buf, learned.len);
	vec_fini(&w.todo);
}
