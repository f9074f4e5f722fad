#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "document_priv.h"
#include "oci/config.h"
#include "platform_priv.h"

/* The members of "config" that a field of struct image_config stands for; all others are kept as they are. */
static const char *const known_inner[] = {
	"User",   "ExposedPorts", "Env",         "Entrypoint", "Cmd",     "Volumes",     "WorkingDir",
	"Labels", "StopSignal",   "Healthcheck", "Shell",      "OnBuild", "ArgsEscaped",
};

static bool is_known_inner(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(known_inner); i++)
		if (strcmp(key, known_inner[i]) == 0)
			return true;
	return false;
}

/* Adds a copy of `member` to an object that may yet be null. */
static void keep_member(struct json *object, const struct json *member)
{
	object->type = JSON_OBJECT;
	struct json *item = vec_add(&object->items);
	json_copy(item, member);
	item->key = x_strdup(member->key);
}

static int read_labels(const struct json *inner, const char *name, struct image_config *c, struct err *e)
{
	const struct json *labels;
	if (doc_get(inner, "Labels", JSON_OBJECT, name, &labels, e) < 0)
		return -1;
	for (size_t i = 0; i < json_len(labels); i++) {
		const struct json *l = json_at(labels, i);
		if (l->type != JSON_STRING && l->type != JSON_NULL)
			return err_set(e, ERR_SPEC, "%s: label \"%.80s\" is not a string", name, l->key);
		/* No list of K=V can hold such a key. */
		if (strchr(l->key, '='))
			keep_member(&c->odd_labels, l);
		else
			strv_pushf(&c->labels, "%s=%s", l->key, l->text ? l->text : "");
	}
	return 0;
}

static int read_health(const struct json *inner, const char *name, struct healthcheck *h, struct err *e)
{
	const struct json *j;
	if (doc_get(inner, "Healthcheck", JSON_OBJECT, name, &j, e) < 0)
		return -1;
	h->set = j != NULL;
	if (doc_strv(j, "Test", name, &h->test, NULL, e) < 0 || doc_int(j, "Interval", name, &h->interval, e) < 0 ||
	    doc_int(j, "Timeout", name, &h->timeout, e) < 0 ||
	    doc_int(j, "StartPeriod", name, &h->start_period, e) < 0 ||
	    doc_int(j, "StartInterval", name, &h->start_interval, e) < 0 ||
	    doc_int(j, "Retries", name, &h->retries, e) < 0)
		return -1;
	return 0;
}

static int read_inner(const struct json *top, const char *name, struct image_config *c, struct err *e)
{
	const struct json *j;
	if (doc_get(top, "config", JSON_OBJECT, name, &j, e) < 0 ||
	    doc_check_keys(j, known_inner, ARRAY_LEN(known_inner), name, e) < 0)
		return -1;
	if (doc_str(j, "User", name, &c->user, e) < 0 || doc_keys(j, "ExposedPorts", name, &c->exposed_ports, e) < 0 ||
	    doc_strv(j, "Env", name, &c->env, NULL, e) < 0 ||
	    doc_strv(j, "Entrypoint", name, &c->entrypoint, &c->has_entrypoint, e) < 0 ||
	    doc_strv(j, "Cmd", name, &c->cmd, &c->has_cmd, e) < 0 || doc_keys(j, "Volumes", name, &c->volumes, e) < 0 ||
	    doc_str(j, "WorkingDir", name, &c->working_dir, e) < 0 || read_labels(j, name, c, e) < 0 ||
	    doc_str(j, "StopSignal", name, &c->stop_signal, e) < 0 || read_health(j, name, &c->health, e) < 0 ||
	    doc_strv(j, "Shell", name, &c->shell, NULL, e) < 0 ||
	    doc_strv(j, "OnBuild", name, &c->onbuild, NULL, e) < 0 ||
	    doc_bool(j, "ArgsEscaped", name, &c->args_escaped, e) < 0)
		return -1;
	for (size_t i = 0; i < json_len(j); i++)
		if (!is_known_inner(json_at(j, i)->key))
			keep_member(&c->other, json_at(j, i));
	return 0;
}

static int read_diff_ids(const struct json *top, const char *name, struct image_config *c, struct err *e)
{
	static const char *const known[] = { "type", "diff_ids" };
	const struct json *rootfs, *ids;
	if (doc_get(top, "rootfs", JSON_OBJECT, name, &rootfs, e) < 0 ||
	    doc_check_keys(rootfs, known, ARRAY_LEN(known), name, e) < 0 ||
	    doc_get(rootfs, "diff_ids", JSON_ARRAY, name, &ids, e) < 0)
		return -1;
	if (rootfs && !str_eq(json_str(rootfs, "type"), "layers"))
		return err_set(e, ERR_SPEC, "%s: rootfs is not of type \"layers\"", name);
	if (json_len(ids) > LIMIT_LAYERS)
		return err_set(e, ERR_LIMIT, "%s has %zu layers, more than %u", name, json_len(ids), LIMIT_LAYERS);
	for (size_t i = 0; i < json_len(ids); i++) {
		struct diffid d;
		if (json_at(ids, i)->type != JSON_STRING)
			return err_set(e, ERR_SPEC, "%s: diffID %zu is not a string", name, i);
		if (digest_parse(json_at(ids, i)->text, &d.d, e) < 0)
			return err_in(e, "%s: diffID %zu", name, i);
		vec_push(&c->diff_ids, d);
	}
	return 0;
}

static int read_history(const struct json *top, const char *name, struct image_config *c, struct err *e)
{
	static const char *const known[] = { "created", "created_by", "author", "comment", "empty_layer" };
	const struct json *list;
	if (doc_get(top, "history", JSON_ARRAY, name, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *j = json_at(list, i);
		struct history *h = vec_add(&c->history);
		AUTO(free_drop) char *what = x_asprintf("%s: history %zu", name, i);
		if (j->type != JSON_OBJECT)
			return err_set(e, ERR_SPEC, "%s is not an object", what);
		if (doc_check_keys(j, known, ARRAY_LEN(known), what, e) < 0 ||
		    doc_time(j, "created", what, &h->created, e) < 0 ||
		    doc_str(j, "created_by", what, &h->created_by, e) < 0 ||
		    doc_str(j, "author", what, &h->author, e) < 0 || doc_str(j, "comment", what, &h->comment, e) < 0 ||
		    doc_bool(j, "empty_layer", what, &h->empty_layer, e) < 0)
			return -1;
	}
	return 0;
}

static int read_config(const struct json *j, const char *name, struct image_config *c, struct err *e)
{
	static const char *const known[] = {
		"created", "author", "architecture", "os", "os.version", "variant", "config", "rootfs", "history",
	};
	if (doc_check_keys(j, known, ARRAY_LEN(known), name, e) < 0 ||
	    doc_time(j, "created", name, &c->created, e) < 0 || doc_str(j, "author", name, &c->author, e) < 0 ||
	    platform_from_json(j, name, &c->platform, e) < 0 || read_inner(j, name, c, e) < 0 ||
	    read_diff_ids(j, name, c, e) < 0)
		return -1;
	return read_history(j, name, c, e);
}

int config_parse(const char *bytes, size_t n, const char *name, struct image_config *ret, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	struct image_config c = { 0 };
	if (doc_parse(bytes, n, LIMIT_CONFIG, name, &j, e) < 0)
		return -1;
	if (read_config(&j, name, &c, e) < 0) {
		config_fini(&c);
		return -1;
	}
	*ret = c;
	return 0;
}
