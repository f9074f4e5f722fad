/* Go path match: a first line is the pattern, the rest the name. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "dockerfile/match.h"

/* Every name is matched by itself with each byte escaped, and "*" by exactly the names without a slash. */
static void check_laws(const char *name)
{
	AUTO(str_fini) struct str literal = { 0 };
	struct err e = { 0 };

	for (const char *p = name; *p; p++)
		str_addf(&literal, "\\%c", *p);
	if (df_match(str_text(&literal), name, &e) != 1)
		abort();
	if (df_match("*", name, &e) != !strchr(name, '/'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	AUTO(free_drop) char *text = x_strndup((const char *)bytes, n);
	char *name = strchr(text, '\n');
	struct err e = { 0 };

	if (name)
		*name++ = '\0';
	int r = df_match(text, name ? name : "a/b.c", &e);
	if (r < -1 || r > 1 || (r == 0 && !strpbrk(text, "*?[\\") && name && strcmp(text, name) == 0))
		abort();
	check_laws(name ? name : text);
	return 0;
}
