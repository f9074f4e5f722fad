/* RUN: a command on the stage's trees, its upper directory packed into a layer (SEMANTICS section 10). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/tree.h"
#include "build_priv.h"
#include "room_priv.h"
#include "run_mounts_priv.h"
#include "depfile_priv.h"
#include "dockerfile/flags.h"
#include "oci/layer_diff.h"
#include "oci/time.h"
#include "sandbox/netfiles.h"
#include "sandbox/status.h"

/* What a RUN is, once variables are known. */
struct run {
	struct strv argv, env, key_env;
	char *script;              /* HERE-09: text of /dev/pipes/NAME; owned */
	char *script_name;
	enum sandbox_net net;
	bool insecure;
	struct run_mounts *mounts; /* owned */
	struct foreign foreign;    /* when this machine is of another architecture */
	int upper_fd, work_fd;
	unsigned work_id;
	char *cwd, *user;
	bool looked_up;
};

static void run_free(void *work)
{
	struct run *r = work;
	strv_fini(&r->argv);
	strv_fini(&r->env);
	strv_fini(&r->key_env);
	free(r->script);
	free(r->script_name);
	free(r->cwd);
	free(r->user);
	run_mounts_free(r->mounts);
	foreign_fini(&r->foreign);
	fd_drop(&r->upper_fd);
	fd_drop(&r->work_fd);
	free(r);
}

/* The command text of a shell-form RUN with heredocs (HERE-08 to HERE-10). The caller owns it. */
static char *heredoc_text(struct run *r, const struct df_instruction *in)
{
	const struct df_heredoc *h = &in->heredocs.v[0];
	if (df_heredoc_find(in, in->args.v[0])) { /* the line is nothing else */
		if (!str_starts(h->body, "#!"))
			return x_strdup(h->body);
		r->script = x_strdup(h->body);
		r->script_name = x_strdup(h->name);
		return x_asprintf("/dev/pipes/%s", h->name);
	}
	struct str full = { 0 };
	str_add(&full, in->args.v[0]);
	for (size_t i = 0; i < in->heredocs.n; i++)
		str_addf(&full, "\n%s%s", in->heredocs.v[i].raw, in->heredocs.v[i].name);
	return str_take(&full);
}

/* The parser has seen to it that the words are known ones. */
static void modes_of(struct build *b, const struct df_instruction *in, struct run *r)
{
	const char *network = df_flag_get(in, "network"), *security = df_flag_get(in, "security");
	r->net = b->options->net;
	if (network && strcmp(network, "none") == 0)
		r->net = SANDBOX_NET_NONE;
	if (network && strcmp(network, "host") == 0)
		r->net = SANDBOX_NET_HOST;
	r->insecure = security && strcmp(security, "insecure") == 0;
}

/* RUN sees ENV and ARG; proxies given on the command line too, which are in no key (ARG-10). */
static void make_env(struct build *b, struct stage *st, struct run *r)
{
	strv_copy(&r->key_env, &st->env);
	strv_copy(&r->env, &st->env);
	scope_add_proxies(b, &r->env);
}

static struct run *run_new(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	struct run *r = x_alloc(sizeof *r);
	const struct df_instruction *in = step->in;
	r->upper_fd = r->work_fd = -1;
	step->work = r;
	step->work_free = run_free;
	AUTO(free_drop) char *text = in->heredocs.n && !in->json ? heredoc_text(r, in) : NULL;
	stage_command(st, in, text, &r->argv);
	if (!r->argv.n) {
		err_set(e, ERR_BUILD, "RUN [] names no command");
		return NULL;
	}
	make_env(b, st, r);
	r->cwd = path_rooted(st->config.working_dir ? st->config.working_dir : "");
	r->user = x_strdup(st->config.user ? st->config.user : "");
	modes_of(b, in, r);
	if (run_options_allow(&b->run_options, in, e) < 0) /* again, for what came with a base image */
		return NULL;
	r->mounts = run_mounts_new(b, st, in, e);
	return r->mounts ? r : NULL;
}

