/* Indexes: T-H1, T-H4, T-H7, and which entry runs where. */
#include "documents.h"

#include <stdlib.h>

#include "base/limits.h"
#include "oci/index.h"
#include "oci/media_type.h"

static int parse(const char *text, struct index *x, struct err *e)
{
	return index_parse(text, strlen(text), "test", x, e);
}

static const char *const bad[] = {
	"[]",
	"{}",
	"{\"schemaVersion\":2}",
	"{\"manifests\":[]}",
	"{\"schemaVersion\":2,\"manifests\":{}}",
	"{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}",
	"{\"schemaVersion\":2,\"manifests\":[],\"config\":{}}",
	"{\"schemaVersion\":2,\"manifests\":[],\"Layers\":[]}",
	"{\"schemaVersion\":2,\"manifests\":[],\"mediaType\":\"" MT_MANIFEST "\"}",
	"{\"schemaVersion\":2,\"manifests\":[],\"mediaType\":[]}",
	"{\"schemaVersion\":2,\"manifests\":[1]}",
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA0
	"\",\"size\":1,\"platform\":[]}]}",
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA0
	"\",\"size\":1,\"platform\":{\"os\":1}}]}",
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA0
	"\",\"size\":1,\"platform\":{\"os\":\"l2345678901234567890123456789012\"}}]}",
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA0
	"\",\"size\":1,\"annotations\":[]}]}",
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct index x = { 0 };
		struct err e = { 0 };
		if (parse(bad[i], &x, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_SPEC);
		assert_int_equal(x.manifests.n, 0);
	}
}

static void test_digests(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(bad_digests); k++) {
		AUTO(free_drop) char *text = fill_in(
			"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"%s\",\"size\":1}]}",
			bad_digests[k]);
		struct index x = { 0 };
		struct err e = { 0 };
		assert_int_equal(parse(text, &x, &e), -1);
		assert_int_equal(e.kind, ERR_SPEC);
	}
}

static void test_entry_limit(void **state)
{
	for (size_t n = LIMIT_INDEX_ENTRIES - 1; n <= LIMIT_INDEX_ENTRIES + 1; n++) {
		AUTO(str_fini) struct str text = { 0 };
		AUTO(index_fini) struct index x = { 0 };
		struct err e = { 0 };
		str_add(&text, "{\"schemaVersion\":2,\"manifests\":[");
		for (size_t i = 0; i < n; i++)
			str_addf(&text, "%s{\"mediaType\":\"a/b\",\"digest\":\"" SHA0 "\",\"size\":%zu}", i ? "," : "",
				 i);
		str_add(&text, "]}");
		assert_int_equal(parse(text.buf, &x, &e), n <= LIMIT_INDEX_ENTRIES ? 0 : -1);
		if (n > LIMIT_INDEX_ENTRIES)
			assert_int_equal(e.kind, ERR_LIMIT);
	}
}

/* One entry per word: PLATFORM, "-" without platform, "attest", "unknown", "sbom" of another type, "index",
 * "artifact", "typed" with the type of an image. */
static void make_index(const char *words, struct index *x)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err e;
	int size = 0;
	str_add(&text, "{\"schemaVersion\":2,\"mediaType\":\"" MT_DOCKER_LIST "\",\"manifests\":[");
	for (const char *p = words; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		AUTO(free_drop) char *word = x_strndup(p, n);
		const char *type = str_eq(word, "sbom") ? "text/spdx" : str_eq(word, "index") ? MT_INDEX : MT_MANIFEST;
		const char *platform = str_eq(word, "unknown")  ? "unknown/unknown"
				       : str_eq(word, "attest") ? "linux/amd64"
								: word;
		str_addf(&text, "%s{\"mediaType\":\"%s\",\"digest\":\"" SHA0 "\",\"size\":%d", size ? "," : "", type,
			 size);
		size++;
		const char *slash = strchr(platform, '/'), *variant = slash ? strchr(slash + 1, '/') : NULL;
		if (slash)
			str_addf(&text, ",\"platform\":{\"os\":\"%.*s\",\"architecture\":\"%.*s\"%s%s%s}",
				 (int)(slash - platform), platform, (int)(variant ? variant - slash - 1 : 99),
				 slash + 1, variant ? ",\"variant\":\"" : "", variant ? variant + 1 : "",
				 variant ? "\"" : "");
		if (str_eq(word, "attest"))
			str_add(&text, ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}");
		if (str_eq(word, "artifact") || str_eq(word, "typed"))
			str_addf(&text, ",\"artifactType\":\"%s\"", *word == 'a' ? "text/spdx" : MT_CONFIG);
		str_add(&text, "}");
		p += n;
	}
	str_add(&text, "]}");
	if (parse(text.buf, x, &e) < 0)
		fail_msg("%s: %s", text.buf, e.msg);
}

