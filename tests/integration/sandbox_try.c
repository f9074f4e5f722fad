/*
 * One command in a sandbox, without a store or a Dockerfile: what tests/integration/sandbox.sh looks at, and a tool to try a
 * change with. Exit status: the command's, 128+N for signal N, 125 when the sandbox did not start.
 *
 *   sandbox_try [-l LOWER]… [-s] [-n] [-i] [-t] [-r TIMES] [-U USER] [-C CWD] [-F TARGET=TEXT]… [-B TARGET=DIR]…
 *               [-T TARGET=DIR]… [-M TARGET]… DIR COMMAND…
 *
 * DIR gets the directories upper and work. -s: FROM scratch. -n: network none. -i: insecure. -t: terminal. -r: again and again, in a fresh upper.
 * -F: file, -B: bind, -R: read-only bind, -T: writable tree, -M: tmpfs. SIGTERM and SIGHUP are passed to the command; SIGUSR1 kills the sandbox.
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

static void catch(int sig)
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

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct userns ns;
	VEC(int) lower = { 0 };
	VEC(struct sandbox_mount) mounts = { 0 };
	int tree[64], times = 1, opt;
	struct strv env = { 0 };
	struct sandbox_plan p = { .cwd = "/", .user = "", .hostname = "buildkitsandbox", .stdin_fd = -1, .stdout_fd = 1, .stderr_fd = 2 };
	strv_push(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	while ((opt = getopt(argc, argv, "+l:snitr:U:C:F:B:R:T:M:")) != -1) {
		struct sandbox_mount *m = strchr("FBRTM", opt) ? vec_add(&mounts) : NULL;
		switch (opt) {
		case 'l': vec_push(&lower, open_dir(optarg)); break;
		case 's': break;
		case 'n': p.net = SANDBOX_NET_NONE; break;
		case 'i': p.insecure = true; break;
		case 't': p.tty = true; p.stdin_fd = 0; break;
		case 'r': times = atoi(optarg); break;
		case 'U': p.user = optarg; break;
		case 'C': p.cwd = optarg; break;
		case 'F':
			m->kind = SANDBOX_MOUNT_FILE;
			m->content = add_target(m, optarg);
			m->content_len = strlen(m->content);
			m->mode = 0644;
			m->readonly = true;
			break;
		case 'R':
		case 'B':
			m->kind = SANDBOX_MOUNT_BIND;
			m->source_fd = open_dir(add_target(m, optarg));
			m->readonly = opt == 'R';
			break;
		case 'T':
			m->kind = SANDBOX_MOUNT_TREE;
			tree[mounts.n - 1] = open_dir(add_target(m, optarg));
			m->lower_fds = &tree[mounts.n - 1];
			m->n_lower = 1;
			break;
		case 'M':
			m->kind = SANDBOX_MOUNT_TMPFS;
			m->target = x_strdup(optarg);
			m->mode = 01777;
			break;
		default: return 125;
		}
	}
	const char *dir = argv[optind];
	p.argv = (const char *const *)argv + optind + 1;
	p.env = &env;
	p.lower_fds = lower.v;
	p.n_lower = lower.n;
	p.mounts = mounts.v;
	p.n_mounts = mounts.n;
	p.userns = &ns;
	if (userns_open(&ns, &e) < 0)
		die(&e);
	catch_signals();
	struct timespec a, b;
	int status = 0;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < times; i++)
		status = run(&p, dir);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (times > 1)
		fprintf(stderr, "%.3f ms each\n", ((double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6) / times);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	char *words = status_in_words(status);
	fprintf(stderr, "%s\n", words);
	free(words);
	return 128 + WTERMSIG(status);
}
