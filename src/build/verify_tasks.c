/* Everything that is read to its last byte, by as many threads as there are processors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "archive/stream.h"
#include "base/cpus.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "oci/layer_check.h"
#include "oci/listing.h"
#include "store/record.h"
#include "verify_priv.h"

enum { BUF = 256 << 10, THREADS_MAX = 8, REDRAW_MS = 200 };

/* ---- blobs ---- */

static int by_digest(const void *a, const void *b)
{
	const struct blob_check *x = a, *y = b;
	return memcmp(&x->digest, &y->digest, sizeof x->digest);
}

struct blob_check *verify_blob(struct verify *v, const struct digest *d)
{
	const struct blob_check key = { .digest = *d };
	return v->blobs.n ? bsearch(&key, v->blobs.v, v->blobs.n, sizeof key, by_digest) : NULL;
}

void verify_blobs(struct verify *v)
{
	for (size_t i = 0; i < v->objects.n; i++) {
		struct blob_check b = { .object = &v->objects.v[i] };
		if (b.object->kind == OBJECT_BLOB && verify_digest_of(b.object->name, "", &b.digest))
			vec_push(&v->blobs, b);
	}
}

static int digest_file(int fd, struct digest *ret, struct err *e)
{
	AUTO(free_drop) char *buf = x_alloc(BUF);
	struct sha sha;
	ssize_t n;
	sha_init(&sha);
	while ((n = fd_read(fd, buf, BUF)) > 0)
		sha_add(&sha, buf, (size_t)n);
	*ret = sha_end(&sha);
	return n < 0 ? err_sys(e, "read a blob") : 0;
}

/* As a layer: its listing is looked at in the same pass. */
static int read_layer(struct verify *v, int fd, struct blob_check *b, struct digest *ret, struct err *e)
{
	struct listing listing = { 0 };
	struct layer_facts facts;
	const struct diffid *want = &b->layer->diffid;
	bool listed = listing_load(v->store, want, &listing, e) == 0;
	int r = layer_check(fd, listed ? &listing : NULL, &facts, e);
	listing_fini(&listing);
	if (r < 0)
		return -1;
	*ret = facts.digest;
	b->unpacks = facts.unpacks;
	b->diffid = facts.diffid;
	if (listed && facts.unpacks && !facts.listed && digest_eq(&facts.digest, &b->digest) &&
	    digest_eq(&facts.diffid.d, &want->d)) {
		AUTO(free_drop) char *name = x_asprintf("list/%s", digest_hex(&want->d).s);
		verify_bad(v, OBJECT_LISTING, name, "says something else than its layer in blob %s",
			   digest_text(&b->digest).s);
	}
	return 0;
}

static void check_blob(struct verify *v, const struct object *o)
{
	AUTO(fd_drop) int fd = -1;
	struct digest name, got;
	struct err why;
	if (!verify_digest_of(o->name, "", &name))
		return;
	struct blob_check *b = verify_blob(v, &name);
	bool is_open = fd_open_regular(v->store->fd, o->name, &fd, &why) == 0;
	if (!is_open && why.kind == ERR_SYS && why.sysno == ENOENT) {
		b->state = BLOB_GONE;
		return;
	}
	if (!is_open || (b->layer ? read_layer(v, fd, b, &got, &why) : digest_file(fd, &got, &why)) < 0) {
		b->state = BLOB_BAD;
		verify_bad(v, o->kind, o->name, "%s", why.msg);
	} else if (!digest_eq(&got, &name)) {
		b->state = BLOB_BAD;
		verify_bad(v, o->kind, o->name, "is damaged: its bytes have the digest %s", digest_text(&got).s);
	}
	v->bytes += o->size;
}

/* ---- files with an end line ---- */

