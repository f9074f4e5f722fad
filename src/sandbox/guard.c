/*
 * The guard: our child, outside the step's namespaces but root of the build's user namespace. It makes process 1 and
 * writes its id maps, watches the caller's life pipe, and ends with the command's own wait status.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "child_priv.h"
#include "clone_priv.h"
#include "idmap_priv.h"
#include "refuse_priv.h"
#include "sync_priv.h"

int inner_start(struct launch *l, enum sandbox_net net, inner_fn *inner, pid_t *ret_pid, struct err *e)
{
	int pair[2];
	unsigned flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	if (net == SANDBOX_NET_NONE)
		flags |= CLONE_NEWNET;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket between the processes of a step");
	pid_t pid = clone_into(flags);
	if (pid < 0)
		return refuse_new_namespace(e, "make the namespaces of a step");
	if (pid == 0) {
		close(pair[0]);
		l->sync_fd = pair[1];
		inner(l);
	}
	close(pair[1]);
	l->sync_fd = pair[0];
	if (idmap_write_file(pid, "uid_map", &l->uid_map, e) < 0 || idmap_write_file(pid, "gid_map", &l->gid_map, e) < 0 ||
	    sync_tell(l->sync_fd, SYNC_IDS_MAPPED, e) < 0)
		return -1;
	*ret_pid = pid;
	return 0;
}

/* True when the caller wants the end; other signals are for the command. */
static bool pass_on(int signal_fd, pid_t init)
{
	struct signalfd_siginfo info;
	while (fd_read(signal_fd, &info, sizeof info) == sizeof info) {
		if ((int)info.ssi_signo == GUARD_KILL)
			return true;
		if (info.ssi_signo != SIGCHLD)
			(void)kill(init, (int)info.ssi_signo);
	}
	return false;
}

/* Until the step is over, one way or another: the status the command had, or init's when it did not come that far. */
static int watch(const struct launch *l, int signal_fd, pid_t init, int *ret_status, struct err *e)
{
	int status, of_init = 0;
	pid_t ended;
	while ((ended = waitpid(init, &of_init, WNOHANG)) == 0) {
		struct pollfd p[2] = { { .fd = signal_fd, .events = POLLIN }, { .fd = l->life_fd, .events = POLLIN } };
		if ((poll(p, 2, -1) < 0 && errno != EINTR) || p[1].revents ||
		    (p[0].revents && pass_on(signal_fd, init))) {
			(void)kill(init, SIGKILL);
			break;
		}
	}
	/* Its death is that of everything in the pid namespace, and of the mounts. */
	while (!ended && waitpid(init, &of_init, 0) < 0 && errno == EINTR)
		;
	int told = sync_take_status(l->sync_fd, &status, e);
	*ret_status = told > 0 ? status : of_init;
	return told;
}

/* Ends so that wait(2) tells our parent what it told us. */
static _Noreturn void end_like(int status)
{
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);
		sigset_t none;
		/* It is not this process that should leave a core file. */
		prctl(PR_SET_DUMPABLE, 0);
		(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(sig, SIG_DFL);
		sigemptyset(&none);
		kill(getpid(), sig);
		sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(128 + sig);
	}
	_exit(WEXITSTATUS(status));
}

/* Away from the terminal's Ctrl-C: it is the caller who decides what that means. */
static int leave_terminal(pid_t foreground, struct err *e)
{
	return (foreground < 0 ? setsid() : setpgid(0, 0)) < 0 ? err_sys(e, "leave the caller's process group") : 0;
}

_Noreturn void guard_main(struct launch *l)
{
	struct err e = { 0 };
	sigset_t all;
	pid_t init, foreground = l->plan->tty && !l->own_terminal ? tcgetpgrp(l->plan->stdin_fd) : -1;
	sigfillset(&all);
	int status, signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		err_sys(&e, "watch for signals to a step");
	if (signal_fd < 0 || leave_terminal(foreground, &e) < 0 || userns_join(l->plan->userns, &e) < 0 ||
	    inner_start(l, l->plan->net, child_main, &init, &e) < 0)
		report_failure(l, &e);
	int keep[5] = { l->life_fd, l->sync_fd, l->report_fd, signal_fd, foreground < 0 ? 0 : l->plan->stdin_fd };
	close_all_but(keep, ARRAY_LEN(keep));
	if (watch(l, signal_fd, init, &status, &e) < 0)
		report_failure(l, &e);
	/* The terminal is as it was for whoever had it. */
	if (foreground > 0)
		(void)tcsetpgrp(l->plan->stdin_fd, foreground);
	end_like(status);
}
