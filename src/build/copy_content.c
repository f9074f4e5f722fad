/*
 * The digest of what a COPY or ADD selects. It is part of the key, so it comes first: taken here, when the files are few,
 * or in a worker. Then the key is looked up, and at a miss another worker reads the files again and packs them.
 *
 * Where no look-up can come to a hit, the files are read once (step->late): the layer is written at once, its writer
 * takes the digest of each file anyhow, and the key follows from them. To guess wrong would cost time and nothing else:
 * the layer and the key are the same either way.
 */
#include <string.h>

#include "base/log.h"
#include "copy_step_priv.h"
#include "file_list_priv.h"
#include "share_priv.h"
#include "stat_index_priv.h"
#include "step_claim_priv.h"
#include "why_priv.h"

int copy_content_select(struct copy *c, struct copy_selection *s, struct err *e)
{
	if (copy_select(&c->from, &c->spec, s, e) < 0)
		return -1;
	if (c->fetch_done && remote_select(&c->fetched, &c->spec, s, e) < 0)
		return -1;
	copy_selection_sort(s);
	return 0;
}

/* Fails when there is more to read than the budget allows, before a part of it is read. */
static int spend_unread(void *ctx, const struct copy_match *m, const struct copy_spec *spec, struct fsnode *n,
			const char *name, struct err *e)
{
	struct context *c = ctx;
	(void)m;
	(void)spec;
	(void)name;
	return n && n->type == TAR_FILE && !n->has_digest ? context_spend(c, 0, n->size, e) : 0;
}

/* keep: also the list of the files, for later builds that find another digest. */
static int select_digest(struct build *b, struct copy *c, bool keep, struct digest *ret, struct err *e)
{
	struct copy_selection s = { 0 };
	int r = copy_content_select(c, &s, e);
	if (r == 0 && c->from.context && c->from.context->budget)
		r = copy_walk(&s, &c->spec, false, spend_unread, c->from.context, e);
	if (r == 0)
		r = copy_digest(&s, &c->spec, ret, e);
	if (r == 0 && keep)
		file_list_keep(b->store, ret, &s, &c->spec);
	copy_selection_fini(&s);
	return r;
}

/* ---- before there is a key ---- */

/* A few files are looked at here: forking costs more. 1: there are more, or they have to be read, or a large index. */
static int select_here(struct build *b, struct copy *c, struct err *e)
{
	enum { ENTRIES = 500, BYTES = 64 << 10 };
	struct context *context = c->from.context;
	struct context_budget budget = { .entries = ENTRIES, .bytes = BYTES };
	if (!context || context->packed || stat_index_is_large(context->index))
		return 1;
	context->budget = &budget;
	int r = select_digest(b, c, false, &c->content, e);
	context->budget = NULL;
	/* A process of its own goes on with what was seen. */
	if (r < 0 && budget.exceeded)
		return 1;
	context_forget(context);
	if (r < 0)
		return -1;
	c->content_known = c->selected_here = true;
	return 0;
}

/* The worker has kept the list of what it looked at; of what was looked at here it is made when it is wanted. */
void copy_content_missed(struct build *b, struct step *step)
{
	struct copy *c = step->work;
	struct digest again;
	struct err e;
	if (!c->selected_here)
		return;
	if (select_digest(b, c, true, &again, &e) < 0)
		log_debug("%s: %s", step->title, e.msg); /* what copies the files will say so */
	context_forget(c->from.context);
}

/* Whether what a layer holds is known by a cache's word alone. */
static bool is_told(const struct copy_from *from)
{
	for (size_t i = 0; i < from->n_slots; i++)
		if (from->slots[i]->lister)
			return true;
	return false;
}

struct select_job {
	struct build *build;
	struct copy *copy;
};

/* In a worker, since it may read many files. */
static int select_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct select_job *j = ctx;
	struct copy *c = j->copy;
	struct digest d;
	(void)r;
	/* What earlier steps learned is in the builder's index already. */
	size_t known = context_learned(c->from.context);
	if (select_digest(j->build, c, true, &d, e) < 0)
		return -1;
	context_report(c->from.context, known, &d, result);
	return 0;
}

static int select_done(struct build *b, struct job *j, const struct str *result, const struct err *failed,
		       struct err *e)
{
	struct step *step = j->step;
	struct copy *c = step->work;
	(void)b;
	c->select = NULL;
	if (failed && is_told(&c->from)) {
		c->doubted = true;
		return 0;
	}
	if (failed) {
		*e = *failed;
		e->line = step->in->line;
		e->line_end = step->in->line_end;
		return -1;
	}
	const char *p = str_text(result);
	if (context_take(c->from.context, &p, p + result->len, &c->content, e) < 0)
		return -1;
	c->content_known = true;
	return 0;
}

