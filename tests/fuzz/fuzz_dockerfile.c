/* The Dockerfile parser, its triggers, checks and excerpts. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "dockerfile/lint.h"
#include "dockerfile/parse.h"

static void use(struct df_file *file)
{
	struct err e = {0};
	struct df_check none = {0};

	for (size_t i = 0; i < file->instructions.n; i++) {
		const struct df_instruction *in = &file->instructions.v[i];
		struct df_instruction trigger = {0};

		if (in->op == DF_ONBUILD)
			df_parse_trigger(in->args.v[0], &file->arena, &trigger, &e);
		for (size_t k = 0; k < in->args.n; k++)
			df_heredoc_find(in, in->args.v[k]);
	}
	df_lint(file, &none);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct df_file file = {0};
	struct err e = {0};
	bool parsed = df_parse((const char *)bytes, n, &file, &e) == 0;

	if (parsed)
		use(&file);
	for (size_t i = 0; i < file.errors.list.n; i++)
		free(df_excerpt(&file, "Dockerfile", &file.errors.list.v[i], file.errors.list.v[i].msg));
	if (parsed)
		e = (struct err){.line = 1, .line_end = 3};
	free(df_excerpt(&file, "Dockerfile", &e, NULL));
	df_file_fini(&file);
	return 0;
}
