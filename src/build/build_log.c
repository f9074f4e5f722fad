#include "build_log_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/record.h"

/*
 *   {"started":…,"image":…|absent,"names":[…],
 *    "steps":[{"title":…,"instruction":…,"cached":…,"milliseconds":…,"image":…,"size":…,
 *             "record":"step/HEX.json"}, …],
 *    "bases":[{"memo":"base/HEX.json","manifest":…}, …]}
 */
static void write_step(struct json_out *o, const struct step *s)
{
	json_begin(o, '{');
	json_kv_str(o, "title", s->title);
	json_kv_str(o, "instruction", s->in->text);
	json_kv_bool(o, "cached", s->cached);
	json_kv_int(o, "milliseconds", s->ended_ms > s->started_ms ? s->ended_ms - s->started_ms : 0);
	if (s->state == STEP_DONE && s->has_history)
		json_kv_str(o, "image", digest_text(&s->image).s);
	if (s->slot && s->slot->resolved)
		json_kv_int(o, "size", (int64_t)s->slot->layer.blob.size);
	if (s->history.created)
		json_kv_str(o, "created", s->history.created);
	if (s->has_key) {
		AUTO(free_drop) char *record = x_asprintf("step/%s.json", digest_hex(&s->key.digest).s);
		json_kv_str(o, "record", record);
	}
	json_end(o, '}');
}

static void write_base(struct json_out *o, const struct base_image *i)
{
	AUTO(free_drop) char *memo = base_image_memo(i);
	if (!memo || !i->ready)
		return;
	json_begin(o, '{');
	json_kv_str(o, "memo", memo);
	json_kv_str(o, "manifest", digest_text(&i->manifest).s);
	json_end(o, '}');
}

void build_log_write(struct build *b, const struct build_result *result)
{
	struct json_out o;
	struct err e;
	if (!b->created)
		return; /* it did not come as far as a build */
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_str(&o, "started", b->created);
	if (result) {
		json_kv_str(&o, "image", digest_text(&result->image.digest).s);
		json_kv_strv(&o, "names", &result->names);
	}
	json_put_key(&o, "steps");
	json_begin(&o, '[');
	for (size_t i = 0; i < b->stages.n; i++)
		for (size_t k = 0; k < b->stages.v[i]->steps.n; k++)
			write_step(&o, b->stages.v[i]->steps.v[k]);
	json_end(&o, ']');
	json_put_key(&o, "bases");
	json_begin(&o, '[');
	for (size_t i = 0; i < b->images.n; i++)
		write_base(&o, b->images.v[i]);
	json_end(&o, ']');
	json_end(&o, '}');
	AUTO(free_drop) char *text = json_out_take(&o);
	if (store_json_put(b->store, "log/last.json", text, &e) < 0)
		log_debug("build log: %s", e.msg);
}
