#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/*
 * On the socket, a worker writes frames: one type byte, a length of four bytes in host order, the bytes.
 *   'L' a line for the user     'R' the result, the last frame     'E' a struct err, the last frame
 * One that cannot write a frame has no other way to tell than its exit status: MUTE and the errno.
 */
enum { FRAME_HEAD = 5, MUTE = 100 };

struct worker_report {
	int fd;
};

static void put_frame(int fd, char type, const void *bytes, size_t n)
{
	struct str frame = { 0 };
	uint32_t len = (uint32_t)n;
	struct err e = { 0 };
	str_addc(&frame, type);
	str_addn(&frame, &len, sizeof len);
	str_addn(&frame, bytes, n);
	if (fd_write_all(fd, frame.buf, frame.len, "report", &e) < 0)
		_exit(MUTE + e.sysno);
	str_fini(&frame);
}

void worker_line(struct worker_report *r, const char *text)
{
	put_frame(r->fd, 'L', text, strlen(text));
}

int proc_die_with_parent(pid_t parent)
{
	/* The signal is set for the death of the thread that forked us, which is the main one here; the second look
	 * covers a parent that died between fork and prctl. prctl(2), PR_SET_PDEATHSIG. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (getppid() != parent)
		_exit(1);
	return 0;
}

static void default_signals(void)
{
	static const int handled[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGWINCH };
	for (size_t i = 0; i < ARRAY_LEN(handled); i++)
		signal(handled[i], SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void worker_main(int fd, pid_t parent, const char *name, worker_fn *fn, void *ctx)
{
	struct worker_report report = { .fd = fd };
	struct str result = { 0 };
	struct err e = { 0 };
	default_signals();
	/* A terminal's Ctrl-C goes to the whole group; it is the builder that decides, and ends us. */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	proc_die_with_parent(parent);
	prctl(PR_SET_NAME, name);
	if (fn(ctx, &report, &result, &e) == 0)
		put_frame(fd, 'R', str_text(&result), result.len);
	else
		put_frame(fd, 'E', &e, sizeof e);
	_exit(0);
}

int worker_start(struct worker *w, const char *name, worker_fn *fn, void *ctx, struct err *e)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "start a worker process (%s)", name);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0) {
		err_sys(e, "start a worker process (%s)", name);
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	if (pid == 0) {
		close(pair[0]);
		worker_main(pair[1], parent, name, fn, ctx);
	}
	close(pair[1]);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*w = (struct worker){ .pid = pid, .name = name, .fd = pair[0] };
	return 0;
}

static void worker_reap(struct worker *w, int *ret_status)
{
	int status = 0;
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	fd_drop(&w->fd);
	str_fini(&w->in);
	w->pid = 0;
	if (ret_status)
		*ret_status = status;
}

/* Takes one whole frame off w->in; 0 when there is none yet. */
static char take_frame(struct worker *w, struct str *body)
{
	uint32_t len;
	if (w->in.len < FRAME_HEAD)
		return 0;
	memcpy(&len, w->in.buf + 1, sizeof len);
	if (w->in.len - FRAME_HEAD < len)
		return 0;
	char type = w->in.buf[0];
	str_clear(body);
	str_addn(body, w->in.buf + FRAME_HEAD, len);
	size_t rest = w->in.len - FRAME_HEAD - len;
	memmove(w->in.buf, w->in.buf + FRAME_HEAD + len, rest);
	w->in.len = rest;
	return type;
}

