/* An ignore file, and what it says of a few paths and of each of its own lines. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dockerfile/ignore.h"

static void ask(const struct df_ignore *ignore, const char *path)
{
	int line;

	df_ignored(ignore, path, &line);
	df_ignore_may_reinclude(ignore, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const paths[] = {"a", "a/b", "a/b/c.txt", "node_modules/x", ".git/config", "src/main.c", "x*y", "[z]"};
	struct df_ignore *ignore = NULL;
	struct err e = {0};
	char *text = x_strndup((const char *)bytes, n), *rest = text;

	if (df_ignore_parse((const char *)bytes, n, ".dockerignore", &ignore, &e) == 0) {
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
			ask(ignore, paths[i]);
		for (const char *line; (line = strsep(&rest, "\n"));)
			ask(ignore, line);
	}
	df_ignore_free(ignore);
	free(text);
	return 0;
}