static const struct {
	const char *want, *entries;
	int chosen;
} choices[] = {
	{ "linux/amd64", "linux/arm64 linux/amd64", 1 },
	{ "linux/amd64", "linux/amd64 linux/amd64", 0 },
	{ "linux/amd64", "linux/386 linux/amd64", 1 },
	{ "linux/amd64", "linux/386 linux/arm64", 0 },
	{ "linux/amd64", "linux/arm64 linux/s390x", -1 },
	{ "linux/amd64", "", -1 },
	{ "linux/amd64", "attest unknown linux/amd64", 2 },
	{ "linux/amd64", "attest unknown", -1 },
	{ "linux/amd64", "- linux/amd64", 1 },
	{ "linux/amd64", "- linux/arm64", 0 },
	{ "linux/amd64", "sbom index", 1 },
	{ "linux/amd64", "sbom", -1 },
	{ "linux/amd64", "artifact typed", 1 },
	{ "linux/amd64", "artifact", -1 },
	{ "linux/arm/v7", "linux/arm/v5 linux/arm/v6 linux/arm64", 1 },
	{ "linux/arm/v7", "linux/arm/v5 linux/arm linux/arm/v6", 1 },
	{ "linux/arm64", "linux/arm/v7 linux/arm64/v8", 1 },
	{ "linux/arm64/v9", "linux/arm64", 0 },
	{ "linux/amd64", "windows/amd64 linux/x86_64", 1 },
};

static void test_select(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		AUTO(index_fini) struct index x = { 0 };
		struct platform want;
		struct err e;
		make_index(choices[i].entries, &x);
		assert_int_equal(platform_parse(choices[i].want, &want, &e), 0);
		const struct index_entry *got = index_select(&x, &want);
		int chosen = got ? (int)(got - x.manifests.v) : -1;
		if (chosen != choices[i].chosen)
			fail_msg("%s of [%s]: %d, not %d", choices[i].want, choices[i].entries, chosen,
				 choices[i].chosen);
	}
}

static void test_members(void **state)
{
	AUTO(index_fini) struct index x = { 0 };
	struct err e;
	assert_int_equal(parse("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA1
			       "\",\"size\":9,"
			       "\"platform\":{\"os\":\"windows\",\"architecture\":\"amd64\",\"os.version\":\"10.0\","
			       "\"os.features\":[]},"
			       "\"annotations\":{\"org.opencontainers.image.ref.name\":\"latest\"}}]}",
			       &x, &e),
			 0);
	assert_string_equal(x.manifests.v[0].ref_name, "latest");
	assert_string_equal(x.manifests.v[0].platform.os_version, "10.0");
	assert_false(x.manifests.v[0].attestation);
	assert_int_equal(x.manifests.v[0].desc.size, 9);
}

static void test_write(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MT_INDEX "\",\"manifests\":[{\"mediaType\":\"" MT_MANIFEST
		"\",\"digest\":\"" SHA1 "\",\"size\":9,\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\","
		"\"os.version\":\"10.0\",\"variant\":\"v7\"}},{\"mediaType\":\"" MT_MANIFEST "\",\"digest\":\"" SHA0
		"\",\"size\":1}]}";
	AUTO(index_fini) struct index x = { 0 };
	struct err e;
	assert_int_equal(parse(text, &x, &e), 0);
	char *again = index_write(&x);
	assert_string_equal(again, text);
	free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),    cmocka_unit_test(test_digests), cmocka_unit_test(test_entry_limit),
		cmocka_unit_test(test_select), cmocka_unit_test(test_members), cmocka_unit_test(test_write),
	};
	return cmocka_run_group_tests_name("oci/index", tests, NULL, NULL);
}
