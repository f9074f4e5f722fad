/* Between fork and exec: the last process before the command, in the finished root. Only _exit leaves it otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "base/vec.h"
#include "caps_priv.h"
#include "child_priv.h"
#include "lookup_priv.h"
#include "mkpath_priv.h"
#include "rlimits_priv.h"
#include "seccomp_priv.h"

static void reset_signals(void)
{
	sigset_t none;
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Without a terminal a session of its own, so that /dev/tty is nobody's; with one, it is the foreground of it. */
static int take_session(const struct launch *l, struct err *e)
{
	if (!l->plan->tty || l->own_terminal) {
		if (setsid() < 0)
			return err_sys(e, "start a session");
		if (l->plan->tty && ioctl(l->plan->stdin_fd, TIOCSCTTY, 0) < 0)
			return err_sys(e, "take the terminal");
		return 0;
	}
	/* Changing the foreground from the background raises SIGTTOU, which is still blocked here. */
	if (setpgid(0, 0) < 0 || tcsetpgrp(l->plan->stdin_fd, getpgrp()) < 0)
		return err_sys(e, "become the foreground of the terminal");
	return 0;
}

enum { STAGING_FD = 16, REPORT_FD = 3 };

/* 0, 1, 2 as planned, the report pipe as 3, nothing else. By way of high numbers: a source may be 0 to 3 itself. */
static int set_stdio(struct launch *l, struct err *e)
{
	const int wanted[3] = { l->plan->stdin_fd, l->plan->stdout_fd, l->plan->stderr_fd };
	int staged[3], report = fcntl(l->report_fd, F_DUPFD_CLOEXEC, STAGING_FD);
	if (report < 0)
		return err_sys(e, "keep the report pipe");
	for (int i = 0; i < 3; i++) {
		AUTO(fd_drop) int null = wanted[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
		staged[i] = fcntl(wanted[i] < 0 ? null : wanted[i], F_DUPFD_CLOEXEC, STAGING_FD);
		if (staged[i] < 0)
			return err_sys(e, "open standard stream %d", i);
	}
	if (dup3(report, REPORT_FD, O_CLOEXEC) < 0)
		return err_sys(e, "keep the report pipe");
	l->report_fd = REPORT_FD;
	for (int i = 0; i < 3; i++)
		if (dup2(staged[i], i) < 0)
			return err_sys(e, "set standard stream %d", i);
	if (sys_close_range(REPORT_FD + 1, ~0u) < 0)
		return err_sys(e, "close descriptors");
	return 0;
}

/* Pipes are the builder's; a user other than root could not open them again as /dev/stdout. Files are left alone. */
static void give_stdio(const struct launch *l, const struct user_ids *ids)
{
	for (int fd = 0; ids->uid && fd < 3; fd++) {
		struct stat st;
		if (fstat(fd, &st) == 0 &&
		    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || (l->own_terminal && isatty(fd))))
			(void)!fchown(fd, ids->uid, (gid_t)-1);
	}
}

static int make_plain(void *ctx, int parent_fd, const char *name, bool directory, struct err *e)
{
	return mkdirat(parent_fd, name, 0755) < 0 ? err_sys(e, "make the directory %s", name) : 0;
}

/* A mount may have covered the directory that was made in the layer; then it is made once more, in the mount. */
static int enter_cwd(const char *cwd, struct err *e)
{
	char at[PATH_MAX];
	AUTO(free_drop) char *path = path_rooted(cwd);
	AUTO(fd_drop) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd_drop) int fd = -1;
	if (root < 0)
		return err_sys(e, "open /");
	if (mkpath_open(root, path, true, make_plain, NULL, &fd, e) < 0)
		return err_in(e, "working directory %s", path);
	if (fchdir(fd) < 0)
		return err_sys(e, "working directory %s", path);
	/* The raw call: a directory outside the root reads "(unreachable)", which libc hides (CVE-2024-21626). */
	if (syscall(SYS_getcwd, at, sizeof at) <= 0 || at[0] != '/')
		return err_set(e, ERR_SANDBOX, "working directory %s is outside the root", path);
	return 0;
}

static int become_user(const struct user_ids *ids, struct err *e)
{
	gid_t groups[ARRAY_LEN(ids->groups) + 1] = { ids->gid };
	/* The primary group too: without it, a setgid program could shed it to pass "group may not" (CVE-2022-2990). */
	for (size_t i = 0; i < ids->n_groups; i++)
		groups[i + 1] = ids->groups[i];
	if (setgroups(ids->n_groups + 1, groups) < 0 || setresgid(ids->gid, ids->gid, ids->gid) < 0 ||
	    setresuid(ids->uid, ids->uid, ids->uid) < 0)
		return err_sys(e, "become user %u:%u", ids->uid, ids->gid);
	return 0;
}

/* From here on less with every line; each step needs what a later one gives up. */
static int give_up_power(const struct launch *l, const struct user_ids *ids, struct err *e)
{
	if (!l->plan->insecure && caps_bound(e) < 0)
		return -1;
	/* Without no_new_privs, so that setuid programs work, a filter needs CAP_SYS_ADMIN: before it is gone. */
	if (l->filter && filter_load(l->filter, e) < 0)
		return -1;
	/* Away from root, the kernel clears permitted and effective capabilities by itself. */
	if (l->plan->insecure && caps_keep(e) < 0)
		return -1;
	if (become_user(ids, e) < 0)
		return -1;
	if (l->plan->insecure)
		return caps_raise(e);
	return ids->uid == 0 ? caps_limit(e) : 0;
}

static int prepare_command(struct launch *l, const struct user_ids *ids, struct err *e)
{
	if (take_session(l, e) < 0 || set_stdio(l, e) < 0)
		return -1;
	reset_signals();
	rlimits_reset();
	umask(022);
	/* A keyring of its own; the caller's keys are not the step's. Without keys in the kernel there is nothing to
	 * hide. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (enter_cwd(l->plan->cwd, e) < 0)
		return -1;
	give_stdio(l, ids);
	return give_up_power(l, ids, e);
}

_Noreturn void command_main(const struct launch *shared, const struct user_ids *ids)
{
	struct err e = { 0 };
	/* Our memory is init's until the exec, and it goes on with the descriptors it has. */
	struct launch mine = *shared, *l = &mine;
	AUTO(strv_fini) struct strv env = { 0 };
	AUTO(free_drop) char *file = NULL;
	strv_copy(&env, l->plan->env);
	if (!env_get(&env, "HOME"))
		env_set(&env, "HOME", ids->home[0] ? ids->home : "/");
	if (prepare_command(l, ids, &e) < 0 || command_lookup(l->plan->argv[0], env_get(&env, "PATH"), &file, &e) < 0)
		report_failure(l, &e);
	if (rlimits_apply(l->plan->limits, l->plan->n_limits, &e) < 0)
		report_failure(l, &e);
	execve(file, (char *const *)l->plan->argv, strv_argv(&env));
	command_refused(&e, l->plan->argv[0], "", errno);
	report_failure(l, &e);
}