/* "RUN |N k=v … argv # buildkit" (IMG-03). */
static char *history_text(const struct stage *st, const struct run *r)
{
	struct str s = { 0 };
	AUTO(strv_fini) struct strv args = { 0 };
	for (size_t i = 0; i < st->args.n; i++) {
		const char *equals = strchr(st->args.v[i], '=');
		AUTO(free_drop) char *name = x_strndup(st->args.v[i], (size_t)(equals - st->args.v[i]));
		const char *value = env_get(&st->env, name);
		env_set(&args, name, value ? value : equals + 1);
	}
	str_add(&s, "RUN ");
	if (args.n)
		str_addf(&s, "|%zu ", args.n);
	for (size_t i = 0; i < args.n; i++)
		str_addf(&s, "%s ", args.v[i]);
	for (size_t i = 0; i < r->argv.n; i++)
		str_addf(&s, "%s%s", i ? " " : "", r->argv.v[i]);
	str_add(&s, " # buildkit");
	return str_take(&s);
}

static void write_key(struct build *b, struct step *step, const struct chainid *parent)
{
	const struct run *r = step->work;
	struct cache_key *k = &step->key;
	AUTO(free_drop) char *platform = platform_text(&step->stage->platform);
	key_begin(k, "run");
	key_digest(k, "parent", &parent->d);
	key_strv(k, "argv", &r->argv);
	key_strv(k, "env", &r->key_env);
	key_str(k, "cwd", r->cwd);
	key_str(k, "user", r->user);
	key_str(k, "script", r->script);
	key_str(k, "hostname", env_get(&b->build_args, "BUILDKIT_SANDBOX_HOSTNAME"));
	key_str(k, "network", r->net == SANDBOX_NET_NONE ? "none" : "host");
	if (r->insecure)
		json_kv_bool(&k->fields, "insecure", true);
	key_str(k, "platform", platform);
	run_options_key(&b->run_options, k);
	run_mounts_key(r->mounts, k);
	if (b->has_epoch)
		json_kv_int(&k->fields, "epoch", b->epoch);
	if (b->options->reproducible)
		json_kv_bool(&k->fields, "clamped", true);
	key_end(k);
	step->has_key = true;
}

/* ---- the command ---- */

/* On one line, as messages are: a heredoc's ends of lines as they would be typed. */
static char *command_text(const struct strv *argv)
{
	struct str text = { 0 };
	AUTO(free_drop) char *command = strv_join(argv, " ");
	for (const char *line = command;; line++) {
		size_t n = strcspn(line, "\n");
		str_addn(&text, line, n);
		line += n;
		if (!*line)
			return str_take(&text);
		str_add(&text, "\\n");
	}
}

static int on_exit_status(struct step *step, int status, struct err *e)
{
	AUTO(free_drop) char *words = status_in_words(status);
	const struct run *r = step->work;
	AUTO(free_drop) char *command = command_text(&r->argv);
	err_at(e, ERR_CHILD, step->in->line, step->in->line_end, "process \"%.200s\" did not complete successfully: %s",
	       command, words);
	e->status = status;
	return -1;
}

/* Of what the command wrote nobody could tell before; its layer has no more. */
static void take_room(struct layer_job *l, struct worker_report *report, struct room *ret)
{
	const struct run *r = l->step->work;
	uint64_t upper = 0;
	if (l->build->room && tree_bytes(r->upper_fd, ".", &upper) < 0)
		log_debug("%s: %s", l->step->title, strerror(errno)); /* what could not be read is not packed either */
	room_take(l->build, report, upper, upper, ret);
}

static int pack_work(void *ctx, struct worker_report *report, struct str *result, struct err *e)
{
	struct layer_job *l = ctx;
	struct run *r = l->step->work;
	struct time_clamp clamp = { .after = l->build->start_time - 1, .to = l->build->epoch };
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	struct layer layer = { 0 };
	if (userns_join(&l->build->userns, e) < 0)
		return -1;
	/* The kernel's work directory is of no use any more, and not part of the snapshot this becomes. */
	AUTO(free_drop) char *scratch = x_asprintf("%u/work", r->work_id);
	(void)tree_remove(l->build->tmp_fd, scratch);
	AUTO(room_drop) struct room room = { .fd = -1 };
	take_room(l, report, &room);
	if (layer_writer_open(l->build->store, &l->format, NULL, &w, e) < 0)
		return -1;
	if (layer_diff(r->upper_fd, w, l->build->has_epoch ? &clamp : NULL, e) < 0)
		return -1;
	if (layer_writer_finish(w, &layer, e) < 0)
		return -1;
	room_end(&room, layer.blob.size);
	layer_job_result(&layer, result);
	descriptor_fini(&layer.blob);
	return 0;
}

