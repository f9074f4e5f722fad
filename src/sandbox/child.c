#include "child_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/syscalls.h"
#include "foreign_priv.h"
#include "net_priv.h"
#include "rootfs_priv.h"
#include "sync_priv.h"

void report_failure(const struct launch *l, const struct err *e)
{
	while (write(l->report_fd, e, sizeof *e) < 0 && errno == EINTR)
		;
	_exit(1);
}

static int ascending(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

void close_all_but(int *keep, size_t n)
{
	unsigned next = 3;
	qsort(keep, n, sizeof *keep, ascending);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 3)
			continue;
		if ((unsigned)keep[i] > next)
			(void)sys_close_range(next, (unsigned)keep[i] - 1);
		next = (unsigned)keep[i] + 1;
	}
	(void)sys_close_range(next, ~0u);
}

static int set_up(struct launch *l, struct rootfs *r, struct user_ids *ids, struct err *e)
{
	const struct sandbox_plan *p = l->plan;
	umask(0);
	if (p->foreign)
		l->foreign_fd = foreign_register(p->foreign);
	if (rootfs_prepare(r, p, e) < 0 || rootfs_pivot(r, e) < 0)
		return -1;
	/* Before the mounts, as BuildKit: the image's passwd counts, and the directory belongs to the layer. */
	if (user_resolve(r->root_fd, p->user, ids, e) < 0 || rootfs_make_cwd(r, p->cwd, ids, e) < 0)
		return -1;
	if (rootfs_mount(r, p, e) < 0)
		return -1;
	if (p->net == SANDBOX_NET_NONE && net_loopback_up(e) < 0)
		return -1;
	if (sethostname(p->hostname, strlen(p->hostname)) < 0)
		return err_sys(e, "set the host name %s", p->hostname);
	return 0;
}

/*
 * Hides the builder's command line. What the command still needs may itself be words of it, so it is copied first into
 * *plan, which takes the place of the caller's.
 */
static void hide_cmdline(struct launch *l, struct sandbox_plan *plan)
{
	size_t n = 0;
	*plan = *l->plan;
	while (plan->argv[n])
		n++;
	char **argv = x_alloc((n + 1) * sizeof *argv);
	for (size_t i = 0; i < n; i++)
		argv[i] = x_strdup(plan->argv[i]);
	plan->argv = (const char *const *)argv;
	plan->cwd = x_strdup(plan->cwd);
	l->plan = plan;
	cmdline_replace(l->cmdline, "init");
}

_Noreturn void child_main(struct launch *l)
{
	struct rootfs r;
	struct sandbox_plan plan;
	struct err e = { 0 };
	struct user_ids *ids = x_alloc(sizeof *ids);
	/* The guard's death is ours. The wait that follows fails when it was dead already; then it has said why. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		err_sys(&e, "ask for a signal at the guard's death");
	if (e.kind || sync_await(l->sync_fd, SYNC_IDS_MAPPED, &e) < 0)
		report_failure(l, &e);
	/*
	 * We are a copy of the builder, with its environment and secrets in memory. Not dumpable, we belong to the
	 * first user namespace for ptrace(2) and /proc/1, so not even a command with all capabilities can look (T-D5).
	 */
	prctl(PR_SET_DUMPABLE, 0);
	if (set_up(l, &r, ids, &e) < 0)
		report_failure(l, &e);
	hide_cmdline(l, &plan);
	/*
	 * Not fork: the command shares our memory until its exec, while we stand still, which saves two copies of the
	 * builder's page tables. It only ever leaves by exec or _exit, and nothing it writes is read here afterwards.
	 */
	pid_t command = vfork();
	if (command < 0) {
		err_sys(&e, "start the command");
		report_failure(l, &e);
	}
	if (command == 0)
		command_main(l, ids);
	init_main(l, command, &r.stubs);
}
