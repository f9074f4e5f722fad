/* A URL, or a Location header against one. What parses is written and must parse to the same again. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "src/registry/url_priv.h"

static void check_round_trip(const struct url *u)
{
	struct url again = {0};
	struct err e = {0};
	char *text = url_text(u);

	if (url_parse(text, &again, &e) < 0 || !url_same_origin(u, &again) || strcmp(u->target, again.target))
		abort();
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			abort();
	free(text);
	free(url_redacted(u));
	url_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct url base = {0}, u = {0};
	struct err e = {0};
	char *text = strndup((const char *)bytes, n);

	if (url_parse("https://example.com/a/b?c", &base, &e) < 0)
		abort();
	if (url_parse(text, &u, &e) == 0)
		check_round_trip(&u);
	url_fini(&u);
	if (url_resolve(&base, text, &u, &e) == 0)
		check_round_trip(&u);
	url_fini(&u);
	url_fini(&base);
	free(text);
	return 0;
}
