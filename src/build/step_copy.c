/* COPY and ADD as steps: select, look up, plan, write (SEMANTICS sections 12 and 13). */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "build_priv.h"
#include "copy_step_priv.h"
#include "depfile_priv.h"
#include "graph_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"

static void copy_free(void *work)
{
	struct copy *c = work;
	git_trees_free(c->trees, c->spec.git.n);
	copy_spec_fini(&c->spec);
	strv_fini(&c->named);
	if (c->fetch_done)
		fsview_fini(&c->fetched_view);
	archive_spool_free(c->fetched.archive);
	content_drop(&c->from);
	archive_spool_free(c->from.archive);
	free(c);
}

/* ---- what the instruction says ---- */

static char *history_text(const struct df_instruction *in, const struct copy_spec *spec, const char *dest)
{
	struct str s = { 0 };
	str_add(&s, df_op_name(in->op));
	if (spec->parents)
		str_add(&s, " --parents");
	if (spec->chown)
		str_addf(&s, " --chown=%s", spec->chown);
	if (spec->chmod_text)
		str_addf(&s, " --chmod=%s", spec->chmod_text);
	for (size_t i = 0; i < spec->words.n; i++)
		str_addf(&s, " %s", spec->words.v[i]);
	for (size_t i = 0; i < spec->files.n; i++)
		str_addf(&s, " <<%s", spec->files.v[i].name);
	str_addf(&s, " %s # buildkit", dest);
	return str_take(&s);
}

static void write_key(struct build *b, struct step *step, const struct chainid *parent)
{
	const struct copy *c = step->work;
	struct cache_key *k = &step->key;
	key_begin(k, c->spec.add ? "add" : "copy");
	if (!c->spec.link)
		key_digest(k, "parent", &parent->d);
	copy_content_key(step, k);
	key_str(k, "dest", c->spec.dest);
	key_str(k, "chown", c->spec.chown);
	key_str(k, "chmod", c->spec.chmod_text);
	if (c->spec.git.n) {
		json_put_key(&k->fields, "git");
		json_begin(&k->fields, '[');
		for (size_t i = 0; i < c->spec.git.n; i++)
			git_key(&c->spec.git.v[i], k);
		json_end(&k->fields, ']');
	}
	if (c->spec.git.n && c->spec.words.n > c->spec.git.n)
		key_strv(k, "order", &c->spec.words);
	key_strv(k, "exclude", &c->spec.excludes);
	if (c->spec.link)
		json_kv_bool(&k->fields, "link", true);
	if (c->spec.parents)
		json_kv_bool(&k->fields, "parents", true);
	if (c->spec.no_unpack || c->spec.unpack_remote)
		json_kv_bool(&k->fields, "unpack", c->spec.unpack_remote);
	if (b->has_epoch) /* the time of directories made on the way */
		json_kv_int(&k->fields, "epoch", b->epoch);
	if (b->options->reproducible)
		json_kv_bool(&k->fields, "clamped", true);
	key_end(k);
	step->has_key = true;
}

/* With --link the destination is a file system of its own, as empty as scratch (CP-15, CP-18). */
static int check_owner(const struct stage *st, const struct copy_spec *spec, struct err *e)
{
	if (!owner_has_name(spec->chown) || !(spec->link || stage_is_void(st)))
		return 0;
	err_set(e, ERR_BUILD, "--chown=%s: invalid user index: no /etc/passwd to look a name up in %s", spec->chown,
		spec->link ? "with --link" : "on scratch");
	return err_hint(e, "give the user and group as numbers");
}

static struct copy *copy_new(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	const struct df_instruction *in = step->in;
	struct copy *c = x_alloc(sizeof *c);
	AUTO(free_drop) char *dest = NULL;
	c->from.spool_fd = c->fetched.spool_fd = -1;
	step->work = c;
	step->work_free = copy_free;
	step->write_key = write_key;
	step->missed = copy_content_missed;
	step->told = copy_content_told;
	c->from_name = (char *)df_flag_get(in, "from");
	const char *cwd = st->config.working_dir && *st->config.working_dir ? st->config.working_dir : "/";
	struct df_scope scope = { .env = &st->env, .escape = b->file.escape };
	if (copy_spec_read(in, &scope, cwd, &c->spec, &dest, e) < 0)
		return NULL;
	if (c->spec.chown && check_owner(st, &c->spec, e) < 0)
		return NULL;
	step->alone = c->spec.link;
	step_history(st, step, history_text(in, &c->spec, dest), false);
	return c;
}

