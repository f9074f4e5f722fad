#include "made_priv.h"

#include <string.h>

#include "build_log_priv.h"
#include "store/blob.h"

static void add_str(struct sha *s, const char *text)
{
	sha_add_str(s, text ? text : "");
}

static void add_layer(struct sha *s, const struct layer *l)
{
	sha_add(s, l->diffid.d.b, DIGEST_BYTES);
	sha_add(s, l->blob.digest.b, DIGEST_BYTES);
	sha_add(s, &l->blob.size, sizeof l->blob.size);
	add_str(s, l->blob.media_type);
}

static void add_history(struct sha *s, const struct history *h)
{
	add_str(s, h->created);
	add_str(s, h->created_by);
	add_str(s, h->author);
	add_str(s, h->comment);
	sha_add(s, &h->empty_layer, sizeof h->empty_layer);
}

static void add_base(struct sha *s, const struct stage *st)
{
	sha_add(s, &st->n_base_layers, sizeof st->n_base_layers);
	for (size_t i = 0; i < st->n_base_layers; i++)
		add_layer(s, &st->slots.v[i]->layer);
	for (size_t i = 0; i < st->base_history.n; i++)
		add_history(s, &st->base_history.v[i]);
}

void made_of(struct stage *st, struct step *step)
{
	struct sha s;
	AUTO(free_drop) char *config = config_write(&step->config);
	sha_init(&s);
	if (step == st->steps.v[0]) {
		sha_add_str(&s, NACRE_VERSION); /* another one may write the same differently */
		add_base(&s, st);
	} else {
		sha_add(&s, st->made.b, DIGEST_BYTES);
	}
	sha_add_str(&s, config);
	sha_add(&s, &step->has_history, sizeof step->has_history);
	add_history(&s, &step->history);
	if (step->has_layer)
		add_layer(&s, &step->slot->layer);
	st->made = step->made.of = sha_end(&s);
}

static bool get_digest(const struct json *j, const char *key, struct digest *ret)
{
	struct err ignored;
	const char *text = json_str(j, key);
	return text && digest_parse(text, ret, &ignored) == 0;
}

/* Both documents, whole as far as their sizes tell (store.h): `j` is the step's entry in the log. */
static bool is_there(struct build *b, const struct json *j, struct digest *ret_image, struct made *ret)
{
	const struct json *made = json_get(j, "made");
	uint64_t size;
	ret->size = (uint64_t)json_int(made, "size", 0);
	ret->config_size = (uint64_t)json_int(made, "configSize", 0);
	return get_digest(j, "image", ret_image) && get_digest(made, "config", &ret->config) &&
	       blob_exists(b->store, ret_image, &size) && size == ret->size &&
	       blob_exists(b->store, &ret->config, &size) && size == ret->config_size;
}

bool made_before(struct build *b, struct step *step)
{
	struct made found = { .of = step->made.of };
	struct digest image;
	if (step->stage->made_anew) /* what follows is of something new, too */
		return false;
	const struct json *steps = build_log_earlier(b);
	struct digest_text of = digest_text(&step->made.of);
	size_t n = json_len(steps);
	for (size_t i = 0; i < n; i++) {
		/* Mostly it is the one after the last that was found. */
		size_t at = (b->earlier_next + i) % n;
		const struct json *j = json_at(steps, at);
		if (!str_eq(json_str(json_get(j, "made"), "of"), of.s))
			continue;
		b->earlier_next = at + 1;
		if (!is_there(b, j, &image, &found))
			return false;
		step->image = image;
		step->made = found;
		return true;
	}
	step->stage->made_anew = true;
	return false;
}

void made_write(const struct step *step, struct json_out *o)
{
	json_begin(o, '{');
	json_kv_str(o, "of", digest_text(&step->made.of).s);
	json_kv_int(o, "size", (int64_t)step->made.size);
	json_kv_str(o, "config", digest_text(&step->made.config).s);
	json_kv_int(o, "configSize", (int64_t)step->made.config_size);
	json_end(o, '}');
}
