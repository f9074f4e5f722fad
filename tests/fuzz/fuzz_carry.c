/*
 * What an exported cache brings: "NAME\nRECORD". A name that is taken is the one that would be written; a record that is
 * taken is written as a text that is taken as the same.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "src/build/carry_priv.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* The name that its key asks for, so that the rest of it is looked at too. */
static void name_of_key(const char *bytes, size_t n, struct digest *ret)
{
	AUTO(json_fini) struct json j = { 0 };
	struct json_out o;
	struct err e = { 0 };
	if (json_parse(bytes, n, "input", &j, &e) < 0 || !json_get(&j, "key"))
		return;
	json_out_init(&o);
	json_put_raw(&o, json_get(&j, "key"));
	AUTO(free_drop) char *key = json_out_take(&o);
	*ret = digest_of(key, strlen(key));
}

static void read_record(enum object_kind kind, const struct digest *id, const char *bytes, size_t n)
{
	AUTO(carried_record_fini) struct carried_record first = { 0 }, second = { 0 };
	struct err e = { 0 };
	if (carried_record_parse(kind, id, bytes, n, &first, &e) < 0)
		return;
	must(carried_record_parse(kind, id, first.text, strlen(first.text), &second, &e) == 0);
	must(strcmp(first.text, second.text) == 0 && first.has_blob == second.has_blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes;
	const char *end = n ? memchr(text, '\n', n) : NULL;
	size_t len = end ? (size_t)(end - text) : n, rest = end ? len + 1 : n;
	AUTO(free_drop) char *name = x_strndup(text, len);
	enum object_kind kind;
	struct digest id;
	if (!carry_name_parse(name, &kind, &id))
		return 0;
	AUTO(free_drop) char *again = carry_name(kind, &id);
	must(strcmp(name, again) == 0);
	if (kind != OBJECT_STEP && kind != OBJECT_LAYER && kind != OBJECT_BASE)
		return 0;
	if (kind == OBJECT_STEP)
		name_of_key(text + rest, n - rest, &id);
	read_record(kind, &id, text + rest, n - rest);
	return 0;
}