/* ---- where sources are read ---- */

static int use_stage(struct build *b, struct step *step, struct copy *c, struct stage *other, struct err *e)
{
	if (!other->finished || slots_need_layers(b, other->slots.v, other->slots.n))
		return 1;
	int r = view_update(b, step, other->slots.v, other->slots.n, NULL, &other->view, &other->view_layers, e);
	if (r)
		return r;
	c->from.slots = other->slots.v;
	c->from.n_slots = other->slots.n;
	c->from.view = other->view;
	return 0;
}

static int use_image(struct build *b, struct stage *st, struct step *step, struct copy *c, const char *reference,
		     struct err *e)
{
	struct base_image *i;
	int r = base_image_need(b, step, reference, b->target_given ? &st->graph->target : NULL, &i, e);
	if (r)
		return r;
	r = view_update(b, step, i->slots.v, i->slots.n, NULL, &i->view, &i->view_layers, e);
	if (r)
		return r;
	c->from.slots = i->slots.v;
	c->from.n_slots = i->slots.n;
	c->from.view = i->view;
	return 0;
}

static int use_directory(struct build *b, struct step *step, struct copy *c, struct context *dir,
			 const char *dockerfile, struct err *e)
{
	int r = context_need(b, step, dir, dockerfile, e);
	if (r)
		return r;
	if (dir->kind == CONTEXT_DIR) {
		context_words(b, dir->name, &c->named);
		c->from.named = &c->named;
	}
	c->from.context = dir;
	c->from.view = &dir->view;
	return 0;
}

static int find_from(struct build *b, struct stage *st, struct step *step, struct copy *c, struct err *e)
{
	struct stage *other;
	if (!c->from_name)
		return use_directory(b, step, c, &b->context, b->file_path, e);
	struct named_context *named = named_context_find(st->graph, c->from_name);
	if (named && named->is_dir) {
		c->spec.from_image = false;
		return use_directory(b, step, c, &named->dir, NULL, e);
	}
	if (named)
		return use_image(b, st, step, c, named->reference, e);
	if (stage_named_from(st, step->in, c->from_name, &other, e) < 0)
		return -1;
	if (other)
		return use_stage(b, step, c, other, e);
	return use_image(b, st, step, c, c->from_name, e);
}

/* ---- URLs ---- */

static int fetch_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct step *step = j->step;
	struct copy *c = step->work;
	(void)b;
	c->fetch = NULL;
	int r = 0;
	if (failed) {
		*e = *failed;
		r = -1;
	} else {
		r = remote_result(result, &c->spec.urls, &c->fetched, &c->fetched_view, e);
		c->fetch_done = true;
	}
	if (r == 0 && c->spec.checksum) {
		const struct fsnode *n = c->fetched_view.root->kids[0]->kids[0];
		struct digest_text got = digest_text(&n->digest);
		if (strcmp(got.s, c->spec.checksum) != 0)
			r = err_set(e, ERR_INTEGRITY, "digest mismatch of %s: --checksum says %s, it has %s",
				    c->spec.urls.v[0], c->spec.checksum, got.s);
	}
	if (r < 0) {
		e->line = step->in->line;
		e->line_end = step->in->line_end;
	}
	return r;
}

static int fetch_urls(struct build *b, struct step *step, struct copy *c, struct err *e)
{
	if (!c->spec.urls.n || c->fetch_done)
		return 0;
	if (c->fetch)
		return 1;
	progress_step_start(b->progress, step);
	c->fetch = remote_start(b, step, &c->spec.urls, e);
	if (!c->fetch)
		return -1;
	c->fetch->done = fetch_done;
	return 1;
}

static int resolve_done(struct build *b, struct job *j, const struct str *result, const struct err *failed,
			struct err *e)
{
	struct copy *c = j->step->work;
	(void)b;
	c->git = NULL;
	if (failed) {
		*e = *failed;
		e->line = j->step->in->line;
		e->line_end = j->step->in->line_end;
		return -1;
	}
	c->git_done = true;
	return git_commits_read(&c->spec, result, e);
}

static int resolve_git(struct build *b, struct step *step, struct copy *c, struct err *e)
{
	if (!c->spec.git.n || c->git_done)
		return 0;
	if (c->git)
		return 1;
	progress_step_start(b->progress, step);
	c->git = git_resolve_start(b, step, &c->spec, e);
	if (!c->git)
		return -1;
	c->git->done = resolve_done;
	return 1;
}

