/* The one loop: advances stages, waits for jobs, hands their lines to the progress and their results to their steps. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/cpus.h"
#include "base/fd.h"
#include "base/log.h"
#include "build_priv.h"
#include "share_priv.h"

int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct job *job_new(struct build *b, struct step *step, enum job_kind kind)
{
	struct job *j = x_alloc(sizeof *j);
	j->kind = kind;
	j->step = step;
	j->output_fd = -1;
	vec_push(&b->jobs, j);
	return j;
}

static void job_free(struct build *b, struct job *j)
{
	for (size_t i = 0; i < b->jobs.n; i++)
		if (b->jobs.v[i] == j) {
			b->jobs.v[i] = b->jobs.v[--b->jobs.n];
			break;
		}
	if (j->kind == JOB_WORKER)
		worker_kill(&j->worker);
	fd_drop(&j->output_fd);
	free(j);
}

unsigned build_cpus(struct build *b)
{
	if (!b->cpus)
		b->cpus = cpus_usable();
	return b->cpus;
}

bool jobs_full(struct build *b)
{
	/* Not all are busy all the time: some wait for a server or a disk. */
	if (!b->jobs_max)
		b->jobs_max = b->options->jobs ? b->options->jobs : 2 * build_cpus(b) + 2;
	size_t busy = 0;
	for (size_t i = 0; i < b->jobs.n; i++)
		busy += !b->jobs.v[i]->idle;
	return busy >= b->jobs_max;
}

struct job *job_worker(struct build *b, struct step *step, const char *name, worker_fn *fn, void *ctx, struct err *e)
{
	struct worker w;
	if (worker_start(&w, name, fn, ctx, e) < 0)
		return NULL;
	struct job *j = job_new(b, step, JOB_WORKER);
	j->worker = w;
	return j;
}

struct wait {
	struct store *store;
	const char *claim;
};

static int wait_work(void *ctx, struct worker_report *report, struct str *result, struct err *e)
{
	struct wait *w = ctx;
	(void)report;
	(void)result;
	(void)e;
	claim_wait(w->store, w->claim);
	return 0;
}

struct job *job_wait(struct build *b, struct step *step, const char *claim, struct err *e)
{
	struct wait w = { .store = b->store, .claim = claim };
	struct job *j = job_worker(b, step, "nacre-wait", wait_work, &w, e);
	if (j)
		j->idle = true;
	return j;
}

struct job *job_command(struct build *b, struct step *step, const struct sandbox *s, int output_fd)
{
	struct job *j = job_new(b, step, JOB_COMMAND);
	j->sandbox = *s;
	j->output_fd = output_fd;
	return j;
}

/* ---- events ---- */

static int job_finish(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct err why;
	int r = j->done(b, j, result, failed, &why);
	if (r < 0) {
		*e = why;
		if (j->step)
			progress_step_failed(b->progress, j->step, e);
	}
	job_free(b, j);
	return r;
}

static int on_worker(struct build *b, struct job *j, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	for (;;) {
		struct err failed;
		switch (worker_read(&j->worker, &text, &failed)) {
		case WORKER_AGAIN:
			return 0;
		case WORKER_LINE:
			if (j->step)
				progress_step_line(b->progress, j->step, text.buf, text.len);
			else
				progress_note(b->progress, text.buf);
			break;
		case WORKER_DONE:
			return job_finish(b, j, &text, NULL, e);
		case WORKER_FAILED:
			return job_finish(b, j, NULL, &failed, e);
		}
	}
}

/* What a command printed. 1 while there may be more, 0 at the end of its output. */
static int read_output(struct build *b, struct job *j, struct err *e)
{
	char buf[65536];
	ssize_t n = read(j->output_fd, buf, sizeof buf);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n < 0) {
		err_sys(e, "read the output of the command");
		return df_err_at(e, j->step->in, NULL);
	}
	if (n == 0) {
		fd_drop(&j->output_fd);
		return 0;
	}
	progress_step_output(b->progress, j->step, buf, (size_t)n);
	return 1;
}

static int on_command_end(struct build *b, struct job *j, struct err *e)
{
	struct err failed;
	/* All that held the pipe died with the step's pid namespace, so what is in it now is all there is. */
	while (j->output_fd >= 0) {
		struct pollfd p = { .fd = j->output_fd, .events = POLLIN };
		int n = poll(&p, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "wait for the output of the command");
		int more = n ? read_output(b, j, e) : 0;
		if (more < 0)
			return -1;
		if (!more)
			break;
	}
	fd_drop(&j->output_fd);
	progress_step_silent(b->progress, j->step);
	if (sandbox_finish(&j->sandbox, &j->status, &failed) < 0)
		return job_finish(b, j, NULL, &failed, e);
	return job_finish(b, j, NULL, NULL, e);
}

