#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "document_priv.h"
#include "oci/config.h"

/* What is not set is left out, as Go's omitempty does in the programs that will read this. */
static void put_str(struct json_out *o, const char *key, const char *value)
{
	if (value && *value)
		json_kv_str(o, key, value);
}

static void put_strv(struct json_out *o, const char *key, const struct strv *values)
{
	if (values->n)
		json_kv_strv(o, key, values);
}

static void put_int(struct json_out *o, const char *key, int64_t value)
{
	if (value)
		json_kv_int(o, key, value);
}

static void put_true(struct json_out *o, const char *key, bool value)
{
	if (value)
		json_kv_bool(o, key, true);
}

/* A Go map[string]struct{}: every key once, sorted. */
static void put_keys(struct json_out *o, const char *key, const struct strv *values)
{
	AUTO(strv_fini) struct strv sorted = { 0 };
	if (!values->n)
		return;
	strv_copy(&sorted, values);
	strv_sort(&sorted);
	json_put_key(o, key);
	json_begin(o, '{');
	for (size_t i = 0; i < sorted.n; i++) {
		if (i && strcmp(sorted.v[i], sorted.v[i - 1]) == 0)
			continue;
		json_put_key(o, sorted.v[i]);
		json_begin(o, '{');
		json_end(o, '}');
	}
	json_end(o, '}');
}

struct label {
	char *key;         /* owned */
	const char *value; /* borrowed */
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

static void put_labels(struct json_out *o, const struct image_config *c)
{
	VEC(struct label) labels = { 0 };
	for (size_t i = 0; i < c->labels.n; i++) {
		const char *text = c->labels.v[i];
		size_t n = strcspn(text, "=");
		struct label l = { .key = x_strndup(text, n), .value = text[n] ? text + n + 1 : "" };
		vec_push(&labels, l);
	}
	for (size_t i = 0; i < json_len(&c->odd_labels); i++) {
		const struct json *j = json_at(&c->odd_labels, i);
		struct label l = { .key = x_strdup(j->key), .value = j->text ? j->text : "" };
		vec_push(&labels, l);
	}
	if (labels.n) {
		qsort(labels.v, labels.n, sizeof *labels.v, by_key);
		json_put_key(o, "Labels");
		json_begin(o, '{');
		for (size_t i = 0; i < labels.n; i++)
			json_kv_str(o, labels.v[i].key, labels.v[i].value);
		json_end(o, '}');
	}
	for (size_t i = 0; i < labels.n; i++)
		free(labels.v[i].key);
	vec_fini(&labels);
}

static void put_health(struct json_out *o, const struct healthcheck *h)
{
	if (!h->set)
		return;
	json_put_key(o, "Healthcheck");
	json_begin(o, '{');
	put_strv(o, "Test", &h->test);
	put_int(o, "Interval", h->interval);
	put_int(o, "Timeout", h->timeout);
	put_int(o, "StartPeriod", h->start_period);
	put_int(o, "StartInterval", h->start_interval);
	put_int(o, "Retries", h->retries);
	json_end(o, '}');
}

/* image-spec config.md in its order, then what Docker adds (CFG-10), then what we do not know. */
static void put_inner(struct json_out *o, const struct image_config *c)
{
	json_put_key(o, "config");
	json_begin(o, '{');
	put_str(o, "User", c->user);
	put_keys(o, "ExposedPorts", &c->exposed_ports);
	put_strv(o, "Env", &c->env);
	put_strv(o, "Entrypoint", &c->entrypoint);
	put_strv(o, "Cmd", &c->cmd);
	put_keys(o, "Volumes", &c->volumes);
	put_str(o, "WorkingDir", c->working_dir);
	put_labels(o, c);
	put_str(o, "StopSignal", c->stop_signal);
	put_health(o, &c->health);
	put_strv(o, "Shell", &c->shell);
	put_strv(o, "OnBuild", &c->onbuild);
	put_true(o, "ArgsEscaped", c->args_escaped);
	for (size_t i = 0; i < json_len(&c->other); i++) {
		json_put_key(o, json_at(&c->other, i)->key);
		json_put_raw(o, json_at(&c->other, i));
	}
	json_end(o, '}');
}

static void put_rootfs(struct json_out *o, const struct image_config *c)
{
	json_put_key(o, "rootfs");
	json_begin(o, '{');
	json_kv_str(o, "type", "layers");
	json_put_key(o, "diff_ids");
	json_begin(o, '[');
	for (size_t i = 0; i < c->diff_ids.n; i++)
		json_put_str(o, digest_text(&c->diff_ids.v[i].d).s);
	json_end(o, ']');
	json_end(o, '}');
}

static void put_history(struct json_out *o, const struct image_config *c)
{
	if (!c->history.n)
		return;
	json_put_key(o, "history");
	json_begin(o, '[');
	for (size_t i = 0; i < c->history.n; i++) {
		const struct history *h = &c->history.v[i];
		json_begin(o, '{');
		put_str(o, "created", h->created);
		put_str(o, "created_by", h->created_by);
		put_str(o, "author", h->author);
		put_str(o, "comment", h->comment);
		put_true(o, "empty_layer", h->empty_layer);
		json_end(o, '}');
	}
	json_end(o, ']');
}

char *config_write(const struct image_config *c)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	put_str(&o, "created", c->created);
	put_str(&o, "author", c->author);
	json_kv_str(&o, "architecture", c->platform.arch);
	json_kv_str(&o, "os", c->platform.os);
	put_str(&o, "os.version", c->platform.os_version);
	put_str(&o, "variant", c->platform.variant);
	put_inner(&o, c);
	put_rootfs(&o, c);
	put_history(&o, c);
	if (c->cache.type == JSON_OBJECT) {
		json_put_key(&o, "nacre.cache");
		json_put_raw(&o, &c->cache);
	}
	json_end(&o, '}');
	return json_out_take(&o);
}