/* ---- the layer ---- */

/* image: where links are followed; NULL with --link */
static int copy_files(struct layer_job *l, const struct copy_owner *owner, struct copy_from *image, struct fsview *dest,
		      struct worker_report *r, struct str *result, struct err *e)
{
	struct copy *c = l->step->work;
	AUTO(copy_selection_fini) struct copy_selection s = { 0 };
	if (copy_content_select(c, &s, e) < 0 || copy_content_check(l->step, &s, e) < 0 ||
	    git_trees_select(c->trees, &c->spec, &s, e) < 0)
		return -1;
	copy_selection_sort(&s);
	if (copy_plan(l->build, &s, &c->spec, owner, dest, image, e) < 0)
		return -1;
	return copy_content_write(l, &s, dest, r, result, e);
}

static int copy_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct layer_job *l = ctx;
	struct stage *st = l->step->stage;
	struct copy *c = l->step->work;
	AUTO(fsview_fini) struct fsview empty = { 0 };
	struct copy_owner owner = { 0 };
	struct copy_from image = { .slots = st->slots.v, .n_slots = st->slots.n, .view = st->view, .spool_fd = -1 };
	struct fsview *dest = st->view;
	if (c->spec.link) {
		fsview_init(&empty);
		dest = &empty;
	}
	/* git runs as the user, before this process becomes another. */
	if (git_trees_fill(l->build, &c->spec, c->trees, e) < 0)
		return -1;
	if (l->build->userns_open && userns_join(&l->build->userns, e) < 0)
		return -1;
	if (c->spec.chown && owner_resolve(l->build, &image, c->spec.chown, &owner, e) < 0)
		return -1;
	layer_job_look_back(l);
	int done = copy_files(l, &owner, c->spec.link ? NULL : &image, dest, r, result, e);
	layer_job_forget(l);
	return done;
}

int step_copy(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	struct copy *c = step->work;
	if (!c) {
		c = copy_new(b, st, step, e);
		if (!c)
			return -1;
	}
	if (!c->from_ready) {
		int r = find_from(b, st, step, c, e);
		if (r)
			return r;
		c->from_ready = true;
	}
	int fetching = fetch_urls(b, step, c, e);
	if (fetching == 0)
		fetching = resolve_git(b, step, c, e);
	if (fetching)
		return fetching;
	if (!c->content_known && c->doubted) {
		int r = slots_need_blobs(b, step, c->from.slots, c->from.n_slots, e);
		if (r)
			return r;
	}
	int reading = copy_content_need(b, st, step, e);
	if (reading)
		return reading;
	if (!c->looked_up) {
		int hit = layer_job_cached(b, st, step, e);
		if (hit != 1)
			return hit == 2 ? 1 : hit;
		c->looked_up = true;
	}
	if (jobs_full(b))
		return 1;
	progress_step_start(b->progress, step);
	int wait = slots_need_blobs(b, step, c->from.slots, c->from.n_slots, e);
	/* What is written depends on what the layers below hold, so none of them is taken at another's word. */
	if (wait == 0 && (!c->spec.link || c->spec.chown))
		wait = slots_need_blobs(b, step, st->slots.v, st->slots.n, e);
	if (wait)
		return wait;
	AUTO(strv_fini) struct strv want = { 0 };
	view_want(&want, c->spec.link ? NULL : c->spec.dest, c->spec.chown);
	if (want.n) {
		int r = view_update(b, step, st->slots.v, st->slots.n, &want, &st->view, &st->view_layers, e);
		if (r)
			return r;
	}
	if (c->spec.git.n && git_trees_new(b, &c->spec, &c->trees, e) < 0)
		return -1;
	return layer_job_launch(b, st, step, "nacre-copy", copy_work, e);
}

int step_copy_depends(struct step *step, struct depfile *d, struct err *e)
{
	struct copy *c = step->work;
	return c ? depfile_add(d, &c->from, &c->spec, e) : 0;
}

struct layer_slot *const *step_copy_slots(const struct step *step, size_t *ret_n)
{
	bool copies = step->in->op == DF_COPY || step->in->op == DF_ADD;
	const struct copy *c = copies ? step->work : NULL;
	*ret_n = c ? c->from.n_slots : 0;
	return c ? c->from.slots : NULL;
}
