/* Children: worker processes that report through one socket, and outside programs. */
#ifndef NACRE_BASE_PROC_H
#define NACRE_BASE_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/*
 * A worker: a forked copy of this process that does one long piece of work and reports, as messages on one socket,
 * any number of lines, then either a result (bytes) or a struct err. It dies when this process dies
 * (it holds the other end of a pipe and is told by the kernel).
 */
struct worker {
	pid_t pid;         /* 0: none */
	const char *name;  /* borrowed */
	int fd;            /* readable: worker_read */
	struct str in;     /* bytes not yet understood */
};

struct worker_report; /* what the work function writes to */

typedef int worker_fn(void *ctx, struct worker_report *r, struct str *result, struct err *e);

/* ctx is as it was at the fork. `name` (a literal of up to 15 bytes) is seen in ps and in messages. */
int worker_start(struct worker *w, const char *name, worker_fn *fn, void *ctx, struct err *e);

/* Called inside the worker, which ends there when it can report no more. */
void worker_line(struct worker_report *r, const char *text);

enum worker_event { WORKER_AGAIN, WORKER_LINE, WORKER_DONE, WORKER_FAILED };
/*
 * One event; WORKER_AGAIN when nothing (more) is there, never blocks. LINE: *text, without newline, caller owns via
 * str. DONE: *text is the result. FAILED: *e (also when the worker died without a word). After DONE or FAILED the
 * worker is reaped.
 */
enum worker_event worker_read(struct worker *w, struct str *text, struct err *e);
void worker_kill(struct worker *w); /* and reap */

/* Waits for DONE or FAILED, giving lines to `line` (may be NULL); for commands that have nothing else to do. */
int worker_wait(struct worker *w, void (*line)(void *ctx, const char *text), void *ctx, struct str *result,
		struct err *e);

/*
 * Runs a program of the host and waits: argv[0] looked up in PATH, stdin from `input` (may be NULL), stdout into `out`
 * (may be NULL: inherited… to /dev/null), stderr into the error's message. ERR_CHILD when its status is not 0;
 * ERR_NOTFOUND when there is no such program. timeout_ms 0 = none. Environment as ours.
 */
int proc_run(const char *const *argv, const char *input, struct str *out, size_t out_limit, int timeout_ms,
	     struct err *e);

/*
 * Starts a program of the host in the background, in a session of its own and without standard streams. It gains
 * nothing by its own mode (no_new_privs), so that it cannot escape being killed when we end: for a setgid program the
 * kernel forgets that. The caller kills and reaps it. ERR_NOTFOUND when there is no such program.
 */
int proc_start(const char *const *argv, pid_t *ret, struct err *e);

/* In a child: be killed when the parent (whose pid was `parent`) is gone. */
int proc_die_with_parent(pid_t parent);

#endif
