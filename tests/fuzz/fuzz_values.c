/* Flag values: RUN --mount, and the small ones of --chmod, HEALTHCHECK, EXPOSE and STOPSIGNAL. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dockerfile/expand.h"
#include "dockerfile/mount.h"
#include "dockerfile/values.h"

static void small_values(const char *text)
{
	struct strv ports = {0};
	struct df_chmod mode;
	struct err e = {0};
	enum df_rule rule;
	int64_t ns;

	df_duration(text, &ns, &e);
	df_signal_is_valid(text);
	df_expose(text, &ports, &rule, &e);
	if (df_chmod_parse(text, &mode, &e) == 0)
		df_chmod_apply(&mode, 0755, true);
	strv_fini(&ports);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct strv env = {0};
	struct df_scope scope = {.env = &env, .escape = '\\'};
	struct df_mount m = {0};
	struct err e = {0};
	char *text = x_strndup((const char *)bytes, n);

	strv_push(&env, "T=cache");
	if (df_mount_parse(text, &scope, &m, &e) == 0)
		df_mount_fini(&m);
	if (df_mount_parse(text, NULL, &m, &e) == 0)
		df_mount_fini(&m);
	small_values(text);
	free(text);
	strv_fini(&env);
	return 0;
}
