#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "document_priv.h"
#include "oci/time.h"

int doc_parse(const char *bytes, size_t n, size_t limit, const char *name, struct json *ret, struct err *e)
{
	if (n > limit)
		return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", name, limit);
	struct json j;
	if (json_parse(bytes, n, name, &j, e) < 0)
		return -1;
	if (j.type != JSON_OBJECT) {
		json_fini(&j);
		return err_set(e, ERR_SPEC, "%s is not a JSON object", name);
	}
	*ret = j;
	return 0;
}

int doc_check_keys(const struct json *object, const char *const *known, size_t n, const char *name, struct err *e)
{
	for (size_t i = 0; i < json_len(object); i++)
		for (size_t k = 0; k < n; k++)
			if (str_case_eq(json_at(object, i)->key, known[k]) &&
			    !str_eq(json_at(object, i)->key, known[k]))
				return err_set(e, ERR_SPEC, "%s: member \"%s\" is written \"%s\"", name, known[k],
					       json_at(object, i)->key);
	return 0;
}

static const char *type_in_words(enum json_type type)
{
	static const char *const words[] = {
		[JSON_NULL] = "null",       [JSON_BOOL] = "true or false", [JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string", [JSON_ARRAY] = "a list",       [JSON_OBJECT] = "an object",
	};
	return words[type];
}

int doc_get(const struct json *object, const char *key, enum json_type type, const char *name, const struct json **ret,
	    struct err *e)
{
	const struct json *j = json_get(object, key);
	if (j && j->type == JSON_NULL)
		j = NULL;
	if (j && j->type != type)
		return err_set(e, ERR_SPEC, "%s: \"%s\" is %s, not %s", name, key, type_in_words(j->type),
			       type_in_words(type));
	*ret = j;
	return 0;
}

int doc_str(const struct json *object, const char *key, const char *name, char **ret, struct err *e)
{
	const struct json *j;
	if (doc_get(object, key, JSON_STRING, name, &j, e) < 0)
		return -1;
	*ret = j && *j->text ? x_strdup(j->text) : NULL;
	return 0;
}

int doc_strv(const struct json *object, const char *key, const char *name, struct strv *ret, bool *ret_set,
	     struct err *e)
{
	const struct json *j;
	if (doc_get(object, key, JSON_ARRAY, name, &j, e) < 0)
		return -1;
	for (size_t i = 0; i < json_len(j); i++)
		if (json_at(j, i)->type != JSON_STRING)
			return err_set(e, ERR_SPEC, "%s: \"%s\" holds %s, not strings only", name, key,
				       type_in_words(json_at(j, i)->type));
	json_strv(j, ret);
	if (ret_set)
		*ret_set = j != NULL;
	return 0;
}

int doc_keys(const struct json *object, const char *key, const char *name, struct strv *ret, struct err *e)
{
	const struct json *j;
	if (doc_get(object, key, JSON_OBJECT, name, &j, e) < 0)
		return -1;
	for (size_t i = 0; i < json_len(j); i++)
		strv_push(ret, json_at(j, i)->key);
	strv_sort(ret);
	return 0;
}

int doc_int(const struct json *object, const char *key, const char *name, int64_t *ret, struct err *e)
{
	const struct json *j;
	if (doc_get(object, key, JSON_NUMBER, name, &j, e) < 0)
		return -1;
	/* Asked for with two defaults, since any one of them could be the value. */
	int64_t v = json_int(object, key, 0);
	if (j && v != json_int(object, key, 1))
		return err_set(e, ERR_SPEC, "%s: \"%s\" is %.40s, not an integer of 64 bits", name, key, j->text);
	*ret = v;
	return 0;
}

int doc_bool(const struct json *object, const char *key, const char *name, bool *ret, struct err *e)
{
	const struct json *j;
	if (doc_get(object, key, JSON_BOOL, name, &j, e) < 0)
		return -1;
	*ret = j && j->boolean;
	return 0;
}

int doc_time(const struct json *object, const char *key, const char *name, char **ret, struct err *e)
{
	int64_t seconds;
	AUTO(free_drop) char *text = NULL;
	if (doc_str(object, key, name, &text, e) < 0)
		return -1;
	if (text && time_parse(text, &seconds) < 0)
		return err_set(e, ERR_SPEC, "%s: \"%s\" is \"%.60s\", not a time of RFC 3339", name, key, text);
	*ret = ptr_take(&text);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_bytes);
}
