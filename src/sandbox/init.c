/*
 * Process 1 of a step: waits for the command, reaps what others leave, passes signals on, and cleans up. When it ends,
 * the kernel kills whatever is left in the pid namespace.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/vec.h"
#include "child_priv.h"
#include "stubs_priv.h"
#include "sync_priv.h"

static void close_the_rest(const struct launch *l, const struct stubs *stubs, int signal_fd)
{
	VEC(int) keep = { 0 };
	vec_push(&keep, l->life_fd);
	vec_push(&keep, l->sync_fd);
	vec_push(&keep, l->report_fd);
	vec_push(&keep, signal_fd);
	if (l->foreign_fd >= 0)
		vec_push(&keep, l->foreign_fd);
	for (size_t i = 0; i < stubs->nodes.n; i++)
		if (stubs->nodes.v[i].upper_fd >= 0)
			vec_push(&keep, stubs->nodes.v[i].upper_fd);
	close_all_but(keep.v, keep.n);
	vec_fini(&keep);
}

/* Reaps all that have ended; true when the command was among them. */
static bool reap(pid_t command, int *ret_status)
{
	bool ended = false;
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (pid == command) {
			*ret_status = status;
			ended = true;
		}
	}
	return ended;
}

/* Signals are blocked since before the first fork, so none is lost; those of the step's own processes are not for us to
 * act on. */
static void pass_on(const struct signalfd_siginfo *info, pid_t command)
{
	/* A sender outside our pid namespace, such as the guard, has pid 0 here. */
	if (info->ssi_signo != SIGCHLD && info->ssi_pid == 0)
		(void)kill(command, (int)info->ssi_signo);
}

static int wait_for_command(const struct launch *l, int signal_fd, pid_t command, int *ret_status, struct err *e)
{
	while (!reap(command, ret_status)) {
		struct pollfd p[2] = { { .fd = signal_fd, .events = POLLIN }, { .fd = l->life_fd, .events = POLLIN } };
		struct signalfd_siginfo info;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for the command of a step");
		if (p[1].revents)
			_exit(1);
		if (p[0].revents && fd_read(signal_fd, &info, sizeof info) == sizeof info)
			pass_on(&info, command);
	}
	return 0;
}

_Noreturn void init_main(struct launch *l, pid_t command, struct stubs *stubs)
{
	sigset_t all;
	struct err e = { 0 };
	int status = 0;
	sigfillset(&all);
	int signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0) {
		err_sys(&e, "watch for signals to a step");
		report_failure(l, &e);
	}
	close_the_rest(l, stubs, signal_fd);
	if (wait_for_command(l, signal_fd, command, &status, &e) < 0)
		report_failure(l, &e);
	if (stubs->nodes.n) {
		/* Nobody may be left who could put things in the way of the cleaning. */
		(void)kill(-1, SIGKILL);
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			;
		/* The layer of a command that failed is not used, and its own status says more. */
		if (stubs_clean(stubs, &e) < 0 && status == 0)
			report_failure(l, &e);
	}
	if (sync_tell_status(l->sync_fd, status, &e) < 0)
		report_failure(l, &e);
	_exit(0);
}
