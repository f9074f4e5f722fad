/*
 * One build runs a step; others that want the same wait for its record.
 *
 * A claim is taken where a step is not found under its key, and held until its record is written. A step whose parent
 * is still being packed runs before its key is known; its claim is taken when the parent's record is about to be
 * written, since nobody can know the key sooner. So a build that comes later follows the first one step by step.
 *
 * A step that is late (copy_content.c) claims early what is known of its key: the words and the context's place. Another
 * build that would do the same waits and then takes the digest first, which leads it to the record. Builds that read
 * equal files at another place may both write the layer, and the later record stays.
 *
 * Nobody waits for ever. A stage waits before its step starts and when all below it is packed, so it has no step whose
 * record is still to come; and what is left to do for a claim that is held never waits for the claim of a step.
 *
 * Inside one build no key is needed: a step on the same layers that says the same in another stage is its twin, and gives
 * its layer to both. So each runs once also where nothing is looked up, with --no-cache and on what is still being packed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "build_priv.h"
#include "step_claim_priv.h"

static char *claim_name(const struct step *s)
{
	return x_asprintf("step-%s", digest_hex(&s->key.digest).s);
}

/* What is known before the files are read. */
static char *early_name(struct build *b, struct step *s)
{
	struct chainid below;
	if (!step_chain_below(s, &below))
		return NULL;
	s->write_key(b, s, &below);
	char *name = x_asprintf("read-%s", digest_hex(&s->key.digest).s);
	key_fini(&s->key);
	s->has_key = false;
	return name;
}

static int wait_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	(void)b;
	(void)result;
	j->step->waiting = NULL;
	if (!failed)
		return 0;
	*e = *failed;
	return -1;
}

/* 0 it is ours, 1 a worker waits for who has it. */
static int claim_or_wait(struct build *b, struct step *step, const char *name, struct claim *ret, struct err *e)
{
	static const char note[] = "the same step is running already; waiting for its result";
	if (claim_try(b->store, name, ret))
		return 0;
	progress_step_start(b->progress, step);
	progress_step_line(b->progress, step, note, strlen(note));
	step->waiting = job_wait(b, step, name, e);
	if (!step->waiting)
		return -1;
	step->waiting->done = wait_done;
	return 1;
}

int step_claim(struct build *b, struct step *step, struct err *e)
{
	AUTO(free_drop) char *name = claim_name(step);
	return claim_or_wait(b, step, name, &step->claim, e);
}

int step_claim_early(struct build *b, struct step *step, struct err *e)
{
	AUTO(free_drop) char *name = early_name(b, step);
	int r = claim_or_wait(b, step, name, &step->early, e);
	if (r == 1)
		step->late = step->undigested = false;
	return r;
}

/* The slot below the step's own, or below the one it will have. */
static const struct layer_slot *slot_below(const struct stage *st, const struct step *s)
{
	size_t i = st->slots.n;
	while (s->slot && i > 0 && st->slots.v[--i] != s->slot)
		;
	return i > 0 ? st->slots.v[i - 1] : NULL;
}

bool step_chain_below(const struct step *step, struct chainid *ret)
{
	const struct layer_slot *below = slot_below(step->stage, step);
	if (below && !step->alone && digest_is_zero(&below->chain.d))
		return false;
	*ret = below ? below->chain : (struct chainid){ 0 };
	return true;
}

/* ---- in other stages of this build ---- */

static bool same_layer(const struct layer_slot *x, const struct layer_slot *y)
{
	return x == y || (x && y && !digest_is_zero(&x->chain.d) && digest_eq(&x->chain.d, &y->chain.d));
}

/* What its key says beside what stands below it. The caller owns it. */
static char *own_text(struct build *b, struct step *s)
{
	static const struct chainid none;
	struct cache_key kept = s->key;
	bool had = s->has_key, undigested = s->undigested;
	s->key = (struct cache_key){ 0 };
	s->undigested = s->late; /* also when its files have been read by now, those of the other may not */
	s->write_key(b, s, &none);
	s->undigested = undigested;
	char *text = ptr_take(&s->key.text);
	key_fini(&s->key);
	s->key = kept;
	s->has_key = had;
	return text;
}

static struct step *twin_in(struct build *b, struct stage *other, struct step *step)
{
	const struct layer_slot *below = slot_below(step->stage, step);
	for (size_t i = 0; i < other->steps.n; i++) {
		struct step *s = other->steps.v[i];
		/* Only what was found missing runs. */
		if (!s->why || s->cached || !s->write_key || s->in->op != step->in->op ||
		    !same_layer(slot_below(other, s), below))
			continue;
		AUTO(free_drop) char *text = own_text(b, s), *mine = own_text(b, step);
		if (strcmp(text, mine) == 0)
			return s;
	}
	return NULL;
}

static void take_from(struct step *step, const struct step *twin)
{
	step->cached = true;
	free(step->history.created);
	step->history.created = x_strdup(twin->history.created);
	step->slot = slot_ref(twin->slot);
	step->has_layer = true;
	vec_push(&step->stage->slots, slot_ref(twin->slot));
}

int step_twin(struct build *b, struct step *step)
{
	static const char note[] = "the same step runs in another stage; its result is taken";
	for (size_t i = 0; i < b->stages.n && !step->twin; i++)
		if (b->stages.v[i] != step->stage)
			step->twin = twin_in(b, b->stages.v[i], step);
	if (!step->twin)
		return 2;
	if (!step->shown) {
		progress_step_start(b->progress, step);
		progress_step_line(b->progress, step, note, strlen(note));
	}
	if (step->twin->state < STEP_APPLIED)
		return 1;
	take_from(step, step->twin);
	return 0;
}

/* ---- steps that began before their key was known ---- */

static int claim_stage(struct build *b, struct stage *st, struct err *e)
{
	if (slots_settle(b, st->slots.v, st->slots.n, e) < 0)
		return -1;
	for (size_t i = st->n_done; i < st->steps.n; i++) {
		struct step *s = st->steps.v[i];
		struct chainid below;
		if (!s->unclaimed || s->undigested)
			continue;
		if (!step_chain_below(s, &below))
			return 0;
		AUTO(free_drop) char *name = NULL;
		s->write_key(b, s, &below);
		s->unclaimed = false;
		name = claim_name(s);
		claim_try(b->store, name, &s->claim);
	}
	return 0;
}

int step_claim_known(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->stages.n; i++)
		if (b->stages.v[i]->needed && claim_stage(b, b->stages.v[i], e) < 0)
			return -1;
	return 0;
}

int step_record_agree(struct build *b, struct step *step, struct step_record *ret, struct err *e)
{
	int r = record_get(b, &step->key, ret, e);
	if (r != 1)
		return r;
	AUTO(free_drop) char *name = claim_name(step);
	AUTO(claim_drop) struct claim claim = { 0 };
	claim_take(b->store, name, &claim);
	r = record_get(b, &step->key, ret, e);
	if (r != 1)
		return r;
	step_created(b, step);
	return record_put(b, step, e) < 0 ? -1 : 1;
}