/* The worker's end of the socket is closed, and it has not reported. */
static void ended_silently(struct worker *w, struct err *e)
{
	int status;
	worker_reap(w, &status);
	if (WIFSIGNALED(status)) {
		err_set(e, ERR_SYS, "a worker process (%s) was killed by signal %d (%s)", w->name, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	} else if (WEXITSTATUS(status) > MUTE) {
		errno = WEXITSTATUS(status) - MUTE;
		err_sys(e, "write the report of a worker process (%s)", w->name);
	} else {
		err_set(e, ERR_SYS, "a worker process (%s) ended without a report", w->name);
	}
}

enum worker_event worker_read(struct worker *w, struct str *text, struct err *e)
{
	for (;;) {
		char type = take_frame(w, text);
		if (type == 'L')
			return WORKER_LINE;
		if (type == 'R') {
			worker_reap(w, NULL);
			return WORKER_DONE;
		}
		if (type == 'E') {
			if (text->len == sizeof *e)
				memcpy(e, text->buf, sizeof *e);
			else
				err_set(e, ERR_SYS, "a worker process (%s) sent a broken report", w->name);
			worker_reap(w, NULL);
			return WORKER_FAILED;
		}
		str_reserve(&w->in, 65536);
		ssize_t n = fd_read(w->fd, w->in.buf + w->in.len, 65536);
		if (n < 0 && errno == EAGAIN)
			return WORKER_AGAIN;
		if (n < 0) {
			err_sys(e, "read the report of a worker process (%s)", w->name);
			worker_kill(w);
			return WORKER_FAILED;
		}
		if (n == 0) {
			ended_silently(w, e);
			return WORKER_FAILED;
		}
		w->in.len += (size_t)n;
	}
}

void worker_kill(struct worker *w)
{
	if (!w->pid)
		return;
	kill(w->pid, SIGKILL);
	worker_reap(w, NULL);
}

int worker_wait(struct worker *w, void (*line)(void *ctx, const char *text), void *ctx, struct str *result,
		struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	for (;;) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for a worker process (%s)", w->name);
		switch (worker_read(w, &text, e)) {
		case WORKER_AGAIN:
			break;
		case WORKER_LINE:
			if (line)
				line(ctx, text.buf);
			break;
		case WORKER_DONE:
			if (result)
				str_addn(result, str_text(&text), text.len);
			return 0;
		case WORKER_FAILED:
			return -1;
		}
	}
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum { PROC_STDERR_MAX = 4096 };

/* Feeds stdin and gathers stdout and stderr until both are closed; false when time is up. */
static int exchange(int in, int out, int err_pipe, const char *input, struct str *stdout_text, size_t out_limit,
		    struct str *stderr_text, int timeout_ms, struct err *e)
{
	size_t left = input ? strlen(input) : 0;
	int64_t deadline = now_ms() + timeout_ms;
	char buf[4096];
	struct pollfd p[3] = { { .fd = out, .events = POLLIN }, { .fd = err_pipe, .events = POLLIN },
			       { .fd = left ? in : -1, .events = POLLOUT } };
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		int64_t wait = timeout_ms ? deadline - now_ms() : -1;
		if (timeout_ms && wait <= 0)
			return err_set(e, ERR_SYS, "no answer within %d seconds", timeout_ms / 1000);
		if (poll(p, 3, (int)wait) < 0 && errno != EINTR)
			return err_sys(e, "wait for its output");
		if (p[2].fd >= 0 && (p[2].revents & (POLLOUT | POLLERR | POLLHUP))) {
			ssize_t n = write(in, input, left);
			if (n > 0) {
				input += n;
				left -= (size_t)n;
			}
			/* It need not read all that it is given. */
			if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EPIPE && errno != ECONNRESET)
				return err_sys(e, "write its input");
			if (left == 0 || (n < 0 && (errno == EPIPE || errno == ECONNRESET))) {
				shutdown(in, SHUT_WR);
				p[2].fd = -1;
			}
		}
		for (int i = 0; i < 2; i++) {
			if (p[i].fd < 0 || !(p[i].revents & (POLLIN | POLLHUP | POLLERR)))
				continue;
			ssize_t n = fd_read(p[i].fd, buf, sizeof buf);
			if (n < 0)
				return err_sys(e, "read its %s", i ? "messages" : "output");
			if (n == 0) {
				p[i].fd = -1;
				continue;
			}
			if (i == 0 && stdout_text) {
				str_addn(stdout_text, buf, (size_t)n);
				if (stdout_text->len > out_limit)
					return err_set(e, ERR_LIMIT, "prints more than %zu bytes", out_limit);
			} else if (i == 1 && stderr_text->len < PROC_STDERR_MAX) {
				str_addn(stderr_text, buf, (size_t)n);
			}
		}
	}
	return 0;
}

