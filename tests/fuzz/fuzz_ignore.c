/* An ignore file, and what it says of a few paths. */
#include "fuzz.h"

#include "dockerfile/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const paths[] = {"a", "a/b", "a/b/c.txt", "node_modules/x", ".git/config", "src/main.c", "x*y", "[z]"};
	struct df_ignore *ignore = NULL;
	struct err e = {0};

	if (df_ignore_parse((const char *)bytes, n, ".dockerignore", &ignore, &e) == 0) {
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
			int line;

			df_ignored(ignore, paths[i], &line);
			df_ignore_may_reinclude(ignore, paths[i]);
		}
	}
	df_ignore_free(ignore);
	return 0;
}
