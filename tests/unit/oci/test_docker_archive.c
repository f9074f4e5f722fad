/* manifest.json of docker archives. */
#include "documents.h"

#include "base/limits.h"
#include "oci/docker_archive.h"

static int parse(const char *text, struct docker_images *l, struct err *e)
{
	return docker_archive_parse(text, strlen(text), "test", l, e);
}

static void reads(void **state)
{
	struct docker_images l = { 0 };
	struct err e;
	assert_int_equal(parse("[{\"Config\":\"./a//b.json\",\"RepoTags\":[\"x:1\",\"y:2\"],\"Layers\":[\"l/layer.tar\",\"m.tar\"],"
			       "\"LayerSources\":{}},{\"Config\":\"c\",\"RepoTags\":null,\"Layers\":null}]",
			       &l, &e),
			 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].config, "a/b.json");
	assert_int_equal(l.v[0].names.n, 2);
	assert_string_equal(l.v[0].names.v[1], "y:2");
	assert_int_equal(l.v[0].layers.n, 2);
	assert_string_equal(l.v[0].layers.v[0], "l/layer.tar");
	assert_int_equal(l.v[1].names.n, 0);
	assert_int_equal(l.v[1].layers.n, 0);
	docker_images_fini(&l);
}

static void refuses(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"[1]",
		"[{}]",
		"[{\"Config\":1}]",
		"[{\"Config\":\"\"}]",
		"[{\"Config\":\"../a\"}]",
		"[{\"Config\":\"/a\"}]",
		"[{\"Config\":\"a\",\"Layers\":[\"b/../../c\"]}]",
		"[{\"Config\":\"a\",\"Layers\":[\"\"]}]",
		"[{\"Config\":\"a\",\"Layers\":[1]}]",
		"[{\"Config\":\"a\",\"Layers\":\"b\"}]",
		"[{\"Config\":\"a\",\"RepoTags\":[{}]}]",
		"[{\"Config\":\"a\",\"config\":\"b\"}]",
		"[{\"Config\":\"a\",\"Config\":\"b\"}]",
		"[{\"Config\":\"a\"}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct docker_images l = { 0 };
		struct err e = { 0 };
		if (parse(bad[i], &l, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_SPEC);
	}
}

static void limits_layers(void **state)
{
	for (size_t n = LIMIT_LAYERS - 1; n <= LIMIT_LAYERS + 1; n++) {
		AUTO(str_fini) struct str text = { 0 };
		struct docker_images l = { 0 };
		struct err e = { 0 };
		str_add(&text, "[{\"Config\":\"a\",\"Layers\":[");
		for (size_t i = 0; i < n; i++)
			str_addf(&text, "%s\"l\"", i ? "," : "");
		str_add(&text, "]}]");
		assert_int_equal(parse(text.buf, &l, &e), n > LIMIT_LAYERS ? -1 : 0);
		if (n > LIMIT_LAYERS)
			assert_int_equal(e.kind, ERR_LIMIT);
		docker_images_fini(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(limits_layers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
