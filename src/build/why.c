#include "why_priv.h"

#include <string.h>

#include "base/log.h"
#include "build_log_priv.h"
#include "step_claim_priv.h"
#include "store/record.h"

/* ---- the step before ---- */

static bool begins_alike(const char *a, const char *b)
{
	size_t n = strcspn(a, " \t");
	return n == strcspn(b, " \t") && strncmp(a, b, n) == 0;
}

const struct json *why_same_step(const struct json *steps, const char *stage, const char *text, size_t nth,
				 unsigned position)
{
	const struct json *place = NULL, *elsewhere = NULL, *last = NULL;
	for (size_t i = 0; i < json_len(steps); i++) {
		const struct json *s = json_at(steps, i);
		const char *its_text = json_str(s, "instruction"), *its_stage = json_str(s, "stage");
		bool alike = its_text && strcmp(its_text, text) == 0;
		if (alike && !elsewhere)
			elsewhere = s;
		if (!its_text || !str_eq(its_stage, stage))
			continue;
		if (alike) {
			last = s;
			if (nth-- == 0)
				return s;
		}
		if (json_int(s, "position", 0) == position && begins_alike(its_text, text))
			place = s;
	}
	return last ? last : place ? place : elsewhere;
}

const struct json *why_base(const struct json *steps, const char *stage)
{
	for (size_t i = 0; i < json_len(steps); i++) {
		const struct json *s = json_at(steps, i);
		if (json_int(s, "position", 0) == 1 && str_eq(json_str(s, "stage"), stage))
			return json_get(s, "key");
	}
	return NULL;
}

void why_name_base(const struct json *before, const struct json *now, struct changes *c)
{
	for (size_t i = 0; i < c->list.n; i++) {
		struct change *one = &c->list.v[i];
		const char *image = json_str(now, "image"), *was = json_str(before, "image");
		if (strcmp(one->what, "parent") != 0 || !image)
			continue;
		bool renamed = was && strcmp(was, image) != 0;
		const char *from = renamed ? was : json_str(before, "digest");
		const char *to = renamed ? image : json_str(now, "digest");
		one->what = "base";
		free(one->name);
		one->name = renamed ? x_strdup("FROM") : x_asprintf("the base %s", image);
		one->from = from ? x_strdup(from) : NULL;
		one->to = to ? x_strdup(to) : NULL;
	}
}

/* ---- this step ---- */

static size_t times_before(const struct step *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->stage->steps.n && s->stage->steps.v[i] != s; i++)
		n += strcmp(s->stage->steps.v[i]->in->text, s->in->text) == 0;
	return n;
}

static bool on_base(const struct step *s)
{
	const struct stage *st = s->stage;
	size_t below = st->slots.n;
	while (s->slot && below > 0 && st->slots.v[--below] != s->slot)
		;
	return below == st->n_base_layers;
}

/* The key as far as it is known now; the parent of a step after one that runs is not. */
static int key_now(struct build *b, struct step *s, struct json *ret)
{
	struct chainid below = { 0 };
	struct err e;
	bool had = s->has_key;
	(void)step_chain_below(s, &below);
	if (!had)
		s->write_key(b, s, &below);
	int r = json_parse(s->key.text, strlen(s->key.text), "step key", ret, &e);
	if (!had) {
		key_fini(&s->key);
		s->has_key = false;
	}
	return r;
}

static int parse_key(const struct step *s, struct json *ret)
{
	struct err e;
	if (!s->key.text)
		return -1;
	return json_parse(s->key.text, strlen(s->key.text), "step key", ret, &e);
}

/* In the last build; NULL: there is none. */
static const struct json *same_step(const struct json *steps, const struct step *s)
{
	return why_same_step(steps, s->stage->log_label, s->in->text, times_before(s), s->position);
}

static void compare(struct build *b, struct step *s, const struct json *steps, enum why_cause cause)
{
	AUTO(json_fini) struct json now = { 0 };
	AUTO(json_fini) struct json base = { 0 };
	const struct json *same = same_step(steps, s);
	bool parent_known = cause != WHY_PARENT;
	if (!same) {
		change_add(s->why, "instruction", "the instruction is new", NULL, NULL);
		return;
	}
	if (key_now(b, s, &now) < 0)
		return;
	changes_of_keys(b->store, json_get(same, "key"), &now, parent_known, s->why);
	if (parent_known && on_base(s) && parse_key(s->stage->steps.v[0], &base) == 0)
		why_name_base(why_base(steps, s->stage->log_label), &base, s->why);
}

static void find_causes(struct build *b, struct step *s, enum why_cause cause, const char *option,
			const struct json *steps)
{
	if (cause == WHY_OPTION || cause == WHY_OLD) {
		change_add(s->why, "option", option, NULL, NULL);
		return;
	}
	compare(b, s, steps, cause);
	if (cause == WHY_PARENT && !s->why->list.n)
		change_add(s->why, "parent", "the step before it ran", NULL, NULL);
	/* All the same, so there was one: a prune took it, or its layer. */
	if (cause == WHY_NO_RECORD && !s->why->list.n)
		change_add(s->why, "record", "its result is no longer in the store", NULL, NULL);
}

void why_missed(struct build *b, struct step *s, enum why_cause cause, const char *option)
{
	AUTO(str_fini) struct str text = { 0 };
	if (s->why)
		return;
	if (s->missed)
		s->missed(b, s);
	const struct json *steps = build_log_earlier(b);
	s->why = x_alloc(sizeof *s->why);
	s->cause = cause;
	if (!steps) {
		change_add(s->why, "first", "the first build of this Dockerfile and target that is known", NULL, NULL);
		return;
	}
	find_causes(b, s, cause, option, steps);
	str_add(&text, "not cached: ");
	changes_text(s->why, &text);
	progress_step_missed(b->progress, s, text.buf);
}

void why_learned(struct build *b, struct step *s)
{
	const struct json *steps = build_log_earlier(b);
	if (!steps || s->cause == WHY_OPTION)
		return;
	changes_fini(s->why);
	find_causes(b, s, s->cause, NULL, steps);
}

/* "step/HEX.json": a log says it, and logs are files that somebody may have written to. */
static bool is_record_name(const char *name)
{
	enum { DIR = 5 };
	struct err ignored;
	struct digest key;
	if (!str_starts(name, "step/") || strlen(name) < DIR + DIGEST_HEX || strcmp(name + DIR + DIGEST_HEX, ".json") != 0)
		return false;
	AUTO(free_drop) char *text = x_asprintf("sha256:%.*s", DIGEST_HEX, name + DIR);
	return digest_parse(text, &key, &ignored) == 0;
}

int why_earlier_layer(struct build *b, const struct step *s, struct layer *ret)
{
	const char *name = json_str(same_step(build_log_earlier(b), s), "record");
	AUTO(json_fini) struct json record = { 0 };
	struct step_record rec = { 0 };
	struct err e;
	if (!name || !is_record_name(name) || store_json_get(b->store, name, &record, &e) != 0 ||
	    !step_record_read(&record, &rec))
		return 1;
	int r = rec.has_layer ? 0 : 1;
	if (r == 0) {
		*ret = rec.layer;
		rec.layer = (struct layer){ 0 };
	}
	step_record_fini(&rec);
	return r;
}
