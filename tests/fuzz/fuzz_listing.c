/* A listing that parses is written as a text that parses as the same, and so do its lines about some path; a name of a layer is split by the whiteout rules. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "oci/listing.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void split(const char *path)
{
	AUTO(free_drop) char *means = NULL;
	enum list_kind kind;
	struct err e = {0};
	bool skip;

	if (whiteout_parse(path, &kind, &means, &skip, &e) < 0)
		return;
	must(means && (kind != LIST_ENTRY || str_eq(means, path)));
}

static void to_text(const struct listing *l, struct str *out)
{
	for (size_t i = 0; i < l->n; i++)
		listing_add_text(out, &l->v[i]);
}

/* What is selected of a listing that parses is one. */
static void select_part(const struct str *text, const char *path)
{
	static const char head[] = "nacre-listing 1\n";
	AUTO(str_fini) struct str part = {0};
	AUTO(listing_fini) struct listing l = {0};
	struct list_scope scope = {0};
	struct err e = {0};

	str_add(&part, head);
	list_scope_add(&scope, path);
	if (scope.paths.n && list_scope_select(&scope, text->buf + part.len, text->len - part.len, &part))
		must(listing_parse(part.buf, part.len, "part", &l, &e) == 0);
	list_scope_fini(&scope);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	AUTO(str_fini) struct str once = {0}, twice = {0};
	AUTO(listing_fini) struct listing first = {0}, second = {0};
	struct err e = {0};

	AUTO(free_drop) char *path = x_strndup((const char *)bytes, n);
	split(path);
	if (listing_parse((const char *)bytes, n, "input", &first, &e) < 0)
		return 0;
	for (size_t i = 0; i < first.n; i++)
		split(first.v[i].tar.path);
	if (!first.n)
		return 0;
	to_text(&first, &once);
	must(listing_parse(once.buf, once.len, "written", &second, &e) == 0);
	to_text(&second, &twice);
	must(once.len == twice.len && memcmp(once.buf, twice.buf, once.len) == 0);
	select_part(&once, first.v[first.n - 1].tar.path);
	return 0;
}
