/*
 * One command in a sandbox, without a store or a Dockerfile: what tests/integration/sandbox.sh looks at, and a tool to
 * try a change with. Exit status: the command's, 128+N for signal N, 125 when the sandbox did not start.
 *
 *   sandbox_try -p
 *   sandbox_try [-l LOWER]... [-s] [-n] [-i] [-t] [-r TIMES] [-U USER] [-C CWD] [-F TARGET=TEXT]... [-B TARGET=DIR]...
 *               [-R TARGET=DIR]... [-T TARGET=DIR]... [-M TARGET]... DIR COMMAND...
 *
 * DIR gets the directories upper and work. -p: only the probe. -s: FROM scratch. -n: network none. -i: insecure.
 * -t: terminal. -r: so many times, with the time of each. -F: file, -B: bind, -R: read-only bind, -T: writable tree,
 * -M: tmpfs. SIGTERM and SIGHUP are passed to the command; SIGUSR1 kills the sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/tree.h"
#include "base/vec.h"
#include "sandbox/sandbox.h"
#include "sandbox/status.h"

static _Noreturn void die(const struct err *e)
{
	fprintf(stderr, "sandbox_try: %s%s%s\n", e->id, *e->id ? ": " : "", e->msg);
	exit(e->status ? WEXITSTATUS(e->status) : 125);
}

static int open_dir(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		perror(path);
		exit(125);
	}
	return fd;
}

/* "TARGET=VALUE"; the value, borrowed from arg. */
static const char *add_target(struct sandbox_mount *m, const char *arg)
{
	size_t len = strcspn(arg, "=");
	m->target = x_strndup(arg, len);
	return arg + len + (arg[len] == '=');
}

static volatile sig_atomic_t caught;

static void catch (int sig)
{
	caught = sig;
}

/* Until the sandbox has ended; false when it was killed instead. */
static bool wait_for(struct sandbox *s)
{
	sigset_t none;
	sigemptyset(&none);
	for (;;) {
		struct pollfd ended = { .fd = s->pidfd, .events = POLLIN };
		if (ppoll(&ended, 1, NULL, &none) > 0)
			return true;
		if (caught == SIGUSR1) {
			sandbox_kill(s);
			return false;
		}
		sandbox_signal(s, caught);
	}
}

/* Blocked but while waiting, so that none comes between the look and the wait. */
static void catch_signals(void)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGUSR1 };
	struct sigaction act = { .sa_handler = catch };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &act, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int run(struct sandbox_plan *p, const char *dir)
{
	struct err e = { 0 };
	struct sandbox s;
	AUTO(fd_drop) int dir_fd = open_dir(dir);
	(void)tree_remove(dir_fd, "work");
	(void)mkdirat(dir_fd, "upper", 0755);
	(void)mkdirat(dir_fd, "work", 0755);
	AUTO(fd_drop) int upper = openat(dir_fd, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd_drop) int work = openat(dir_fd, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	p->upper_fd = upper;
	p->work_fd = work;
	if (sandbox_start(p, &s, &e) < 0)
		die(&e);
	int status;
	if (!wait_for(&s))
		return SIGKILL;
	if (sandbox_finish(&s, &status, &e) < 0)
		die(&e);
	return status;
}

struct options {
	struct sandbox_plan plan;
	VEC(int) lower;
	VEC(struct sandbox_mount) mounts;
	int times;
};

static void add_mount(struct options *o, int opt, const char *arg)
{
	struct sandbox_mount *m = vec_add(&o->mounts);
	const char *value = add_target(m, arg);
	m->mode = opt == 'M' ? 01777 : 0644;
	m->readonly = opt == 'F' || opt == 'R';
	if (opt == 'F') {
		m->kind = SANDBOX_MOUNT_FILE;
		m->content = value;
		m->content_len = strlen(value);
	} else if (opt == 'T') {
		int *tree = x_alloc(sizeof *tree);
		*tree = open_dir(value);
		m->kind = SANDBOX_MOUNT_TREE;
		m->lower_fds = tree;
		m->n_lower = 1;
	} else if (opt == 'M') {
		m->kind = SANDBOX_MOUNT_TMPFS;
	} else {
		m->kind = SANDBOX_MOUNT_BIND;
		m->source_fd = open_dir(value);
	}
}

static int probe(void)
{
	struct err e = { 0 };
	if (sandbox_probe(&e) < 0)
		die(&e);
	return 0;
}

static void set_option(struct options *o, int opt, const char *arg)
{
	struct sandbox_plan *p = &o->plan;
	switch (opt) {
	case 'p':
		exit(probe());
	case 'l':
		vec_push(&o->lower, open_dir(arg));
		break;
	case 's':
		break;
	case 'n':
		p->net = SANDBOX_NET_NONE;
		break;
	case 'i':
		p->insecure = true;
		break;
	case 't':
		p->tty = true;
		p->stdin_fd = 0;
		break;
	case 'r':
		o->times = atoi(arg);
		break;
	case 'U':
		p->user = arg;
		break;
	case 'C':
		p->cwd = arg;
		break;
	case '?':
		exit(125);
	default:
		add_mount(o, opt, arg);
	}
}

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct userns ns;
	struct strv env = { 0 };
	struct options o = { .times = 1 };
	int opt, status = 0;
	o.plan = (struct sandbox_plan){ .userns = &ns,
					.env = &env,
					.cwd = "/",
					.user = "",
					.hostname = "buildkitsandbox",
					.stdin_fd = -1,
					.stdout_fd = 1,
					.stderr_fd = 2 };
	strv_push(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	while ((opt = getopt(argc, argv, "+pl:snitr:U:C:F:B:R:T:M:")) != -1)
		set_option(&o, opt, optarg);
	if (argc - optind < 2)
		return 125;
	o.plan.argv = (const char *const *)argv + optind + 1;
	o.plan.lower_fds = o.lower.v;
	o.plan.n_lower = o.lower.n;
	o.plan.mounts = o.mounts.v;
	o.plan.n_mounts = o.mounts.n;
	if (userns_open(&ns, &e) < 0)
		die(&e);
	catch_signals();
	double start = now_ms();
	for (int i = 0; i < o.times; i++)
		status = run(&o.plan, argv[optind]);
	if (o.times > 1)
		fprintf(stderr, "%.3f ms each\n", (now_ms() - start) / o.times);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	char *words = status_in_words(status);
	fprintf(stderr, "%s\n", words);
	free(words);
	return 128 + WTERMSIG(status);
}
