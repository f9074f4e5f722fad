#include "table.h"

#include "base/err.h"
#include "oci/media_type.h"
#include "src/registry/document_priv.h"

#define MANIFEST "\"config\":{},\"layers\":[]"
#define INDEX "\"manifests\":[]"
#define SAYS(type) "\"mediaType\":\"" type "\","

/* The body, the Content-Type, the descriptor's type; the type that results, NULL for refused (T-H1). */
static const struct { const char *body, *header, *descriptor, *want; } rows[] = {
	{ "{" SAYS(MT_MANIFEST) MANIFEST "}", MT_MANIFEST, MT_MANIFEST, MT_MANIFEST },
	{ "{" SAYS(MT_INDEX) INDEX "}", MT_INDEX, NULL, MT_INDEX },
	{ "{" SAYS(MT_DOCKER_MANIFEST) MANIFEST "}", MT_DOCKER_MANIFEST, NULL, MT_DOCKER_MANIFEST },
	{ "{" SAYS(MT_DOCKER_LIST) INDEX "}", MT_DOCKER_LIST, MT_DOCKER_LIST, MT_DOCKER_LIST },
	{ "{" MANIFEST "}", NULL, NULL, MT_MANIFEST },
	{ "{" INDEX "}", NULL, NULL, MT_INDEX },
	{ "{" MANIFEST "}", MT_DOCKER_MANIFEST, NULL, MT_DOCKER_MANIFEST },
	{ "{" MANIFEST "}", NULL, MT_DOCKER_MANIFEST, MT_DOCKER_MANIFEST },
	{ "{" SAYS(MT_DOCKER_MANIFEST) MANIFEST "}", "application/json", NULL, MT_DOCKER_MANIFEST },
	{ "{" SAYS(MT_INDEX) INDEX "}", "text/plain; charset=utf-8", NULL, MT_INDEX },
	{ "{" SAYS(MT_INDEX) INDEX "}", "application/octet-stream", NULL, MT_INDEX },
	{ "{" SAYS(MT_INDEX) INDEX "}", "Application/VND.OCI.image.index.v1+json; charset=utf-8", NULL, MT_INDEX },
	{ "{" MANIFEST "," INDEX "}", NULL, NULL, NULL },
	{ "{" SAYS(MT_MANIFEST) MANIFEST "," INDEX "}", MT_MANIFEST, MT_MANIFEST, NULL },
	{ "{" SAYS(MT_INDEX) INDEX ",\"layers\":[]}", MT_INDEX, NULL, NULL },
	{ "{" SAYS(MT_MANIFEST) MANIFEST "}", MT_INDEX, NULL, NULL },
	{ "{" SAYS(MT_MANIFEST) MANIFEST "}", MT_DOCKER_MANIFEST, NULL, NULL },
	{ "{" SAYS(MT_MANIFEST) MANIFEST "}", MT_MANIFEST, MT_INDEX, NULL },
	{ "{" SAYS(MT_MANIFEST) MANIFEST "}", NULL, MT_DOCKER_MANIFEST, NULL },
	{ "{" MANIFEST "}", MT_INDEX, NULL, NULL },
	{ "{" INDEX "}", MT_MANIFEST, NULL, NULL },
	{ "{" INDEX "}", NULL, MT_MANIFEST, NULL },
	{ "{" SAYS(MT_INDEX) MANIFEST "}", NULL, NULL, NULL },
	{ "{" SAYS("application/x-other") MANIFEST "}", NULL, NULL, NULL },
	{ "{" MANIFEST "}", "text/html", NULL, NULL },
	{ "{" SAYS(MT_CONFIG) MANIFEST "}", NULL, NULL, NULL },
	{ "{\"schemaVersion\":1,\"fsLayers\":[]}", "application/vnd.docker.distribution.manifest.v1+prettyjws", NULL,
	  NULL },
	{ "{}", MT_MANIFEST, NULL, NULL },
	{ "[]", MT_MANIFEST, NULL, NULL },
	{ "", MT_MANIFEST, NULL, NULL },
	{ "<html>", "text/html", NULL, NULL },
	{ "{" SAYS(MT_MANIFEST) SAYS(MT_INDEX) MANIFEST "}", NULL, NULL, NULL },
};

static void all_claims_must_agree(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(free_drop) char *type = NULL;
		struct err e = { 0 };
		int r = document_type(rows[i].body, strlen(rows[i].body), rows[i].header, rows[i].descriptor, "x",
				      &type, &e);
		row_check(wrong, (r == 0) == (rows[i].want != NULL) && str_eq(type, rows[i].want), "row %zu, %s: %s", i,
			  rows[i].body, r ? e.msg : type);
		row_check(wrong, r == 0 || e.kind == ERR_SPEC, "row %zu: kind %d", i, e.kind);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_claims_must_agree) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