static void check_file(struct verify *v, const struct object *o)
{
	AUTO(str_fini) struct str text = { 0 };
	struct listing listing = { 0 };
	struct stat st;
	struct err why;
	int r = store_file_get(v->store, o->name, LIMIT_LISTING, &text, &why);
	if (r == 0 && o->kind == OBJECT_LISTING)
		r = listing_parse(str_text(&text), text.len, o->name, &listing, &why);
	listing_fini(&listing);
	if (r < 0)
		verify_bad(v, o->kind, o->name, "%s", why.msg);
	else if (r == 1 && fstatat(v->store->fd, o->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		verify_bad(v, o->kind, o->name, "is damaged: its last line does not fit what is before it");
}

/* ---- threads ---- */

typedef void (*check_fn)(struct verify *v, const struct object *o);

struct task {
	check_fn check;
	const struct object *object;
};

struct pool {
	struct verify *v;
	VEC(struct task) tasks; /* the largest first, so that no thread is left alone with one */
	atomic_size_t next, done;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned running;
};

static int by_size(const void *a, const void *b)
{
	const struct task *x = a, *y = b;
	return x->object->size < y->object->size ? 1 : x->object->size > y->object->size ? -1 : 0;
}

static void plan(struct pool *p, const check_fn *checks)
{
	for (size_t i = 0; i < p->v->objects.n; i++) {
		const struct object *o = &p->v->objects.v[i];
		if (checks[o->kind])
			vec_push(&p->tasks, ((struct task){ .check = checks[o->kind], .object = o }));
	}
	if (p->tasks.n)
		qsort(p->tasks.v, p->tasks.n, sizeof *p->tasks.v, by_size);
}

static void *work(void *ctx)
{
	struct pool *p = ctx;
	size_t i;
	while ((i = atomic_fetch_add(&p->next, 1)) < p->tasks.n) {
		p->tasks.v[i].check(p->v, p->tasks.v[i].object);
		atomic_fetch_add(&p->done, 1);
	}
	pthread_mutex_lock(&p->lock);
	p->running--;
	pthread_cond_signal(&p->ended);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void draw(struct pool *p)
{
	AUTO(str_fini) struct str size = { 0 };
	str_add_size(&size, p->v->bytes);
	fprintf(stderr, "\r%zu of %zu objects, %s of blobs\033[K", (size_t)p->done, p->tasks.n, size.buf);
}

static void wait_for_all(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->running) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += REDRAW_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&p->ended, &p->lock, &until);
		if (p->v->progress)
			draw(p);
	}
	pthread_mutex_unlock(&p->lock);
	if (p->v->progress)
		fprintf(stderr, "\r\033[K");
}

static int run(struct pool *p, struct err *e)
{
	pthread_t threads[THREADS_MAX];
	unsigned n = 0, wanted = cpus_usable();
	pthread_mutex_lock(&p->lock);
	while (n < wanted && n < THREADS_MAX && pthread_create(&threads[n], NULL, work, p) == 0)
		n++;
	p->running = n;
	pthread_mutex_unlock(&p->lock);
	if (!n)
		return err_set(e, ERR_SYS, "this machine gives no thread");
	wait_for_all(p);
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static int by_chain(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct chainid));
}

static int run_all(struct verify *v, const check_fn *checks, struct err *e)
{
	struct pool p = { .v = v, .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };
	plan(&p, checks);
	int r = run(&p, e);
	vec_fini(&p.tasks);
	return r;
}

int verify_tasks(struct verify *v, struct err *e)
{
	static const check_fn files[OBJECT_KINDS] = {
		[OBJECT_BLOB] = check_blob,
		[OBJECT_LISTING] = check_file,
		[OBJECT_CONTEXT] = check_file,
		[OBJECT_SOURCE] = check_file,
	};
	/* A tree is not to be blamed for a bad listing. */
	static const check_fn trees[OBJECT_KINDS] = { [OBJECT_SNAPSHOT] = verify_snapshot };
	for (size_t i = 0; i < v->leads.n; i++) {
		struct blob_check *b = verify_blob(v, &v->leads.v[i].blob);
		if (b && v->leads.v[i].has_diffid)
			b->layer = &v->leads.v[i];
	}
	if (v->tops.n)
		qsort(v->tops.v, v->tops.n, sizeof *v->tops.v, by_chain);
	return run_all(v, files, e) < 0 ? -1 : run_all(v, trees, e);
}
