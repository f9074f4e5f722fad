/*
 * JSON, read into a tree and written deterministically. The only file that includes the JSON library (yajl's streaming
 * parser and generator; its own tree API is not used).
 *
 * Reading: depth and number of values capped (LIMIT_JSON_DEPTH, LIMIT_JSON_VALUES; the size is for the caller to cap),
 * a key twice in one object is ERR_SPEC (two readers could disagree about its value), NUL in strings is ERR_SPEC,
 * numbers keep their text so that integers are exact. Writing: no blanks, keys in the order they are written, invalid
 * UTF-8 replaced by U+FFFD.
 */
#ifndef NACRE_BASE_JSON_H
#define NACRE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/vec.h"

struct err;

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool boolean;
	char *text;             /* STRING: the value; NUMBER: its digits. owned */
	char *key;              /* name when this is a member of an object, else NULL. owned */
	VEC(struct json) items; /* ARRAY: elements; OBJECT: members, in order. owned */
};

/* `name` is the document's name for messages. On success the caller frees *ret with json_fini. */
int json_parse(const char *bytes, size_t n, const char *name, struct json *ret, struct err *e);
void json_fini(struct json *j);
void json_copy(struct json *to, const struct json *from); /* deep; *to zeroed; without from's key */

/* Each accepts NULL and answers NULL or the default when the type differs; results are borrowed. */
const struct json *json_get(const struct json *object, const char *key);
const char *json_str(const struct json *object, const char *key);            /* a string member, or NULL */
bool json_bool(const struct json *object, const char *key, bool otherwise);
int64_t json_int(const struct json *object, const char *key, int64_t otherwise); /* also when not an exact integer */
size_t json_len(const struct json *array);                                   /* 0 when NULL or no array/object */
const struct json *json_at(const struct json *array, size_t i);
void json_strv(const struct json *array, struct strv *out);                  /* appends the array's strings */

/* The writer: begin/end nest; a key comes before each value inside an object. */
struct json_out {
	void *gen; /* owned */
};
void json_out_init(struct json_out *o);
void json_begin(struct json_out *o, char kind);          /* '{' or '[' */
void json_end(struct json_out *o, char kind);            /* '}' or ']' */
void json_put_key(struct json_out *o, const char *key);
void json_put_str(struct json_out *o, const char *value);
void json_put_int(struct json_out *o, int64_t value);
void json_put_bool(struct json_out *o, bool value);
void json_put_null(struct json_out *o);
void json_put_raw(struct json_out *o, const struct json *value); /* a whole tree, as it was read */
/* key and value in one call */
void json_kv_str(struct json_out *o, const char *key, const char *value);
void json_kv_int(struct json_out *o, const char *key, int64_t value);
void json_kv_bool(struct json_out *o, const char *key, bool value);
void json_kv_strv(struct json_out *o, const char *key, const struct strv *values);
char *json_out_take(struct json_out *o);  /* the caller owns the text; also frees the writer */
void json_out_drop(struct json_out *o);

#endif
