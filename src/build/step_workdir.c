/* WORKDIR: a directory that is made, as a layer of its own (CFG-01). */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "build_priv.h"
#include "copy_priv.h"

struct workdir {
	char *path, *user;
	bool looked_up;
};

static void workdir_free(void *work)
{
	struct workdir *w = work;
	free(w->path);
	free(w->user);
	free(w);
}

static void write_key(struct build *b, struct step *step, const struct chainid *parent)
{
	const struct workdir *w = step->work;
	key_begin(&step->key, "workdir");
	key_digest(&step->key, "parent", &parent->d);
	key_str(&step->key, "path", w->path);
	key_str(&step->key, "user", w->user);
	if (b->has_epoch)
		json_kv_int(&step->key.fields, "epoch", b->epoch);
	key_end(&step->key);
	step->has_key = true;
}

static int workdir_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct layer_job *l = ctx;
	struct stage *st = l->step->stage;
	const struct workdir *w = l->step->work;
	struct copy_owner owner = { 0 };
	struct copy_from image = { .slots = st->slots.v, .n_slots = st->slots.n, .view = st->view, .spool_fd = -1 };
	if (l->build->userns_open && userns_join(&l->build->userns, e) < 0)
		return -1;
	if (*w->user && owner_resolve(l->build, &image, w->user, &owner, e) < 0)
		return -1;
	AUTO(free_drop) char *dir = path_rooted(w->path);
	if (copy_plan_mkdir(l->build, st->view, dir, 0755, &owner, e) < 0)
		return -1;
	return layer_job_write(l, st->view, r, result, e);
}

/* An absolute path is stored as it is written, "/a/" or "/a/../b"; joining a relative one cleans it. */
static char *workdir_of(const struct image_config *c, const char *text)
{
	const char *now = c->working_dir && *c->working_dir ? c->working_dir : "/";
	if (!*text)
		return x_strdup(now);
	if (*text == '/')
		return x_strdup(text);
	AUTO(free_drop) char *joined = path_join(now, text);
	return path_rooted(joined);
}

static int workdir_new(struct stage *st, struct step *step, struct err *e)
{
	AUTO(free_drop) char *text = NULL;
	struct image_config *c = &st->config;
	if (scope_expand(st, step->in, step->in->args.v[0], &text, e) < 0)
		return -1;
	struct workdir *w = x_alloc(sizeof *w);
	w->path = workdir_of(c, text);
	w->user = x_strdup(c->user ? c->user : "");
	step->work = w;
	step->work_free = workdir_free;
	step->write_key = write_key;
	free(c->working_dir);
	c->working_dir = x_strdup(w->path);
	return 0;
}

/* CP-15 */
static int check_user(const struct stage *st, const struct workdir *w, struct err *e)
{
	if (!owner_has_name(w->user) || !stage_is_void(st))
		return 0;
	err_set(e, ERR_BUILD, "WORKDIR as user %s: invalid user index: scratch has no /etc/passwd to look a name up in",
		w->user);
	return err_hint(e, "give the user and group as numbers");
}

int step_workdir(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	struct workdir *w = step->work;
	if (!w) {
		if (workdir_new(st, step, e) < 0)
			return -1;
		w = step->work;
		bool root = strcmp(w->path, "/") == 0;
		step_history(st, step, x_asprintf("WORKDIR %s", w->path), root);
		if (root) {
			step->write_key = NULL;
			progress_step_start(b->progress, step);
			layer_job_applied(st, step);
			return 0;
		}
		if (check_user(st, w, e) < 0)
			return -1;
	}
	if (!w->looked_up) {
		int hit = layer_job_cached(b, st, step, e);
		if (hit != 1)
			return hit == 2 ? 1 : hit;
		w->looked_up = true;
	}
	progress_step_start(b->progress, step);
	int r = slots_need_blobs(b, step, st->slots.v, st->slots.n, e);
	if (r)
		return r;
	AUTO(strv_fini) struct strv want = { 0 };
	view_want(&want, w->path, w->user);
	r = view_update(b, step, st->slots.v, st->slots.n, &want, &st->view, &st->view_layers, e);
	if (r)
		return r;
	return layer_job_launch(b, st, step, "nacre-workdir", workdir_work, e);
}
