/* A git URL: what is taken from it becomes arguments of a program and a path inside a checkout. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "src/build/git_priv.h"

static void check_argument(const char *word)
{
	if (!word)
		return;
	if (word[0] == '-')
		abort();
	for (const char *p = word; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			abort();
}

static void check_inside(const char *subdir)
{
	char *copy = strdup(subdir ? subdir : ""), *save = NULL;

	for (char *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save))
		if (strcmp(name, "..") == 0)
			abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct git_source g = {0};
	struct err e = {0};
	char *text = strndup((const char *)bytes, n);
	char *shown = git_url_shown(text);

	if (git_is_source(text) && !git_is_context(text))
		abort();
	if (git_parse(text, &g, &e) == 0) {
		check_argument(g.url);
		check_argument(g.ref);
		check_inside(g.subdir);
	}
	git_fini(&g);
	free(shown);
	free(text);
	return 0;
}
