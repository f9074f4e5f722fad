#include "annotation_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const char *const levels[] = {
	[ON_MANIFEST] = "manifest",
	[ON_INDEX] = "index",
	[ON_MANIFEST_DESCRIPTOR] = "manifest-descriptor",
	[ON_INDEX_DESCRIPTOR] = "index-descriptor",
};

void annotations_fini(struct annotations *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].key);
		free(l->v[i].value);
	}
	vec_fini(l);
}

/* "LEVEL", "LEVEL[PLATFORM]" or "[PLATFORM]", n bytes long. */
static int parse_place(const char *text, size_t n, struct annotation *a, struct err *e)
{
	const char *open = memchr(text, '[', n);
	size_t len = open ? (size_t)(open - text) : n;
	size_t i = ON_MANIFEST;
	while (len && i < ANNOTATION_LEVELS && (strlen(levels[i]) != len || strncmp(levels[i], text, len) != 0))
		i++;
	if (i == ANNOTATION_LEVELS) {
		AUTO(free_drop) char *word = x_strndup(text, len);
		const char *near = str_nearest(word, levels, ANNOTATION_LEVELS);
		err_set(e, ERR_USAGE, "an annotation cannot be on \"%s\"", word);
		return near ? err_hint(e, "did you mean %s?", near) : -1;
	}
	a->level = (enum annotation_level)i;
	if (!open)
		return 0;
	if (text[n - 1] != ']')
		return err_set(e, ERR_USAGE, "\"%.*s\" lacks its ]", (int)(n < 100 ? n : 100), text);
	AUTO(free_drop) char *platform = x_strndup(open + 1, n - len - 2);
	a->has_platform = true;
	return platform_parse(platform, &a->platform, e);
}

static void add(struct annotations *l, const struct annotation *place, const char *key, size_t n, const char *value)
{
	struct annotation *a = vec_add(l);
	*a = *place;
	a->key = x_strndup(key, n);
	a->value = x_strdup(value);
}

int annotation_add_field(struct annotations *l, const char *field_key, const char *value, struct err *e)
{
	static const char prefix[] = "annotation";
	struct annotation a = { 0 };
	const char *place = field_key + strlen(prefix);
	if (!str_starts(field_key, prefix) || !*place || !strchr("-[.", *place))
		return 1;
	place += *place == '-';
	/* A platform holds no dot, and a key may hold many. */
	size_t n = strcspn(place, ".");
	if (!place[n] || !place[n + 1])
		return err_set(e, ERR_USAGE, "%s: annotation.KEY is wanted", field_key);
	if (parse_place(place, n, &a, e) < 0)
		return -1;
	add(l, &a, place + n + 1, strlen(place + n + 1), value);
	return 0;
}

int annotation_add_option(struct annotations *l, const char *text, struct err *e)
{
	const char *equals = strchr(text, '='), *colon = strchr(text, ':');
	const char *key = text;
	if (!equals || equals == text)
		return err_set(e, ERR_USAGE, "KEY=VALUE is wanted");
	if (!colon || colon > equals) {
		add(l, &(struct annotation){ 0 }, text, (size_t)(equals - text), equals + 1);
		return 0;
	}
	key = colon + 1;
	if (key == equals)
		return err_set(e, ERR_USAGE, "KEY=VALUE is wanted");
	for (const char *p = text; p < colon; p++) {
		struct annotation a = { 0 };
		size_t n = strcspn(p, ",:");
		if (parse_place(p, n, &a, e) < 0)
			return -1;
		add(l, &a, key, (size_t)(equals - key), equals + 1);
		p += n;
	}
	return 0;
}

bool annotations_have(const struct annotations *l, enum annotation_level level)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].level == level)
			return true;
	return false;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct json *)a)->key, ((const struct json *)b)->key);
}

static void set(struct json *object, const char *key, const char *value)
{
	for (size_t i = 0; i < object->items.n; i++)
		if (str_eq(object->items.v[i].key, key)) {
			struct json was = object->items.v[i];
			object->items.v[i] = (struct json){ .type = JSON_STRING, .key = x_strdup(key), .text = x_strdup(value) };
			json_fini(&was);
			return;
		}
	*vec_add(&object->items) = (struct json){ .type = JSON_STRING, .key = x_strdup(key), .text = x_strdup(value) };
}

void annotations_put(const struct annotations *l, enum annotation_level level, const struct platform *platform,
		     struct json *ret)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct annotation *a = &l->v[i];
		if (a->level != level || (a->has_platform && (!platform || !platform_eq(&a->platform, platform))))
			continue;
		ret->type = JSON_OBJECT;
		set(ret, a->key, a->value);
	}
	if (ret->items.n)
		qsort(ret->items.v, ret->items.n, sizeof *ret->items.v, by_key);
}
