/* An earlier layer that is opened by a thread. */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "oci/layer_reuse.h"
#include "oci/layer_writer.h"

struct layer_opening {
	struct store *store;       /* borrowed */
	struct layer old;          /* owned */
	struct layer_format format;
	struct layer_reuse *found; /* owned; NULL: nothing can be used */
	pthread_t thread;
	bool has_thread;
};

static void *thread_main(void *ctx)
{
	struct layer_opening *o = ctx;
	layer_reuse_open(o->store, &o->old, &o->format, &o->found);
	return NULL;
}

struct layer_opening *layer_reuse_start(struct store *s, struct layer *old, const struct layer_format *f)
{
	struct layer_opening *o = x_alloc(sizeof *o);
	sigset_t all, before;
	o->store = s;
	o->old = *old;
	o->format = *f;
	*old = (struct layer){ 0 };
	/* Signals are for the thread that stays. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&o->thread, NULL, thread_main, o);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	o->has_thread = !failed;
	/* RLIMIT_NPROC or a pids cgroup: the same, only later. */
	if (failed)
		log_debug("no thread for opening a layer: %s", strerror(failed));
	return o;
}

struct layer_reuse *layer_reuse_wait(struct layer_opening *o)
{
	if (!o)
		return NULL;
	if (o->has_thread)
		pthread_join(o->thread, NULL);
	else
		thread_main(o);
	/* The thread's heap keeps what the listing took otherwise. */
	malloc_trim(0);
	struct layer_reuse *found = o->found;
	descriptor_fini(&o->old.blob);
	free(o);
	return found;
}
