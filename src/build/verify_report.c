#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/where.h"
#include "verify_priv.h"

static const char *state_word(const struct problem *p)
{
	static const char *const words[] = {
		[PROBLEM_FOUND] = "found", [PROBLEM_REPAIRED] = "repaired", [PROBLEM_IN_USE] = "in use", [PROBLEM_KEPT] = "kept"
	};
	return words[p->state];
}

static const char *done_to(const struct problem *p)
{
	bool is_name = p->repair == repair_name;
	switch (p->state) {
	case PROBLEM_FOUND:
		return "";
	case PROBLEM_REPAIRED:
		if (is_name)
			return "; the name is removed, build or pull the image again";
		return p->repair == repair_object ? "; removed" : "; made anew";
	case PROBLEM_IN_USE:
		return "; kept, since another process uses it: verify again when it has ended";
	case PROBLEM_KEPT:
		return "; kept";
	}
	return "";
}

static size_t count(const struct verify *v, enum object_kind k)
{
	size_t n = 0;
	for (size_t i = 0; i < v->objects.n; i++)
		n += v->objects.v[i].kind == k;
	return n;
}

static void write_json(const struct verify *v, const struct strv *notes, struct str *out)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_str(&o, "store", v->store->path);
	json_kv_strv(&o, "notes", notes);
	json_put_key(&o, "checked");
	json_begin(&o, '[');
	for (enum object_kind k = 0; k < OBJECT_UNFINISHED; k++) {
		json_begin(&o, '{');
		json_kv_str(&o, "kind", object_kind_name(k));
		json_kv_int(&o, "count", (int64_t)count(v, k));
		json_end(&o, '}');
	}
	json_end(&o, ']');
	json_kv_int(&o, "bytes", (int64_t)v->bytes);
	json_kv_int(&o, "not_compared", (int64_t)v->not_compared);
	json_put_key(&o, "problems");
	json_begin(&o, '[');
	for (size_t i = 0; i < v->problems.n; i++) {
		json_begin(&o, '{');
		json_kv_str(&o, "object", v->problems.v[i].object);
		json_kv_str(&o, "problem", v->problems.v[i].what);
		json_kv_str(&o, "state", state_word(&v->problems.v[i]));
		json_end(&o, '}');
	}
	json_end(&o, ']');
	json_end(&o, '}');
	AUTO(free_drop) char *text = json_out_take(&o);
	str_addf(out, "%s\n", text);
}

static void write_summary(const struct verify *v, struct str *out)
{
	size_t objects = 0, left = 0;
	for (enum object_kind k = 0; k < OBJECT_UNFINISHED; k++)
		objects += count(v, k);
	for (size_t i = 0; i < v->problems.n; i++)
		left += v->problems.v[i].state != PROBLEM_REPAIRED;
	str_addf(out, "%zu object%s, ", objects, objects == 1 ? "" : "s");
	str_add_size(out, v->bytes);
	str_add(out, " of blobs; ");
	if (!v->problems.n)
		str_add(out, "no problem");
	else
		str_addf(out, "%zu problem%s", v->problems.n, v->problems.n == 1 ? "" : "s");
	if (v->problems.n && v->repair)
		str_addf(out, ", %zu repaired", v->problems.n - left);
	str_addc(out, '\n');
	if (v->not_compared)
		str_addf(out, "%zu snapshot%s not compared: no listing says what %s\n", v->not_compared,
			 v->not_compared == 1 ? "" : "s", v->not_compared == 1 ? "it holds" : "they hold");
}

static void write_table(const struct verify *v, const struct strv *notes, struct str *out)
{
	for (size_t i = 0; i < notes->n; i++)
		str_addf(out, "%s\n", notes->v[i]);
	for (size_t i = 0; i < v->problems.n; i++) {
		const struct problem *p = &v->problems.v[i];
		str_add_printable(out, p->object, strlen(p->object));
		str_addf(out, ": %s%s\n", p->what, done_to(p));
	}
	write_summary(v, out);
}

void verify_write(struct verify *v, bool json, struct str *out)
{
	AUTO(strv_fini) struct strv notes = { 0 };
	store_where(v->store, &notes);
	if (json)
		write_json(v, &notes, out);
	else
		write_table(v, &notes, out);
}
