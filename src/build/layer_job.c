/* Steps whose layer a worker writes: RUN's packing, COPY, ADD, WORKDIR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "build_priv.h"
#include "copy_priv.h"
#include "room_priv.h"
#include "share_priv.h"
#include "step_claim_priv.h"
#include "why_priv.h"
#include "oci/layer_reuse.h"
#include "oci/layer_writer.h"
#include "oci/time.h"
#include "oci/tree_writer.h"

/* "DIFFID MEDIATYPE DIGEST SIZE" */
void layer_job_result(const struct layer *layer, struct str *result)
{
	str_addf(result, "%s %s %s %llu", digest_text(&layer->diffid.d).s, layer->blob.media_type,
		 digest_text(&layer->blob.digest).s, (unsigned long long)layer->blob.size);
}

static int parse_result(const char *text, struct layer *ret, struct err *e)
{
	char diffid[80], media_type[128], digest[80];
	unsigned long long size;
	if (sscanf(text, "%79s %127s %79s %llu", diffid, media_type, digest, &size) != 4)
		return err_set(e, ERR_SYS, "a worker sent a broken layer report");
	if (digest_parse(diffid, &ret->diffid.d, e) < 0 || digest_parse(digest, &ret->blob.digest, e) < 0)
		return -1;
	ret->blob.media_type = x_strdup(media_type);
	ret->blob.size = size;
	return 0;
}

static int layer_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct layer_slot *slot = j->slot;
	struct step *step = j->step;
	slot->job = NULL;
	if (step->job == j)
		step->job = NULL;
	int r = 0;
	if (failed) {
		*e = *failed;
		r = -1;
	} else {
		const char *p = str_text(result);
		if (step->late)
			r = step->told(b, step, &p, p + result->len, e);
		if (r == 0)
			r = parse_result(p, &slot->layer, e);
	}
	if (r < 0 && !e->line) {
		e->line = step->in->line;
		e->line_end = step->in->line_end;
	}
	if (r == 0) {
		slot->resolved = true;
		if (slot->tree_fd >= 0)
			slot->tree_ready = true;
		step->ended_ms = step->ended_ms ? step->ended_ms : now_ms();
		b->store_dirty = true;
	}
	slot_unref(slot);
	return r;
}

int layer_job_start(struct build *b, struct step *step, struct layer_slot *slot, const char *name, worker_fn *fn,
		    struct err *e)
{
	struct layer_job ctx = { .build = b, .step = step, .format = b->format, .slot = slot };
	if (!ctx.format.threads)
		ctx.format.threads = build_cpus(b);
	ctx.format.clamps = b->options->reproducible;
	ctx.format.latest = b->epoch;
	struct job *j = job_worker(b, step, name, fn, &ctx, e);
	if (!j)
		return -1;
	j->done = layer_done;
	j->slot = slot_ref(slot);
	slot->job = j;
	return 0;
}

/* The layer as it is before compression, and the tree. */
static void take_room(struct layer_job *l, struct fsview *dest, struct worker_report *report, struct room *ret,
		      uint64_t *ret_tree)
{
	uint64_t size = l->build->room ? copy_measure(dest) : 0;
	*ret_tree = l->slot->tree_fd >= 0 ? size : 0;
	room_take(l->build, report, 0, size + *ret_tree, ret);
}

/*
 * The layer that this step gave in the last build, for what has not changed since. A tree needs all files in any case, and
 * little is written as quickly as it is looked up.
 */
void layer_job_look_back(struct layer_job *l)
{
	enum { WORTH = 128 << 10 };
	struct build *b = l->build;
	struct layer layer = { 0 };
	bool before = l->looked_back;
	l->looked_back = true;
	if (before || l->slot->tree_fd >= 0 || rerun_option(b, l->step) || why_earlier_layer(b, l->step, &layer) != 0)
		return;
	if (layer.blob.size >= WORTH)
		l->earlier = layer_reuse_start(b->store, &layer, &l->format);
	descriptor_fini(&layer.blob);
}

static struct layer_reuse *earlier_layer(struct layer_job *l)
{
	layer_job_look_back(l);
	return layer_reuse_wait(ptr_take(&l->earlier));
}

void layer_job_forget(struct layer_job *l)
{
	layer_reuse_free(layer_reuse_wait(ptr_take(&l->earlier)));
}

/* 1: the earlier layer is not what it should be. */
static int write_layer(struct layer_job *l, struct fsview *dest, struct layer_reuse *earlier, struct tree_writer *tree,
		       struct layer *ret, struct err *e)
{
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	if (layer_writer_open(l->build->store, &l->format, tree, &w, e) < 0)
		return -1;
	int r = copy_emit(l->build, dest, earlier, w, e);
	if (r == 0)
		r = layer_writer_finish(w, ret, e);
	return r < 0 && layer_writer_misfit(w) ? 1 : r;
}

int layer_job_write(struct layer_job *l, struct fsview *dest, struct worker_report *report, struct str *result,
		    struct err *e)
{
	struct layer layer = { 0 };
	struct room room;
	uint64_t tree_size;
	take_room(l, dest, report, &room, &tree_size);
	struct tree_writer *tree = l->slot->tree_fd >= 0 ? tree_writer_new(l->slot->tree_fd) : NULL;
	AUTO(layer_reuse_drop) struct layer_reuse *earlier = earlier_layer(l);
	int r = write_layer(l, dest, earlier, tree, &layer, e);
	if (r == 1) {
		log_debug("%s: %s; all files are read", l->step->title, e->msg);
		r = write_layer(l, dest, NULL, tree, &layer, e);
	}
	/* Directories on the way are written as they are, so nothing of the tree is left unsaid. */
	if (r == 0 && tree)
		r = tree_writer_finish(tree, NULL, e);
	tree_writer_free(tree);
	if (r < 0) {
		room_drop(&room);
		return -1;
	}
	room_end(&room, layer.blob.size + tree_size);
	layer_job_result(&layer, result);
	descriptor_fini(&layer.blob);
	return 0;
}