static int run_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct step *step = j->step;
	struct run *r = step->work;
	(void)result;
	step->job = NULL;
	step->ended_ms = now_ms();
	if (failed) {
		*e = *failed;
		if (r->foreign.arch)
			foreign_explain(&r->foreign, e);
		if (!e->line) {
			e->line = step->in->line;
			e->line_end = step->in->line_end;
		}
		return -1;
	}
	if (j->status)
		return on_exit_status(step, j->status, e);
	run_mounts_close(r->mounts);
	struct layer_slot *slot = slot_new();
	slot->tree_fd = fd_dup(r->upper_fd);
	slot->tree_ready = true;
	slot->work_id = r->work_id;
	step->slot = slot;
	step->has_layer = true;
	vec_push(&step->stage->slots, slot_ref(slot));
	return layer_job_start(b, step, slot, "nacre-pack", pack_work, e);
}

static int start(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	struct run *r = step->work;
	int out[2];
	size_t n = st->slots.n;
	const char *given = env_get(&b->build_args, "BUILDKIT_SANDBOX_HOSTNAME");
	const char *hostname = given ? given : "buildkitsandbox";
	if (!b->hosts_text)
		b->hosts_text = sandbox_hosts_text(hostname, str_text(&b->run_options.hosts));
	if (!b->resolv_text[r->net] && sandbox_resolv_text(r->net, &b->resolv_text[r->net], e) < 0)
		return -1;
	if (work_dir(b, &r->work_id, &r->upper_fd, &r->work_fd, e) < 0)
		return -1;
	AUTO(free_drop) int *lower = x_alloc((n + 1) * sizeof *lower);
	for (size_t i = 0; i < n; i++)
		lower[i] = st->slots.v[n - 1 - i]->tree_fd;
	if (!platform_runs_on(&st->platform, &b->host))
		foreign_find(st->platform.arch, &r->foreign);
	struct sandbox_plan plan = {
		.userns = &b->userns,
		.lower_fds = lower,
		.n_lower = n,
		.upper_fd = r->upper_fd,
		.work_fd = r->work_fd,
		.argv = (const char *const *)strv_argv(&r->argv),
		.env = &r->env,
		.cwd = r->cwd,
		.user = r->user,
		.hostname = hostname,
		.net = r->net,
		.foreign = r->foreign.arch ? &r->foreign : NULL,
		.insecure = r->insecure,
		.shm_size = b->run_options.shm_size,
		.limits = b->run_options.limits.v,
		.n_limits = b->run_options.limits.n,
		.stdin_fd = -1,
	};
	if (run_mounts_plan(r->mounts, b, r->script_name, r->script, &plan, &r->env, e) < 0)
		return -1;
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe for the output of a command");
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	plan.stdout_fd = plan.stderr_fd = out[1];
	struct sandbox s;
	int rc = sandbox_start(&plan, &s, e);
	close(out[1]);
	if (rc < 0) {
		close(out[0]);
		return -1;
	}
	step->job = job_command(b, step, &s, out[0]);
	step->job->done = run_done;
	return 0;
}

int step_run(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	struct run *r = step->work;
	if (!r) {
		r = run_new(b, st, step, e);
		if (!r)
			return -1;
		step->write_key = write_key;
		step_history(st, step, history_text(st, r), false);
	}
	if (step->slot) {
		layer_job_applied(st, step);
		return 0;
	}
	if (step->job)
		return 1;
	int wait = run_mounts_ready(r->mounts, b, step, e);
	if (wait)
		return wait;
	if (!r->looked_up) {
		int hit = layer_job_cached(b, st, step, e);
		if (hit != 1)
			return hit == 2 ? 1 : hit;
		r->looked_up = true;
	}
	if (jobs_full(b))
		return 1;
	progress_step_start(b->progress, step);
	wait = slots_need_trees(b, step, st->slots.v, st->slots.n, e);
	if (wait == 0)
		wait = run_mounts_trees(r->mounts, b, step, e);
	if (wait == 0)
		wait = run_mounts_caches(r->mounts, b, step, e);
	if (wait)
		return wait;
	return start(b, st, step, e) < 0 ? -1 : 1;
}

int step_run_depends(struct step *step, struct depfile *d, struct err *e)
{
	const struct run *r = step->work;
	return r ? run_mounts_depends(r->mounts, d, e) : 0;
}
