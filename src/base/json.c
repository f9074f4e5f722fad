#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

struct parse {
	struct json *stack[LIMIT_JSON_DEPTH]; /* open arrays and objects; each is an element of the one before */
	size_t depth;
	size_t values;
	struct json *root;
	char *key; /* owned; waiting for its value */
	bool done;
	const char *name;
	struct err *e;
};

static struct json *place(struct parse *p, enum json_type type)
{
	struct json *at;
	if (++p->values > LIMIT_JSON_VALUES) {
		err_set(p->e, ERR_LIMIT, "%s: more than %u values", p->name, LIMIT_JSON_VALUES);
		return NULL;
	}
	if (!p->depth) {
		if (p->done) {
			err_set(p->e, ERR_SPEC, "%s: more than one JSON value", p->name);
			return NULL;
		}
		p->done = true;
		at = p->root;
	} else {
		/* Only the innermost container grows, so pointers to the outer ones stay good. */
		at = vec_add(&p->stack[p->depth - 1]->items);
		at->key = ptr_take(&p->key);
	}
	at->type = type;
	return at;
}

static int on_null(void *ctx)
{
	return place(ctx, JSON_NULL) != NULL;
}

static int on_bool(void *ctx, int value)
{
	struct json *j = place(ctx, JSON_BOOL);
	if (j)
		j->boolean = value;
	return j != NULL;
}

static int on_number(void *ctx, const char *text, size_t n)
{
	struct json *j = place(ctx, JSON_NUMBER);
	if (j)
		j->text = x_strndup(text, n);
	return j != NULL;
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	struct parse *p = ctx;
	if (memchr(text, 0, n)) {
		err_set(p->e, ERR_SPEC, "%s: a string holds a NUL", p->name);
		return 0;
	}
	struct json *j = place(p, JSON_STRING);
	if (j)
		j->text = x_strndup((const char *)text, n);
	return j != NULL;
}

static int on_key(void *ctx, const unsigned char *text, size_t n)
{
	struct parse *p = ctx;
	if (memchr(text, 0, n)) {
		err_set(p->e, ERR_SPEC, "%s: a key holds a NUL", p->name);
		return 0;
	}
	p->key = x_strndup((const char *)text, n);
	return 1;
}

static int open_container(struct parse *p, enum json_type type)
{
	if (p->depth == LIMIT_JSON_DEPTH) {
		err_set(p->e, ERR_LIMIT, "%s: nested deeper than %u", p->name, LIMIT_JSON_DEPTH);
		return 0;
	}
	struct json *j = place(p, type);
	if (!j)
		return 0;
	p->stack[p->depth++] = j;
	return 1;
}

static int on_map(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted once at the end of the object: a look at all earlier members for each one is quadratic in hostile input. */
static int on_map_end(void *ctx)
{
	struct parse *p = ctx;
	const struct json *object = p->stack[--p->depth];
	VEC(const char *) keys = { 0 };
	for (size_t i = 0; i < object->items.n; i++)
		vec_push(&keys, object->items.v[i].key);
	if (keys.n)
		qsort(keys.v, keys.n, sizeof *keys.v, by_key);
	int ok = 1;
	for (size_t i = 1; ok && i < keys.n; i++)
		if (strcmp(keys.v[i - 1], keys.v[i]) == 0) {
			err_set(p->e, ERR_SPEC, "%s: key \"%.80s\" stands twice in one object", p->name, keys.v[i]);
			ok = 0;
		}
	vec_fini(&keys);
	return ok;
}

static int on_array_end(void *ctx)
{
	struct parse *p = ctx;
	p->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_map_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_array_end,
};

int json_parse(const char *bytes, size_t n, const char *name, struct json *ret, struct err *e)
{
	struct json root = { 0 };
	struct err inner = { 0 };
	struct parse p = { .root = &root, .name = name, .e = &inner };
	yajl_handle h = yajl_alloc(&callbacks, NULL, &p);
	if (!h)
		abort();
	yajl_status status = yajl_parse(h, (const unsigned char *)bytes, n);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(h);
	size_t at = yajl_get_bytes_consumed(h);
	yajl_free(h);
	free(p.key);
	if (status != yajl_status_ok || !p.done) {
		json_fini(&root);
		if (inner.kind != ERR_NONE) {
			*e = inner;
			return -1;
		}
		return err_set(e, ERR_SPEC, "%s is not valid JSON (near byte %zu)", name, at);
	}
	*ret = root;
	return 0;
}

/* Depth is bounded by LIMIT_JSON_DEPTH, so is this recursion. */
void json_fini(struct json *j)
{
	for (size_t i = 0; i < j->items.n; i++)
		json_fini(&j->items.v[i]);
	vec_fini(&j->items);
	free(j->text);
	free(j->key);
	*j = (struct json){ 0 };
}

/* Bounded as above. */
void json_copy(struct json *to, const struct json *from)
{
	*to = (struct json){ .type = from->type, .boolean = from->boolean };
	if (from->text)
		to->text = x_strdup(from->text);
	for (size_t i = 0; i < from->items.n; i++) {
		struct json *item = vec_add(&to->items);
		json_copy(item, &from->items.v[i]);
		if (from->items.v[i].key)
			item->key = x_strdup(from->items.v[i].key);
	}
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->items.n; i++)
		if (object->items.v[i].key && strcmp(object->items.v[i].key, key) == 0)
			return &object->items.v[i];
	return NULL;
}

