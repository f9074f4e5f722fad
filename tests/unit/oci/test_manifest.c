/* Manifests: T-H1, T-H4, T-H6, T-H7. */
#include "documents.h"

#include "base/limits.h"
#include "oci/manifest.h"
#include "oci/media_type.h"

#define CONFIG "{\"mediaType\":\"" MT_CONFIG "\",\"digest\":\"" SHA0 "\",\"size\":2}"
#define LAYER "{\"mediaType\":\"" MT_LAYER "+gzip\",\"digest\":\"" SHA1 "\",\"size\":3}"
#define DOCKER_CONFIG "{\"mediaType\":\"" MT_DOCKER_CONFIG "\",\"digest\":\"" SHA0 "\",\"size\":2}"
#define DOCKER_LAYER "{\"mediaType\":\"" MT_DOCKER_LAYER ".gzip\",\"digest\":\"" SHA1 "\",\"size\":3}"

static int parse(const char *text, const char *mt, struct manifest *m, struct err *e)
{
	return manifest_parse(text, strlen(text), mt, "test", m, e);
}

static void test_round_trip(void **state)
{
	static const char oci[] = "{\"schemaVersion\":2,\"mediaType\":\"" MT_MANIFEST "\",\"config\":" CONFIG
				  ",\"layers\":[" LAYER "," LAYER "],\"annotations\":{\"b\":\"1\",\"a\":\"2\"}}";
	AUTO(manifest_fini) struct manifest m = { 0 };
	struct err e;
	if (parse(oci, MT_MANIFEST, &m, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(m.layers.n, 2);
	assert_int_equal(m.layers.v[1].size, 3);
	assert_int_equal(m.config.size, 2);
	assert_string_equal(m.media_type, MT_MANIFEST);
	AUTO(free_drop) char *text = manifest_write(&m);
	assert_string_equal(text, oci);
}

static void test_docker_becomes_oci(void **state)
{
	AUTO(manifest_fini) struct manifest m = { 0 };
	struct err e;
	if (parse("{\"schemaVersion\":2,\"mediaType\":\"" MT_DOCKER_MANIFEST "\",\"config\":" DOCKER_CONFIG
		  ",\"layers\":[" DOCKER_LAYER "]}",
		  MT_DOCKER_MANIFEST, &m, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(m.layers.v[0].media_type, MT_DOCKER_LAYER ".gzip");
	AUTO(free_drop) char *text = manifest_write(&m);
	assert_string_equal(text, "{\"schemaVersion\":2,\"mediaType\":\"" MT_MANIFEST "\",\"config\":" CONFIG
				  ",\"layers\":[" LAYER "]}");
}

static const char *const good[] = {
	"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[]}",
	"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":null}",
	"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"annotations\":null,\"subject\":{}}",
};

static void test_good(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO(manifest_fini) struct manifest m = { 0 };
		struct err e;
		if (parse(good[i], MT_MANIFEST, &m, &e) < 0)
			fail_msg("%s: %s", good[i], e.msg);
		assert_int_equal(m.layers.n, 0);
	}
}

static const struct {
	const char *mt, *text;
} bad[] = {
	{ MT_MANIFEST, "" },
	{ MT_MANIFEST, "[]" },
	{ MT_MANIFEST, "{}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"manifests\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"manifests\":null}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"Manifests\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"LAYERS\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"mediaType\":\"" MT_INDEX "\",\"config\":" CONFIG ",\"layers\":[]}" },
	{ MT_MANIFEST,
	  "{\"schemaVersion\":2,\"mediaType\":\"" MT_DOCKER_MANIFEST "\",\"config\":" CONFIG ",\"layers\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"mediaType\":7,\"config\":" CONFIG ",\"layers\":[]}" },
	{ MT_INDEX, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":1,\"config\":" CONFIG ",\"layers\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":\"2\",\"config\":" CONFIG ",\"layers\":[]}" },
	{ MT_MANIFEST, "{\"config\":" CONFIG ",\"layers\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"layers\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":null,\"layers\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG "}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":{}}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[null]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER ",1]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"annotations\":[]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"layers\":[" LAYER "]}" },
	{ MT_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[]} x" },
	{ MT_MANIFEST, "\xef\xbb\xbf{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[]}" },
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct manifest m = { 0 };
		struct err e = { 0 };
		if (parse(bad[i].text, bad[i].mt, &m, &e) == 0)
			fail_msg("accepted: %s", bad[i].text);
		assert_int_equal(e.kind, ERR_SPEC);
		assert_null(m.media_type);
	}
}

static void test_digests(void **state)
{
	static const char *const templates[] = {
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/b\",\"digest\":\"%s\",\"size\":1},\"layers\":[]}",
		"{\"schemaVersion\":2,\"config\":" CONFIG
		",\"layers\":[{\"mediaType\":\"a/b\",\"digest\":\"%s\",\"size\":1}]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(templates); i++)
		for (size_t k = 0; k < ARRAY_LEN(bad_digests); k++) {
			AUTO(free_drop) char *text = fill_in(templates[i], bad_digests[k]);
			struct manifest m = { 0 };
			struct err e = { 0 };
			assert_int_equal(parse(text, MT_MANIFEST, &m, &e), -1);
			assert_int_equal(e.kind, ERR_SPEC);
		}
}

static void test_layer_limit(void **state)
{
	for (size_t n = LIMIT_LAYERS - 1; n <= LIMIT_LAYERS + 1; n++) {
		AUTO(str_fini) struct str text = { 0 };
		AUTO(manifest_fini) struct manifest m = { 0 };
		struct err e = { 0 };
		str_add(&text, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[");
		for (size_t i = 0; i < n; i++)
			str_addf(&text, "%s" LAYER, i ? "," : "");
		str_add(&text, "]}");
		assert_int_equal(parse(text.buf, MT_MANIFEST, &m, &e), n <= LIMIT_LAYERS ? 0 : -1);
		if (n > LIMIT_LAYERS)
			assert_int_equal(e.kind, ERR_LIMIT);
		else
			assert_int_equal(m.layers.n, n);
	}
}

static void test_size_limit(void **state)
{
	for (size_t n = LIMIT_MANIFEST - 1; n <= LIMIT_MANIFEST + 1; n++) {
		AUTO(str_fini) struct str text = { 0 };
		AUTO(manifest_fini) struct manifest m = { 0 };
		struct err e = { 0 };
		str_add(&text, good[0]);
		while (text.len < n)
			str_addc(&text, ' ');
		assert_int_equal(parse(text.buf, MT_MANIFEST, &m, &e), n <= LIMIT_MANIFEST ? 0 : -1);
		if (n > LIMIT_MANIFEST)
			assert_int_equal(e.kind, ERR_LIMIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_docker_becomes_oci),
		cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
		cmocka_unit_test(test_digests),    cmocka_unit_test(test_layer_limit),
		cmocka_unit_test(test_size_limit),
	};
	return cmocka_run_group_tests_name("oci/manifest", tests, NULL, NULL);
}