static int start_select(struct build *b, struct step *step, struct copy *c, struct err *e)
{
	struct select_job ctx = { .build = b, .copy = c };
	c->select = job_worker(b, step, "nacre-hash", select_work, &ctx, e);
	if (c->from.context)
		context_forget(c->from.context);
	if (!c->select)
		return -1;
	c->select->done = select_done;
	return 1;
}

/*
 * No look-up can come to a hit: none is made, or no record is like this step's but for the content. ADD may unpack what it
 * reads, and an image, a commit or an archive is known without its files. 0, or 1: what is below has no chain yet.
 */
static int is_late(struct build *b, struct stage *st, struct step *step, bool *ret)
{
	const struct copy *c = step->work;
	struct chainid below;
	*ret = false;
	if (!c->from.context || c->from.context->packed || c->spec.add)
		return 0;
	*ret = layer_job_is_forced(b, st, step);
	if (*ret)
		return 0;
	/* To be waited for anyhow: its listing is what the files are planned on. A step that ran may have come to the layer
	 * it gave before. */
	if (!step_chain_below(step, &below))
		return 1;
	step->undigested = true;
	step->write_key(b, step, &below);
	*ret = !record_is_like(b, &step->key);
	key_fini(&step->key);
	step->has_key = step->undigested = false;
	return 0;
}

int copy_content_need(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	struct copy *c = step->work;
	bool late;
	if (c->content_known || step->late)
		return 0;
	if (c->select || step->waiting)
		return 1;
	int r = c->too_many ? 1 : select_here(b, c, e);
	if (r != 1)
		return r;
	c->too_many = true;
	if (slots_settle(b, st->slots.v, st->slots.n, e) < 0)
		return -1;
	if (is_late(b, st, step, &late))
		return 1;
	step->late = step->undigested = late;
	if (!late)
		return start_select(b, step, c, e);
	context_forget(c->from.context);
	return 0;
}

void copy_content_key(const struct step *step, struct cache_key *k)
{
	const struct copy *c = step->work;
	if (!step->undigested) {
		key_digest(k, "content", &c->content);
		return;
	}
	/* The same words of one context mean the same files. One directory may be several, each with what it ignores. */
	AUTO(strv_fini) struct strv files = { 0 };
	for (size_t i = 0; i < c->spec.files.n; i++) {
		strv_push(&files, c->spec.files.v[i].name);
		strv_push(&files, c->spec.files.v[i].text);
	}
	json_put_key(&k->fields, "content");
	json_begin(&k->fields, '{');
	key_str(k, "context", stat_index_name(c->from.context->index));
	key_str(k, "name", c->from.context->name);
	key_strv(k, "sources", &c->spec.sources);
	key_strv(k, "files", &files);
	json_end(&k->fields, '}');
}

/* ---- while the layer is written ---- */

/* What the key says was read in another process, some time ago: a context that changed since must not become its layer.
 * Without a key, threads read the directories. */
int copy_content_check(const struct step *step, const struct copy_selection *s, struct err *e)
{
	const struct copy *c = step->work;
	struct digest now;
	if (!c->from.context)
		return 0;
	if (step->late)
		return copy_walk(s, &c->spec, false, spend_unread, c->from.context, e);
	if (copy_digest(s, &c->spec, &now, e) < 0)
		return -1;
	if (!digest_eq(&now, &c->content))
		return err_set(e, ERR_BUILD, "the sources changed while the build was reading them");
	return 0;
}

int copy_content_write(struct layer_job *l, const struct copy_selection *s, struct fsview *dest,
		       struct worker_report *report, struct str *result, struct err *e)
{
	const struct copy *c = l->step->work;
	AUTO(str_fini) struct str layer = { 0 };
	struct digest d;
	if (!l->step->late)
		return layer_job_write(l, dest, report, result, e);
	size_t known = context_learned(c->from.context);
	if (layer_job_write(l, dest, report, &layer, e) < 0)
		return -1;
	/* Files that did not get into the layer, because another took their place, are read for it now. */
	if (copy_digest(s, &c->spec, &d, e) < 0)
		return -1;
	file_list_keep(l->build->store, &d, s, &c->spec);
	context_report(c->from.context, known, &d, result);
	str_addn(result, str_text(&layer), layer.len);
	return 0;
}

int copy_content_told(struct build *b, struct step *step, const char **p, const char *end, struct err *e)
{
	struct copy *c = step->work;
	struct chainid below;
	if (context_take(c->from.context, p, end, &c->content, e) < 0)
		return -1;
	c->content_known = true;
	step->undigested = false;
	if (step_chain_below(step, &below))
		step->write_key(b, step, &below);
	why_learned(b, step);
	return 0;
}
