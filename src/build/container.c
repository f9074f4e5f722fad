#include "build/container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "build_priv.h"
#include "build/image_set.h"
#include "sandbox/netfiles.h"

/* The layers of the image as trees; the jobs that make them are the build's. */
static int get_trees(struct build *b, struct base_image *i, struct err *e)
{
	for (;;) {
		int r = slots_need_trees(b, NULL, i->slots.v, i->slots.n, e);
		if (r <= 0)
			return r;
		while (b->jobs.n) {
			struct job *j = b->jobs.v[0];
			AUTO(str_fini) struct str result = { 0 };
			struct err failed;
			int w = worker_wait(&j->worker, NULL, NULL, &result, &failed);
			r = j->done(b, j, &result, w < 0 ? &failed : NULL, e);
			b->jobs.v[0] = b->jobs.v[--b->jobs.n];
			free(j);
			if (r < 0)
				return -1;
		}
	}
}

/* What to run: Entrypoint then Cmd, either replaced by the user (as docker run does). */
static int command_of(const struct container_options *o, const struct image_config *c, struct strv *argv, struct err *e)
{
	if (o->entrypoint) {
		if (*o->entrypoint)
			strv_push(argv, o->entrypoint);
	} else {
		strv_copy(argv, &c->entrypoint);
	}
	strv_copy(argv, o->command.n ? &o->command : o->entrypoint ? &o->command : &c->cmd);
	if (!argv->n)
		return err_set(e, ERR_USAGE, "image %s has no command; say which to run", o->image);
	return 0;
}

static void add_file(struct sandbox_mount *m, const char *target, const char *text)
{
	*m = (struct sandbox_mount){
		.kind = SANDBOX_MOUNT_FILE,
		.target = x_strdup(target),
		.readonly = true,
		.source_fd = -1,
		.content = text,
		.content_len = strlen(text),
		.mode = 0644,
		.optional = true,
	};
}

/* Waits for its end; signals to us go to it. */
static int wait_for(struct sandbox *s, int *ret_status, struct err *e)
{
	sigset_t forward, old;
	sigemptyset(&forward);
	sigaddset(&forward, SIGINT);
	sigaddset(&forward, SIGTERM);
	sigaddset(&forward, SIGHUP);
	sigaddset(&forward, SIGQUIT);
	sigprocmask(SIG_BLOCK, &forward, &old);
	AUTO(fd_drop) int signals = signalfd(-1, &forward, SFD_CLOEXEC | SFD_NONBLOCK);
	for (;;) {
		struct pollfd p[2] = { { .fd = s->pidfd, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
		struct signalfd_siginfo info;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents && fd_read(signals, &info, sizeof info) == (ssize_t)sizeof info)
			sandbox_signal(s, (int)info.ssi_signo);
		if (p[0].revents)
			break;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return sandbox_finish(s, ret_status, e);
}

static void env_of(const struct container_options *o, const struct image_config *c, struct strv *ret)
{
	strv_copy(ret, &c->env);
	for (size_t k = 0; k < o->env.n; k++) {
		AUTO(free_drop) char *name = x_strndup(o->env.v[k], strcspn(o->env.v[k], "="));
		const char *value = strchr(o->env.v[k], '=') ? strchr(o->env.v[k], '=') + 1 : getenv(name);
		if (value)
			env_set(ret, name, value);
	}
	if (isatty(STDIN_FILENO) && getenv("TERM") && !env_get(ret, "TERM"))
		env_set(ret, "TERM", getenv("TERM"));
}

static int start_and_wait(struct build *b, const struct container_options *o, struct base_image *i, int *ret_status,
			  struct err *e)
{
	const struct image_config *c = &i->image.config;
	AUTO(strv_fini) struct strv argv = { 0 };
	AUTO(strv_fini) struct strv env = { 0 };
	AUTO(free_drop) int *lower = x_alloc((i->slots.n + 1) * sizeof *lower);
	AUTO(fd_drop) int upper = -1;
	AUTO(fd_drop) int work = -1;
	const char *hostname = o->hostname ? o->hostname : "nacre";
	AUTO(free_drop) char *hosts = sandbox_hosts_text(hostname, "");
	AUTO(free_drop) char *resolv = NULL;
	AUTO(foreign_fini) struct foreign foreign = { 0 };
	struct sandbox_mount mounts[2];
	struct platform host;
	struct sandbox s;
	unsigned id;
	env_of(o, c, &env);
	platform_host(&host);
	if (sandbox_resolv_text(o->net, &resolv, e) < 0 || command_of(o, c, &argv, e) < 0 ||
	    work_dir(b, &id, &upper, &work, e) < 0)
		return -1;
	for (size_t k = 0; k < i->slots.n; k++)
		lower[k] = i->slots.v[i->slots.n - 1 - k]->tree_fd;
	add_file(&mounts[0], "/etc/resolv.conf", resolv);
	add_file(&mounts[1], "/etc/hosts", hosts);
	if (!platform_runs_on(&c->platform, &host))
		foreign_find(c->platform.arch, &foreign);
	struct sandbox_plan plan = {
		.userns = &b->userns,
		.lower_fds = lower,
		.n_lower = i->slots.n,
		.upper_fd = upper,
		.work_fd = work,
		.argv = (const char *const *)strv_argv(&argv),
		.env = &env,
		.cwd = o->workdir ? o->workdir : c->working_dir && *c->working_dir ? c->working_dir : "/",
		.user = o->user ? o->user : c->user ? c->user : "",
		.hostname = hostname,
		.net = o->net,
		.foreign = foreign.arch ? &foreign : NULL,
		.mounts = mounts,
		.n_mounts = 2,
		.stdin_fd = STDIN_FILENO,
		.stdout_fd = STDOUT_FILENO,
		.stderr_fd = STDERR_FILENO,
		.tty = isatty(STDIN_FILENO),
	};
	int r = sandbox_start(&plan, &s, e);
	free(mounts[0].target);
	free(mounts[1].target);
	if (r == 0)
		r = wait_for(&s, ret_status, e);
	if (r < 0 && foreign.arch)
		foreign_explain(&foreign, e);
	return r;
}

int container_run(struct store *s, const struct container_options *o, int *ret_status, struct err *e)
{
	struct build b = { .store = s, .tmp_fd = -1 };
	struct build_options none = { 0 };
	struct base_image i = { 0 };
	b.options = &none;
	int r = image_find(s, o->image, &i.manifest, e);
	if (r == 0)
		r = image_choose(s, &i.manifest, NULL, &i.manifest, e);
	if (r == 0)
		r = base_image_load(&b, &i, e);
	if (r == 0)
		r = build_userns(&b, e);
	if (r == 0)
		r = get_trees(&b, &i, e);
	if (r == 0)
		r = start_and_wait(&b, o, &i, ret_status, e);
	base_image_fini(&i);
	build_clean(&b);
	if (b.userns_open)
		userns_fini(&b.userns);
	vec_fini(&b.jobs);
	return r;
}
