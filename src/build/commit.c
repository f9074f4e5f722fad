/*
 * Steps in order: when a step's layer is packed, its record and its intermediate image are written. Metadata only:
 * nothing here reads or writes a layer.
 */
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "made_priv.h"
#include "share_priv.h"
#include "step_claim_priv.h"
#include "oci/index.h"
#include "oci/time.h"
#include "store/blob.h"

/* What made each of the first n layers; NULL for those of the base. The result is the caller's, its texts are not. */
static const char **layer_texts(const struct stage *st, size_t steps, size_t n)
{
	const char **texts = x_alloc((n + 1) * sizeof *texts);
	for (size_t i = 0, layer = st->n_base_layers; i < steps; i++)
		if (st->steps.v[i]->has_layer)
			texts[layer++] = st->steps.v[i]->history.created_by;
	return texts;
}

/* The config of the image that `steps` steps of the stage make: its diff_ids are the first n_layers of the stack. */
static void full_config(struct stage *st, size_t steps, size_t n_layers, struct image_config *ret)
{
	config_copy(ret, steps ? &st->steps.v[steps - 1]->config : &st->config);
	for (size_t i = 0; i < n_layers; i++)
		vec_push(&ret->diff_ids, st->slots.v[i]->layer.diffid);
	for (size_t i = 0; i < st->base_history.n; i++)
		history_copy(vec_add(&ret->history), &st->base_history.v[i]);
	const char *last = NULL;
	for (size_t i = 0; i < steps; i++) {
		const struct step *s = st->steps.v[i];
		if (!s->has_history)
			continue;
		history_copy(vec_add(&ret->history), &s->history);
		last = s->history.created;
	}
	const char **texts = layer_texts(st, steps, n_layers);
	history_fit(ret, texts);
	free(texts);
	free(ret->created);
	if (!last && st->base_history.n)
		last = st->base_history.v[st->base_history.n - 1].created;
	ret->created = x_strdup(last ? last : st->build->created);
}

static size_t layers_after(const struct stage *st, size_t steps)
{
	size_t n = st->n_base_layers;
	for (size_t i = 0; i < steps; i++)
		n += st->steps.v[i]->has_layer;
	return n;
}

static int write_image(struct build *b, struct stage *st, size_t steps, struct descriptor *ret,
		       struct descriptor *ret_config, struct err *e)
{
	struct image_config config = { 0 };
	size_t n = layers_after(st, steps);
	AUTO(free_drop) struct layer *layers = x_alloc((n + 1) * sizeof *layers);
	for (size_t i = 0; i < n; i++)
		layers[i] = st->slots.v[i]->layer;
	full_config(st, steps, n, &config);
	int r = image_write(b->store, &config, layers, n, ret, ret_config, e);
	config_fini(&config);
	return r;
}

static int step_image(struct build *b, struct stage *st, struct step *s, struct err *e)
{
	struct descriptor image = { 0 }, config;
	if (made_before(b, s))
		return 0;
	if (write_image(b, st, st->n_done + 1, &image, &config, e) < 0)
		return -1;
	s->image = image.digest;
	s->made.size = image.size;
	s->made.config = config.digest;
	s->made.config_size = config.size;
	s->made.anew = true;
	descriptor_fini(&image);
	return 0;
}

/* The chain below the layer of a step: of the slot under its own. */
static struct chainid chain_below(const struct stage *st, const struct step *s)
{
	struct chainid none = { 0 };
	for (size_t i = 1; i < st->slots.n; i++)
		if (st->slots.v[i] == s->slot)
			return st->slots.v[i - 1]->chain;
	return none;
}

/* An image of layers that were not fetched is of no use to anybody. */
static bool layers_are_here(const struct stage *st, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (st->slots.v[i]->origin)
			return false;
	return true;
}

int stage_commit(struct build *b, struct stage *st, struct err *e)
{
	if (slots_settle(b, st->slots.v, st->slots.n, e) < 0)
		return -1;
	for (; st->n_done < st->steps.n; st->n_done++) {
		struct step *s = st->steps.v[st->n_done];
		if (s->state != STEP_APPLIED || (s->slot && (!s->slot->resolved || digest_is_zero(&s->slot->chain.d))))
			return 0;
		/* What stands below must be packed too: it is part of this image. */
		if (slots_need_layers(b, st->slots.v, layers_after(st, st->n_done + 1)))
			return 0;
		if (!s->has_key && s->write_key) {
			struct chainid below = chain_below(st, s);
			s->write_key(b, s, &below);
		}
		if (s->has_key && !s->cached) {
			if (step_claim_known(b, e) < 0 || record_put(b, s, e) < 0)
				return -1;
		}
		claim_drop(&s->claim);
		claim_drop(&s->early);
		made_of(st, s);
		bool whole = s->has_history && layers_are_here(st, layers_after(st, st->n_done + 1));
		if (whole && step_image(b, st, s, e) < 0)
			return -1;
		s->state = STEP_DONE;
		b->moves++;
		progress_step_done(b->progress, s, whole ? &s->image : NULL);
	}
	return 0;
}

static struct image_config *last_config(struct stage *goal)
{
	return goal->steps.n ? &goal->steps.v[goal->steps.n - 1]->config : &goal->config;
}

/* --label wins over the file (ENV-04); it is no step and no history. */
static void add_labels(struct build *b, struct stage *goal)
{
	for (size_t i = 0; i < b->options->labels.n; i++) {
		const char *text = b->options->labels.v[i];
		AUTO(free_drop) char *key = x_strndup(text, strcspn(text, "="));
		const char *value = strchr(text, '=');
		env_set(&last_config(goal)->labels, key, value ? value + 1 : "");
	}
}

static int add_cache(struct build *b, struct stage *goal, struct err *e)
{
	AUTO(free_drop) char *cache = share_inline_text(b, goal);
	return cache ? json_parse(cache, strlen(cache), "cache", &last_config(goal)->cache, e) : 0;
}

int build_finish(struct build *b, struct descriptor *ret, struct err *e)
{
	AUTO(index_fini) struct index x = { 0 };
	struct descriptor config;
	for (size_t i = 0; i < b->graphs.n; i++) {
		struct graph *g = b->graphs.v[i];
		struct index_entry *entry = vec_add(&x.manifests);
		entry->platform = g->target;
		add_labels(b, g->goal);
		if (add_cache(b, g->goal, e) < 0 ||
		    write_image(b, g->goal, g->goal->steps.n, &entry->desc, &config, e) < 0)
			return -1;
	}
	if (b->graphs.n > 1)
		return image_write_index(b->store, &x, ret, e);
	*ret = x.manifests.v[0].desc;
	x.manifests.v[0].desc = (struct descriptor){ 0 };
	return 0;
}
