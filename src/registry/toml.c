#include "toml_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { KEYS_MAX = 8, VALUES_MAX = 65536 };

struct reader {
	const char *p, *end;
	const char *name;
	unsigned line;
	size_t values; /* made so far */
	struct json *root;
};

static int refuse(const struct reader *r, struct err *e, const char *why)
{
	return err_set(e, ERR_SPEC, "%s, line %u: %s", r->name, r->line, why);
}

static char peek(const struct reader *r)
{
	return r->p < r->end ? *r->p : '\0';
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t')
		r->p++;
}

/* Blanks, comments and, if `lines`, ends of lines. */
static void skip(struct reader *r, bool lines)
{
	for (;;) {
		skip_blanks(r);
		if (peek(r) == '#')
			while (r->p < r->end && *r->p != '\n')
				r->p++;
		if (peek(r) == '\r' && r->p + 1 < r->end && r->p[1] == '\n')
			r->p++;
		if (!lines || peek(r) != '\n')
			return;
		r->p++;
		r->line++;
	}
}

static int expect(struct reader *r, char c, const char *why, struct err *e)
{
	if (peek(r) != c)
		return refuse(r, e, why);
	r->p++;
	return 0;
}

/* ---- strings ---- */

static void add_character(struct str *out, uint32_t c)
{
	if (c < 0x80) {
		str_addc(out, (char)c);
	} else if (c < 0x800) {
		str_addc(out, (char)(0xc0 | c >> 6));
		str_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		if (c < 0x10000) {
			str_addc(out, (char)(0xe0 | c >> 12));
		} else {
			str_addc(out, (char)(0xf0 | c >> 18));
			str_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		str_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		str_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

static int read_unicode(struct reader *r, int digits, struct str *out, struct err *e)
{
	uint32_t c = 0;
	for (int i = 0; i < digits; i++, r->p++) {
		const char *at = peek(r) ? strchr("0123456789abcdef0123456789ABCDEF", *r->p) : NULL;
		if (!at)
			return refuse(r, e, "an escape with hexadecimal digits is cut short");
		c = c << 4 | (uint32_t)((at - "0123456789abcdef0123456789ABCDEF") & 15);
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return refuse(r, e, "an escape stands for no character");
	add_character(out, c);
	return 0;
}

static int read_escape(struct reader *r, struct str *out, struct err *e)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	char c = peek(r);
	r->p += c != '\0';
	if (c == 'u' || c == 'U')
		return read_unicode(r, c == 'u' ? 4 : 8, out, e);
	const char *at = c ? strchr(from, c) : NULL;
	if (!at)
		return refuse(r, e, "an unknown escape in a string");
	str_addc(out, to[at - from]);
	return 0;
}

static int read_string(struct reader *r, char **ret, struct err *e)
{
	AUTO(str_fini) struct str out = { 0 };
	char quote = *r->p++;
	if (r->end - r->p >= 2 && r->p[0] == quote && r->p[1] == quote)
		return refuse(r, e, "strings of several lines are not known here");
	for (;;) {
		char c = peek(r);
		if (r->p == r->end || c == '\n')
			return refuse(r, e, "a string does not end");
		if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(r, e, "a control character in a string");
		r->p++;
		if (c == quote)
			break;
		if (c != '\\' || quote == '\'')
			str_addc(&out, c);
		else if (read_escape(r, &out, e) < 0)
			return -1;
	}
	*ret = str_take(&out);
	return 0;
}

/* ---- keys ---- */

static int read_key(struct reader *r, char **ret, struct err *e)
{
	static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	if (peek(r) == '"' || peek(r) == '\'')
		return read_string(r, ret, e);
	const char *start = r->p;
	while (peek(r) && strchr(bare, *r->p))
		r->p++;
	if (r->p == start)
		return refuse(r, e, "a key is wanted here");
	*ret = x_strndup(start, (size_t)(r->p - start));
	return 0;
}

/* KEY.KEY… */
static int read_keys(struct reader *r, struct strv *out, struct err *e)
{
	for (;;) {
		char *key;
		skip_blanks(r);
		if (read_key(r, &key, e) < 0)
			return -1;
		strv_push_taken(out, key);
		skip_blanks(r);
		if (peek(r) != '.')
			return 0;
		r->p++;
		if (out->n == KEYS_MAX)
			return refuse(r, e, "a key of too many parts");
	}
}

/* ---- the tree ---- */

static struct json *find_member(struct json *object, const char *key)
{
	for (size_t i = 0; i < object->items.n; i++)
		if (str_eq(object->items.v[i].key, key))
			return &object->items.v[i];
	return NULL;
}

static int add_item(struct reader *r, struct json *to, const char *key, enum json_type type, struct json **ret,
		    struct err *e)
{
	if (r->values++ == VALUES_MAX)
		return refuse(r, e, "more values than a configuration has");
	*ret = vec_add(&to->items);
	(*ret)->type = type;
	(*ret)->key = key ? x_strdup(key) : NULL;
	return 0;
}

/* The table that all but the last of `keys` lead to; of an array of tables, the last one. */
static int walk(struct reader *r, struct json *from, const struct strv *keys, struct json **ret, struct err *e)
{
	for (size_t i = 0; i + 1 < keys->n; i++) {
		struct json *next = find_member(from, keys->v[i]);
		if (!next && add_item(r, from, keys->v[i], JSON_OBJECT, &next, e) < 0)
			return -1;
		if (next->type == JSON_ARRAY && next->items.n)
			next = &next->items.v[next->items.n - 1];
		if (next->type != JSON_OBJECT)
			return refuse(r, e, "a key leads into what is no table");
		from = next;
	}
	*ret = from;
	return 0;
}

/* ---- values ---- */

static int read_scalar(struct reader *r, struct json *to, struct err *e)
{
	if (peek(r) == '"' || peek(r) == '\'') {
		to->type = JSON_STRING;
		return read_string(r, &to->text, e);
	}
	const char *start = r->p;
	while (peek(r) && !strchr(" \t\r\n,]#", *r->p))
		r->p++;
	AUTO(free_drop) char *word = x_strndup(start, (size_t)(r->p - start));
	uint64_t number;
	if (str_eq(word, "true") || str_eq(word, "false")) {
		to->type = JSON_BOOL;
		to->boolean = word[0] == 't';
		return 0;
	}
	if (!str_to_u64(word + (word[0] == '-' || word[0] == '+'), INT64_MAX, &number))
		return refuse(r, e, "a string, an integer, true, false or an array of these is wanted here");
	to->type = JSON_NUMBER;
	to->text = x_strdup(word + (word[0] == '+'));
	return 0;
}

static int read_array(struct reader *r, struct json *to, struct err *e)
{
	r->p++;
	to->type = JSON_ARRAY;
	for (;;) {
		struct json *item;
		skip(r, true);
		if (peek(r) == ']')
			break;
		if (add_item(r, to, NULL, JSON_NULL, &item, e) < 0 || read_scalar(r, item, e) < 0)
			return -1;
		skip(r, true);
		if (peek(r) == ',')
			r->p++;
		else if (peek(r) != ']')
			return refuse(r, e, "a comma or ] is wanted in an array");
	}
	r->p++;
	return 0;
}

static int read_pair(struct reader *r, struct json *table, struct err *e)
{
	AUTO(strv_fini) struct strv keys = { 0 };
	struct json *to, *value;
	if (read_keys(r, &keys, e) < 0 || expect(r, '=', "= is wanted after a key", e) < 0 ||
	    walk(r, table, &keys, &to, e) < 0)
		return -1;
	const char *last = keys.v[keys.n - 1];
	if (find_member(to, last))
		return refuse(r, e, "a key stands twice");
	skip_blanks(r);
	if (add_item(r, to, last, JSON_NULL, &value, e) < 0)
		return -1;
	return peek(r) == '[' ? read_array(r, value, e) : read_scalar(r, value, e);
}

/* [TABLE] or [[ARRAY OF TABLES]] */
static int read_header(struct reader *r, struct json **ret, struct err *e)
{
	AUTO(strv_fini) struct strv keys = { 0 };
	struct json *to;
	r->p++;
	bool array = peek(r) == '[';
	r->p += array;
	if (read_keys(r, &keys, e) < 0 || expect(r, ']', "] is wanted after the name of a table", e) < 0 ||
	    (array && expect(r, ']', "]] is wanted after the name of an array of tables", e) < 0) ||
	    walk(r, r->root, &keys, &to, e) < 0)
		return -1;
	const char *last = keys.v[keys.n - 1];
	struct json *found = find_member(to, last);
	if (!found && add_item(r, to, last, array ? JSON_ARRAY : JSON_OBJECT, &found, e) < 0)
		return -1;
	if (found->type != (array ? JSON_ARRAY : JSON_OBJECT))
		return refuse(r, e, "the name of a table is taken by something else");
	*ret = found;
	return array ? add_item(r, found, NULL, JSON_OBJECT, ret, e) : 0;
}

static int read_all(struct reader *r, struct err *e)
{
	struct json *table = r->root;
	for (;;) {
		skip(r, true);
		if (r->p == r->end)
			return 0;
		if ((peek(r) == '[' ? read_header(r, &table, e) : read_pair(r, table, e)) < 0)
			return -1;
		skip(r, false);
		if (r->p < r->end && *r->p != '\n')
			return refuse(r, e, "something stands after the end of a value");
	}
}

int toml_parse(const char *bytes, size_t n, const char *name, struct json *ret, struct err *e)
{
	AUTO(json_fini) struct json root = { .type = JSON_OBJECT };
	struct reader r = { .p = bytes, .end = bytes + n, .name = name, .line = 1, .root = &root };
	if (memchr(bytes, '\0', n) || !str_is_utf8(bytes, n))
		return err_set(e, ERR_SPEC, "%s is not a text in UTF-8", name);
	if (read_all(&r, e) < 0)
		return -1;
	*ret = root;
	root = (struct json){ 0 };
	return 0;
}
