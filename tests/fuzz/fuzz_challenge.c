/* The WWW-Authenticate headers of one answer, one per line, and the realm they lead to. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "src/registry/challenge_priv.h"
#include "src/registry/realm_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct strv values = {0};
	struct challenges list = {0};
	struct url base = {0}, to = {0};
	struct err e = {0};
	char *text = strndup((const char *)bytes, n), *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		strv_push(&values, line);
	if (challenges_parse(&values, &list, &e) == 0) {
		const struct challenge *c = challenges_pick(&list);

		if (url_parse("https://registry.example.com/v2/", &base, &e) < 0)
			abort();
		/* Whatever the header says, a login goes nowhere else. */
		if (c && c->realm && realm_check("registry.example.com", &base, c->realm, &to, &e) == 0 &&
		    (!to.https || (strcmp(to.host, "example.com") && !strstr(to.host, ".example.com"))))
			abort();
	}
	url_fini(&base);
	url_fini(&to);
	challenges_fini(&list);
	strv_fini(&values);
	free(text);
	return 0;
}
