#include "sandbox/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/syscalls.h"
#include "child_priv.h"
#include "idmap_priv.h"
#include "seccomp_priv.h"

/* The ends of the pipes that the guard does not use are closed in it. */
static int fork_guard(struct launch *l, int report_read, int life_write, pid_t *ret_pid, struct err *e)
{
	sigset_t all, old;
	/* Blocked until guard and init look for them: none may run a handler of the builder, or be lost. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = fork();
	if (pid == 0) {
		close(report_read);
		close(life_write);
		guard_main(l);
	}
	int why = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		errno = why;
		return err_sys(e, "start a sandbox");
	}
	*ret_pid = pid;
	return 0;
}

static int start(struct launch *l, struct sandbox *ret, struct err *e)
{
	int report[2], life[2];
	pid_t pid;
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe to the processes of a step");
	AUTO(fd_drop) int report_read = report[0];
	l->report_fd = report[1];
	if (pipe2(life, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe to the processes of a step");
	l->life_fd = life[0];
	AUTO(fd_drop) int life_write = life[1];
	if (fork_guard(l, report_read, life_write, &pid, e) < 0)
		return -1;
	int pidfd = sys_pidfd_open(pid);
	if (pidfd < 0) {
		err_sys(e, "watch the guard of a step");
		kill(pid, GUARD_KILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return -1;
	}
	*ret = (struct sandbox){
		.pid = pid, .pidfd = pidfd, .report_fd = fd_take(&report_read), .life_fd = fd_take(&life_write)
	};
	return 0;
}

int sandbox_start(const struct sandbox_plan *p, struct sandbox *ret, struct err *e)
{
	assert(p->argv[0] && p->env && p->cwd && p->user && p->hostname);
	struct launch l = { .plan = p, .cmdline = cmdline_find(), .report_fd = -1, .life_fd = -1, .sync_fd = -1,
			    .foreign_fd = -1 };
	if (!p->insecure && !(l.filter = filter_get(e)))
		return -1;
	/* tcgetsid answers only for the terminal of our own session, which cannot be given to another one. */
	l.own_terminal = p->tty && tcgetsid(p->stdin_fd) < 0;
	idmap_nested(p->userns->map.uid, p->userns->map.n_uid, &l.uid_map);
	idmap_nested(p->userns->map.gid, p->userns->map.n_gid, &l.gid_map);
	int r = start(&l, ret, e);
	fd_drop(&l.report_fd);
	fd_drop(&l.life_fd);
	str_fini(&l.uid_map);
	str_fini(&l.gid_map);
	return r;
}

static int reap(struct sandbox *s)
{
	int status = 0;
	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	s->pid = 0;
	fd_drop(&s->pidfd);
	fd_drop(&s->life_fd);
	return status;
}

int sandbox_finish(struct sandbox *s, int *ret_status, struct err *e)
{
	struct err why;
	int status = reap(s);
	/* All writers are gone, so this does not block. */
	ssize_t n = fd_read(s->report_fd, &why, sizeof why);
	if (n < 0)
		err_sys(&why, "read the report of a step");
	fd_drop(&s->report_fd);
	if (n != 0) {
		*e = why;
		return -1;
	}
	*ret_status = status;
	return 0;
}

void sandbox_signal(const struct sandbox *s, int sig)
{
	if (s->pid > 0)
		(void)sys_pidfd_send_signal(s->pidfd, sig);
}

void sandbox_kill(struct sandbox *s)
{
	if (s->pid <= 0)
		return;
	/* Not SIGKILL: the guard would be gone before the step is, and the upper directory still in use. */
	sandbox_signal(s, GUARD_KILL);
	(void)reap(s);
	fd_drop(&s->report_fd);
}