/* True when a RUN further on will want this layer as a tree. */
static bool tree_is_wanted(const struct stage *st)
{
	const struct build *b = st->build;
	for (size_t i = st->pc; i < st->n_triggers; i++)
		if (st->triggers[i].op == DF_RUN)
			return true;
	size_t at = st->df->first + (st->pc > st->n_triggers ? st->pc - st->n_triggers : 0);
	for (size_t i = at; i < stage_end(st); i++)
		if (b->file.instructions.v[i].op == DF_RUN)
			return true;
	return false;
}

int layer_job_launch(struct build *b, struct stage *st, struct step *step, const char *name, worker_fn *fn,
		     struct err *e)
{
	struct layer_slot *slot = slot_new();
	step->slot = slot;
	step->has_layer = true;
	/* Where no namespace is to be had, it is the RUN that has to stop, not this step. */
	struct err refused;
	if (tree_is_wanted(st) && build_userns(b, &refused) == 0 &&
	    work_dir(b, &slot->work_id, &slot->tree_fd, NULL, e) < 0)
		return -1;
	if (layer_job_start(b, step, slot, name, fn, e) < 0)
		return -1;
	vec_push(&st->slots, slot_ref(slot));
	layer_job_applied(st, step);
	return 0;
}

/* 0 found, 1 not; *ret_old: there is one, and it is too old */
static int look_up(struct build *b, const struct step *step, struct step_record *ret, bool *ret_old, struct err *e)
{
	int r = record_get(b, &step->key, ret, e);
	*ret_old = r == 0 && rerun_is_stale(b, ret);
	if (r == 0 && (*ret_old || !ret->has_layer /* not what we wrote */)) {
		step_record_fini(ret);
		r = 1;
	}
	return r;
}

/* Whether a stage beside this one runs it. *ret: 0 its layer was taken, 2 it is not there yet. */
static bool take_twin(struct build *b, struct stage *st, struct step *step, int *ret)
{
	int r = step_twin(b, step);
	if (r == 2)
		return false;
	if (r == 0 && !step->alone)
		st->chain_missed = true;
	if (r == 0)
		layer_job_applied(st, step);
	*ret = r == 0 ? 0 : 2;
	return true;
}

/* Nothing is looked up: it runs here, or in another stage. As layer_job_cached. */
static int run_it(struct build *b, struct stage *st, struct step *step, enum why_cause cause, const char *option)
{
	int r;
	if (take_twin(b, st, step, &r))
		return r;
	why_missed(b, step, cause, option);
	return 1;
}

bool layer_job_is_forced(struct build *b, const struct stage *st, const struct step *step)
{
	return rerun_option(b, step) || (st->chain_missed && st->chain_forced && !step->alone);
}

/* Of a step that is late. As layer_job_cached. */
static int run_late(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	int r;
	if (take_twin(b, st, step, &r))
		return r;
	r = step_claim_early(b, step, e);
	if (r)
		return r < 0 ? -1 : 2;
	bool follows = st->chain_missed && !step->alone;
	st->chain_missed = true;
	step->unclaimed = true;
	why_missed(b, step, follows ? WHY_PARENT : WHY_NO_RECORD, NULL);
	return 1;
}

int layer_job_cached(struct build *b, struct stage *st, struct step *step, struct err *e)
{
	static const struct chainid none;
	struct step_record rec = { 0 };
	if (step->waiting || !share_is_ready(b))
		return 2;
	const char *option = rerun_option(b, step);
	if (option) {
		st->chain_missed = st->chain_forced = true;
		return run_it(b, st, step, WHY_OPTION, option);
	}
	if (slots_settle(b, st->slots.v, st->slots.n, e) < 0)
		return -1;
	bool known = step->alone || !slots_need_layers(b, st->slots.v, st->slots.n);
	/* A step whose parent ran in this build does not wait until that is packed, for the sake of its key: a new
	 * parent practically never leads back to an old one. Once it is packed, another build may have gone on. */
	if (st->chain_missed && !step->alone && (!known || st->chain_forced)) {
		int r = run_it(b, st, step, WHY_PARENT, NULL);
		step->unclaimed = r == 1;
		return r;
	}
	if (!known)
		return 2;
	if (step->late)
		return run_late(b, st, step, e);
	step->write_key(b, step, st->slots.n ? &st->slots.v[st->slots.n - 1]->chain : &none);
	bool old;
	int r = look_up(b, step, &rec, &old, e);
	if (r == 1 && take_twin(b, st, step, &r))
		return r;
	if (r == 1) {
		r = step_claim(b, step, e);
		if (r)
			return r < 0 ? -1 : 2;
		/* Its record may have been written between our look and our claim. */
		r = look_up(b, step, &rec, &old, e);
	}
	if (r == 1) {
		bool follows = st->chain_missed && !step->alone;
		st->chain_missed = true;
		why_missed(b, step, old ? WHY_OLD : follows ? WHY_PARENT : WHY_NO_RECORD, old ? "--fresh" : NULL);
	}
	if (r)
		return r;
	claim_drop(&step->claim);
	if (!step->alone)
		st->chain_missed = false;
	progress_step_start(b->progress, step);
	step_use_record(st, step, &rec);
	step_record_fini(&rec);
	layer_job_applied(st, step);
	return 0;
}

void layer_job_applied(struct stage *st, struct step *step)
{
	struct build *b = st->build;
	step_created(b, step);
	free(st->last_created);
	st->last_created = x_strdup(step->history.created);
}
