/* A configuration in TOML. What parses has no member twice, and every member of a table a key. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "src/registry/toml_priv.h"

static void check_table(const struct json *j)
{
	for (size_t i = 0; i < j->items.n; i++) {
		if (!j->items.v[i].key)
			abort();
		for (size_t k = 0; k < i; k++)
			if (strcmp(j->items.v[i].key, j->items.v[k].key) == 0)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct json root;
	struct err e = {0};
	VEC(const struct json *) left = {0};

	if (n > 4096 || toml_parse((const char *)bytes, n, "input", &root, &e) < 0)
		return 0;
	vec_push(&left, &root);
	for (size_t i = 0; i < left.n; i++) {
		const struct json *j = left.v[i];

		if (j->type == JSON_OBJECT)
			check_table(j);
		for (size_t k = 0; k < j->items.n; k++)
			vec_push(&left, &j->items.v[k]);
	}
	vec_fini(&left);
	json_fini(&root);
	return 0;
}