static int not_started(const char *program, int why, struct err *e)
{
	errno = why;
	err_sys(e, "run %s", program);
	/* EACCES is also what a directory of PATH gives that we may not search. */
	if (why == ENOENT || why == ENOTDIR || why == EACCES)
		e->kind = ERR_NOTFOUND;
	return -1;
}

static _Noreturn void become(const char *const *argv, pid_t parent, int report_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	default_signals();
	(void)setsid();
	if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && proc_die_with_parent(parent) == 0)
		execvp(argv[0], (char *const *)argv);
	int why = errno;
	(void)!write(report_fd, &why, sizeof why);
	_exit(127);
}

/* Why there was no exec; false at the end of file that the exec makes. */
static bool take_why(int fd, int *ret_why)
{
	ssize_t n = fd_read(fd, ret_why, sizeof *ret_why);
	if (n < 0)
		*ret_why = errno;
	return n != 0;
}

int proc_start(const char *const *argv, pid_t *ret, struct err *e)
{
	int ex[2], why;
	if (pipe2(ex, O_CLOEXEC) < 0)
		return err_sys(e, "run %s", argv[0]);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become(argv, parent, ex[1]);
	close(ex[1]);
	AUTO(fd_drop) int report = ex[0];
	if (pid < 0)
		return err_sys(e, "run %s", argv[0]);
	if (take_why(report, &why)) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return not_started(argv[0], why, e);
	}
	*ret = pid;
	return 0;
}

/* Ours is [0]. */
struct pipes {
	int in[2], out[2], messages[2], exec[2];
};

static void pair_drop(int *pair)
{
	fd_drop(&pair[0]);
	fd_drop(&pair[1]);
}

static void pipes_drop(struct pipes *p)
{
	pair_drop(p->in);
	pair_drop(p->out);
	pair_drop(p->messages);
	pair_drop(p->exec);
}

static int pipes_make(struct pipes *p)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->in) < 0 || pipe2(p->out, O_CLOEXEC) < 0 ||
			       pipe2(p->messages, O_CLOEXEC) < 0 || pipe2(p->exec, O_CLOEXEC) < 0
		       ? -1
		       : 0;
}

static _Noreturn void run_in_child(const char *const *argv, pid_t parent, const struct pipes *p)
{
	default_signals();
	if (proc_die_with_parent(parent) == 0 && dup2(p->in[1], 0) == 0 && dup2(p->out[1], 1) == 1 &&
	    dup2(p->messages[1], 2) == 2)
		execvp(argv[0], (char *const *)argv);
	int why = errno;
	(void)!write(p->exec[1], &why, sizeof why);
	_exit(127);
}

static int ended_badly(const char *program, int status, struct str *text, struct err *e)
{
	while (text->len && text->buf[text->len - 1] == '\n')
		text->buf[--text->len] = '\0';
	err_set(e, ERR_CHILD, "%s failed (%s %d)%s%s", program, WIFEXITED(status) ? "exit status" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), text->len ? ": " : "", str_text(text));
	e->status = status;
	return -1;
}

int proc_run(const char *const *argv, const char *input, struct str *out, size_t out_limit, int timeout_ms,
	     struct err *e)
{
	AUTO(pipes_drop) struct pipes p;
	int why = 0, status = 0, r;
	if (pipes_make(&p) < 0)
		return err_sys(e, "run %s", argv[0]);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "run %s", argv[0]);
	if (pid == 0)
		run_in_child(argv, parent, &p);
	fd_drop(&p.in[1]);
	fd_drop(&p.out[1]);
	fd_drop(&p.messages[1]);
	fd_drop(&p.exec[1]);
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	sigaction(SIGPIPE, &ignore, &old);
	if (!input)
		shutdown(p.in[0], SHUT_WR);
	AUTO(str_fini) struct str text = { 0 };
	if (take_why(p.exec[0], &why)) {
		r = not_started(argv[0], why, e);
	} else {
		fcntl(p.in[0], F_SETFL, O_NONBLOCK);
		r = exchange(p.in[0], p.out[0], p.messages[0], input, out, out_limit, &text, timeout_ms, e);
		if (r < 0)
			err_in(e, "%s", argv[0]);
	}
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGPIPE, &old, NULL);
	return r == 0 && status != 0 ? ended_badly(argv[0], status, &text, e) : r;
}
