/* What `nacre doctor` asks: everything a step does before its command runs, on throw-away directories. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "child_priv.h"
#include "dev_priv.h"
#include "idmap_priv.h"
#include "mounts_priv.h"
#include "overlay_priv.h"
#include "proc_sys_priv.h"
#include "refuse_priv.h"
#include "sandbox/sandbox.h"
#include "sandbox/status.h"
#include "seccomp_priv.h"
#include "sync_priv.h"

/* On a tmpfs: whether the store's own file system carries an overlay shows only there. */
static int try_overlay(struct err *e)
{
	static const char *const names[] = { "lower", "upper", "work" };
	struct scratch scratch = { .fd = -1 };
	int dir, fds[ARRAY_LEN(names)], mnt;
	if (scratch_get(&scratch, &dir, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (mkdirat(dir, names[i], 0755) < 0 || (fds[i] = openat(dir, names[i], O_PATH | O_CLOEXEC)) < 0)
			return err_sys(e, "make a directory on tmpfs");
	const struct overlay o = { .lower = &fds[0], .n_lower = 1, .upper = fds[1], .work = fds[2] };
	return overlay_open(&o, &mnt, e);
}

static int try_mounts(struct err *e)
{
	struct dev dev;
	int mnt;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return refuse_namespace(e, "make mounts private");
	if (dev_prepare(&dev, -1, e) < 0 || proc_open(&mnt, e) < 0 || sys_open(SANDBOX_NET_HOST, false, &mnt, e) < 0)
		return -1;
	return try_overlay(e);
}

static void probe_inner(struct launch *l)
{
	struct err e = { 0 };
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		err_sys(&e, "ask for a signal at the parent's death");
	if (e.kind || sync_await(l->sync_fd, SYNC_IDS_MAPPED, &e) < 0 || try_mounts(&e) < 0 || (l->filter && filter_load(l->filter, &e) < 0))
		report_failure(l, &e);
	_exit(0);
}

static int ended(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static _Noreturn void probe_main(struct launch *l, const struct userns *u)
{
	struct err e = { 0 };
	pid_t pid;
	if (userns_join(u, &e) < 0 || inner_start(l, SANDBOX_NET_NONE, probe_inner, &pid, &e) < 0)
		report_failure(l, &e);
	int status = ended(pid);
	if (status) {
		AUTO(free_drop) char *words = status_in_words(status);
		err_set(&e, ERR_SANDBOX, "process 1 of a trial step: %s", words);
		report_failure(l, &e);
	}
	_exit(0);
}

static int probe_with(struct launch *l, const struct userns *u, struct err *e)
{
	int report[2];
	struct err why;
	idmap_nested(u->map.uid, u->map.n_uid, &l->uid_map);
	idmap_nested(u->map.gid, u->map.n_gid, &l->gid_map);
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe to the processes of a step");
	AUTO(fd_drop) int in = report[0];
	AUTO(fd_drop) int out = report[1];
	l->report_fd = out;
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "start the probe of a sandbox");
	if (pid == 0)
		probe_main(l, u);
	fd_drop(&out);
	ssize_t n = fd_read(in, &why, sizeof why);
	if (n < 0)
		err_sys(&why, "read the report of a probe");
	int status = ended(pid);
	if (n == 0 && status) {
		AUTO(free_drop) char *words = status_in_words(status);
		return err_set(e, ERR_SANDBOX, "the guard of a trial step: %s", words);
	}
	if (n == 0)
		return 0;
	*e = why;
	return -1;
}

int sandbox_probe(struct err *e)
{
	struct userns u;
	struct launch l = { .life_fd = -1 };
	if (!(l.filter = filter_get(e)) || userns_open(&u, e) < 0)
		return -1;
	int r = probe_with(&l, &u, e);
	str_fini(&l.uid_map);
	str_fini(&l.gid_map);
	userns_fini(&u);
	return r;
}
