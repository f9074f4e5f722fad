/* The Dockerfile parser, its triggers and its excerpts. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "dockerfile/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct df_file file = {0};
	struct err e = {0};

	if (df_parse((const char *)bytes, n, &file, &e) < 0) {
		free(df_excerpt(&file, "Dockerfile", 1, 3));
	} else {
		for (size_t i = 0; i < file.instructions.n; i++) {
			struct df_instruction trigger = {0};

			if (file.instructions.v[i].op == DF_ONBUILD && file.instructions.v[i].args.n)
				df_parse_trigger(file.instructions.v[i].args.v[0], &file.arena, &trigger, &e);
		}
	}
	df_file_fini(&file);
	return 0;
}