const char *json_str(const struct json *object, const char *key)
{
	const struct json *j = json_get(object, key);
	return j && j->type == JSON_STRING ? j->text : NULL;
}

bool json_bool(const struct json *object, const char *key, bool otherwise)
{
	const struct json *j = json_get(object, key);
	return j && j->type == JSON_BOOL ? j->boolean : otherwise;
}

int64_t json_int(const struct json *object, const char *key, int64_t otherwise)
{
	const struct json *j = json_get(object, key);
	if (!j || j->type != JSON_NUMBER)
		return otherwise;
	char *end;
	errno = 0;
	long long v = strtoll(j->text, &end, 10);
	return errno || *end ? otherwise : v;
}

size_t json_len(const struct json *array)
{
	return array && (array->type == JSON_ARRAY || array->type == JSON_OBJECT) ? array->items.n : 0;
}

const struct json *json_at(const struct json *array, size_t i)
{
	return i < json_len(array) ? &array->items.v[i] : NULL;
}

void json_strv(const struct json *array, struct strv *out)
{
	for (size_t i = 0; i < json_len(array); i++)
		if (array->items.v[i].type == JSON_STRING)
			strv_push(out, array->items.v[i].text);
}

void json_out_init(struct json_out *o)
{
	o->gen = yajl_gen_alloc(NULL);
	if (!o->gen)
		abort();
}

/* The generator only fails on calls in a wrong order or nesting beyond its limit: mistakes of ours. */
static void must(yajl_gen_status s)
{
	if (s != yajl_gen_status_ok)
		abort();
}

void json_begin(struct json_out *o, char kind)
{
	must(kind == '{' ? yajl_gen_map_open(o->gen) : yajl_gen_array_open(o->gen));
}

void json_end(struct json_out *o, char kind)
{
	must(kind == '}' ? yajl_gen_map_close(o->gen) : yajl_gen_array_close(o->gen));
}

void json_put_str(struct json_out *o, const char *value)
{
	AUTO(str_fini) struct str clean = { 0 };
	size_t n = strlen(value);
	if (!str_is_utf8(value, n)) {
		str_add_utf8(&clean, value, n);
		value = clean.buf;
		n = clean.len;
	}
	must(yajl_gen_string(o->gen, (const unsigned char *)value, n));
}

void json_put_key(struct json_out *o, const char *key)
{
	json_put_str(o, key);
}

void json_put_int(struct json_out *o, int64_t value)
{
	must(yajl_gen_integer(o->gen, value));
}

void json_put_bool(struct json_out *o, bool value)
{
	must(yajl_gen_bool(o->gen, value));
}

void json_put_null(struct json_out *o)
{
	must(yajl_gen_null(o->gen));
}

void json_put_raw(struct json_out *o, const struct json *value)
{
	switch (value->type) {
	case JSON_NULL:
		json_put_null(o);
		return;
	case JSON_BOOL:
		json_put_bool(o, value->boolean);
		return;
	case JSON_NUMBER:
		must(yajl_gen_number(o->gen, value->text, strlen(value->text)));
		return;
	case JSON_STRING:
		json_put_str(o, value->text);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	bool object = value->type == JSON_OBJECT;
	json_begin(o, object ? '{' : '[');
	for (size_t i = 0; i < value->items.n; i++) {
		if (object)
			json_put_key(o, value->items.v[i].key);
		json_put_raw(o, &value->items.v[i]);
	}
	json_end(o, object ? '}' : ']');
}

void json_kv_str(struct json_out *o, const char *key, const char *value)
{
	json_put_key(o, key);
	json_put_str(o, value);
}

void json_kv_int(struct json_out *o, const char *key, int64_t value)
{
	json_put_key(o, key);
	json_put_int(o, value);
}

void json_kv_bool(struct json_out *o, const char *key, bool value)
{
	json_put_key(o, key);
	json_put_bool(o, value);
}

void json_kv_strv(struct json_out *o, const char *key, const struct strv *values)
{
	json_put_key(o, key);
	json_begin(o, '[');
	for (size_t i = 0; i < values->n; i++)
		json_put_str(o, values->v[i]);
	json_end(o, ']');
}

char *json_out_take(struct json_out *o)
{
	const unsigned char *text;
	size_t n;
	must(yajl_gen_get_buf(o->gen, &text, &n));
	char *r = x_strndup((const char *)text, n);
	json_out_drop(o);
	return r;
}

void json_out_drop(struct json_out *o)
{
	if (o->gen)
		yajl_gen_free(o->gen);
	o->gen = NULL;
}