static int on_signal(int signal_fd, struct err *e)
{
	struct signalfd_siginfo info;
	if (fd_read(signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
		return 0;
	err_set(e, ERR_INTERRUPTED, "stopped by signal %s", sigabbrev_np((int)info.ssi_signo));
	e->status = (int)info.ssi_signo;
	return -1;
}

static int wait_for_jobs(struct build *b, int signal_fd, struct err *e)
{
	VEC(struct pollfd) polls = { 0 };
	VEC(struct job *) owners = { 0 };
	vec_push(&polls, ((struct pollfd){ .fd = signal_fd, .events = POLLIN }));
	vec_push(&owners, NULL);
	for (size_t i = 0; i < b->jobs.n; i++) {
		struct job *j = b->jobs.v[i];
		vec_push(&polls, ((struct pollfd){ .fd = j->kind == JOB_WORKER ? j->worker.fd : j->sandbox.pidfd,
						   .events = POLLIN }));
		vec_push(&owners, j);
		if (j->output_fd >= 0) {
			vec_push(&polls, ((struct pollfd){ .fd = j->output_fd, .events = POLLIN }));
			vec_push(&owners, j);
		}
	}
	int r = 0;
	if (poll(polls.v, polls.n, progress_tick(b->progress)) < 0 && errno != EINTR)
		r = err_sys(e, "wait for work");
	if (r == 0 && polls.v[0].revents)
		r = on_signal(signal_fd, e);
	for (size_t i = 1; i < polls.n && r == 0; i++) {
		struct job *j = owners.v[i];
		if (!polls.v[i].revents)
			continue;
		if (j->kind == JOB_COMMAND && polls.v[i].fd == j->output_fd) {
			if (read_output(b, j, e) < 0)
				r = -1;
			continue; /* one that prints without end must not keep the others waiting */
		}
		if (j->kind == JOB_WORKER)
			r = on_worker(b, j, e);
		else
			r = on_command_end(b, j, e);
		/* A finished job is gone and may have started others; the rest of this round's events come again. */
		break;
	}
	vec_fini(&polls);
	vec_fini(&owners);
	return r;
}

/*
 * What was believed turned out to be wrong: nothing new begins. What runs is finished, since it may be reading what cannot
 * be read twice, and what it gives is kept.
 */
static int wind_up(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->stages.n; i++)
		if (b->stages.v[i]->needed && stage_commit(b, b->stages.v[i], e) < 0)
			return -1;
	for (size_t i = 0; i < b->jobs.n; i++)
		if (!b->jobs.v[i]->idle)
			return 0;
	return 1;
}

/* A stage may do what one that was asked before it waits for, without coming to its own next instruction: so all are asked
 * until nothing moves. */
static int advance_stages(struct build *b, struct err *e)
{
	for (uint64_t before = b->moves - 1; before != b->moves;) {
		before = b->moves;
		for (size_t i = 0; i < b->stages.n; i++) {
			struct stage *st = b->stages.v[i];
			if (!st->needed)
				continue;
			while (!st->finished) {
				int r = stage_advance(b, st, e);
				if (r < 0)
					return -1;
				if (r == 1)
					break;
				b->moves++;
				if (stage_commit(b, st, e) < 0)
					return -1;
			}
			if (stage_commit(b, st, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* The store has to have all of the result: 0, 1 some is being fetched. */
static int need_result(struct build *b, struct err *e)
{
	int waits = 0;
	for (size_t i = 0; i < b->graphs.n; i++) {
		const struct stage *goal = b->graphs.v[i]->goal;
		int r = slots_need_blobs(b, NULL, goal->slots.v, goal->slots.n, e);
		if (r < 0)
			return -1;
		waits |= r;
	}
	return waits;
}

/* Everything that can be done without waiting. 1 when the goal is complete. */
static int advance_all(struct build *b, struct err *e)
{
	if (!share_is_broken(b) && advance_stages(b, e) < 0)
		return -1;
	if (share_is_broken(b))
		return wind_up(b, e);
	for (size_t i = 0; i < b->stages.n; i++) {
		const struct stage *st = b->stages.v[i];
		if (st->needed && (!st->finished || st->n_done < st->steps.n))
			return 0;
	}
	int waits = need_result(b, e);
	return waits < 0 ? -1 : !waits;
}

static void kill_all(struct build *b)
{
	bool killed = b->jobs.n > 0;
	while (b->jobs.n) {
		struct job *j = b->jobs.v[b->jobs.n - 1];
		if (j->kind == JOB_COMMAND)
			sandbox_kill(&j->sandbox);
		if (j->slot)
			slot_unref(j->slot);
		job_free(b, j);
	}
	/* Blobs that they were writing. */
	if (killed && store_recover(b->store))
		b->store->left = true;
}

static int stuck(struct err *e)
{
	err_set(e, ERR_BUILD, "nothing is left to run, yet the build is not complete");
	return err_hint(e, "this is a mistake in nacre; the same command again goes on from what is done");
}

/* `advance` again and again until it says 1, with a wait for jobs in between. */
static int run_until(struct build *b, int (*advance)(struct build *b, struct err *e), struct err *e)
{
	sigset_t stop, old;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP);
	sigprocmask(SIG_BLOCK, &stop, &old);
	AUTO(fd_drop) int signal_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	int r = signal_fd < 0 ? err_sys(e, "watch for signals to the build") : 0;
	bool stalled = false;
	while (r == 0) {
		r = advance(b, e);
		bool idle = !b->jobs.n;
		if (stalled && (r == 1 || !idle))
			log_debug("a stage went on though no job had ended");
		if (r)
			break;
		/* Without a job, another process may have done since what a stage was found to wait for. */
		if (!idle)
			r = wait_for_jobs(b, signal_fd, e);
		else if (stalled)
			r = stuck(e);
		stalled = idle;
	}
	kill_all(b);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r < 0 ? -1 : 0;
}

int schedule_run(struct build *b, struct err *e)
{
	return run_until(b, advance_all, e);
}

static int no_jobs(struct build *b, struct err *e)
{
	(void)e;
	return b->jobs.n == 0;
}

int schedule_wait(struct build *b, struct err *e)
{
	return run_until(b, no_jobs, e);
}
