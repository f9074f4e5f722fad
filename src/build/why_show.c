#include "build/why.h"

#include <stdio.h>
#include <string.h>

#include "build_log_priv.h"
#include "changes_priv.h"
#include "store/record.h"
#include "why_priv.h"

static int parse_taken(struct json_out *o, struct json *ret, struct err *e)
{
	AUTO(free_drop) char *text = json_out_take(o);
	return json_parse(text, strlen(text), "steps of a build", ret, e);
}

int why_last(struct store *s, struct json *ret, struct err *e)
{
	AUTO(json_fini) struct json log = { 0 };
	int r = store_json_get(s, "log/last.json", &log, e);
	if (r < 0)
		return -1;
	if (r == 1)
		return err_set(e, ERR_NOTFOUND, "nothing was built in the store %s yet", s->path);
	const struct json *steps = json_get(&log, "steps");
	if (steps)
		json_copy(ret, steps);
	return 0;
}

/* ---- two builds ---- */

static int find_log(struct store *s, const struct log_list *logs, const char *id, struct json *ret, struct err *e)
{
	for (size_t i = 0; i < logs->list.n; i++) {
		const char *name = logs->list.v[i].name;
		if (id && !(*id && str_starts(name + LOG_ID + 1, id)))
			continue;
		int r = build_log_read(s, name, ret, e);
		if (r <= 0)
			return r;
	}
	err_set(e, ERR_NOTFOUND, "no log of the build %s is kept", id ? id : "before");
	return err_hint(e, "`nacre why --builds` lists those that are");
}

static size_t times_before(const struct json *steps, size_t at)
{
	const struct json *s = json_at(steps, at);
	size_t n = 0;
	for (size_t i = 0; i < at; i++)
		n += str_eq(json_str(json_at(steps, i), "stage"), json_str(s, "stage")) &&
		     str_eq(json_str(json_at(steps, i), "instruction"), json_str(s, "instruction"));
	return n;
}

static void compare_step(struct store *s, const struct json *before, const struct json *steps, size_t at,
			 struct changes *ret)
{
	const struct json *now = json_at(steps, at), *key = json_get(now, "key");
	const char *stage = json_str(now, "stage"), *text = json_str(now, "instruction");
	const struct json *same = why_same_step(before, stage ? stage : "", text ? text : "", times_before(steps, at),
						(unsigned)json_int(now, "position", 0));
	if (!same) {
		change_add(ret, "instruction", "the instruction is new", NULL, NULL);
		return;
	}
	changes_of_keys(s, json_get(same, "key"), key, true, ret);
	const struct json *above = at ? json_at(steps, at - 1) : NULL;
	if (above && str_eq(json_str(json_get(above, "key"), "op"), "from"))
		why_name_base(why_base(before, stage), json_get(above, "key"), ret);
}

static void write_step(struct store *s, const struct json *before, const struct json *steps, size_t at,
		       struct json_out *o)
{
	const struct json *now = json_at(steps, at);
	struct changes changes = { 0 };
	compare_step(s, before, steps, at, &changes);
	json_begin(o, '{');
	for (size_t i = 0; i < json_len(now); i++) {
		const struct json *m = json_at(now, i);
		if (strcmp(m->key, "cached") == 0 || strcmp(m->key, "why") == 0 || strcmp(m->key, "key") == 0)
			continue;
		json_put_key(o, m->key);
		json_put_raw(o, m);
	}
	json_kv_bool(o, "cached", !changes.list.n);
	if (changes.list.n) {
		json_put_key(o, "why");
		changes_write(&changes, o);
	}
	json_end(o, '}');
	changes_fini(&changes);
}

int why_compare(struct store *s, const char *from, const char *to, struct json *ret, struct err *e)
{
	AUTO(json_fini) struct json before = { 0 };
	AUTO(json_fini) struct json now = { 0 };
	struct log_list logs = { 0 };
	struct json_out o;
	int r = build_logs(s, &logs, e);
	if (r == 0)
		r = find_log(s, &logs, from, &before, e);
	if (r == 0)
		r = find_log(s, &logs, to, &now, e);
	vec_fini(&logs.list);
	if (r < 0)
		return -1;
	const struct json *steps = json_get(&now, "steps");
	json_out_init(&o);
	json_begin(&o, '[');
	for (size_t i = 0; i < json_len(steps); i++)
		write_step(s, json_get(&before, "steps"), steps, i, &o);
	json_end(&o, ']');
	return parse_taken(&o, ret, e);
}

/* ---- the list of builds ---- */

int why_builds(struct store *s, struct json *ret, struct err *e)
{
	static const char *const shown[] = { "id", "started", "context", "dockerfile", "target", "image" };
	struct log_list logs = { 0 };
	struct json_out o;
	int r = build_logs(s, &logs, e);
	json_out_init(&o);
	json_begin(&o, '[');
	for (size_t i = 0; i < logs.list.n && r >= 0; i++) {
		AUTO(json_fini) struct json log = { 0 };
		r = build_log_read(s, logs.list.v[i].name, &log, e);
		if (r != 0)
			continue;
		json_begin(&o, '{');
		for (size_t k = 0; k < ARRAY_LEN(shown); k++)
			if (json_str(&log, shown[k]))
				json_kv_str(&o, shown[k], json_str(&log, shown[k]));
		json_end(&o, '}');
	}
	json_end(&o, ']');
	vec_fini(&logs.list);
	if (r < 0) {
		json_out_drop(&o);
		return -1;
	}
	return parse_taken(&o, ret, e);
}

/* ---- words for steps ---- */

bool why_means(const struct json *step, const char *word)
{
	const char *title = json_str(step, "title"), *stage = json_str(step, "stage");
	uint64_t n;
	if (str_to_u64(*word == '#' ? word + 1 : word, UINT32_MAX, &n))
		return json_int(step, "number", 0) == (int64_t)n;
	if (str_starts(word, "line ") && str_to_u64(word + 5, UINT32_MAX, &n))
		return json_int(step, "line", 0) == (int64_t)n;
	if (stage && *stage && str_case_eq(stage, word))
		return true;
	/* "2/7" or "build 2/7" of "[build 2/7] RUN make" */
	size_t len = title && *title == '[' ? strcspn(title, "]") : 0;
	AUTO(free_drop) char *place = x_strndup(len ? title + 1 : "", len ? len - 1 : 0);
	const char *last = strrchr(place, ' ');
	return strcmp(place, word) == 0 || (last && strcmp(last + 1, word) == 0);
}
