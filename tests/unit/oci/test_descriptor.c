/* Descriptors: T-H4 and T-H6. */
#include "documents.h"

#include "oci/descriptor.h"

static int parse(const char *text, struct descriptor *d, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	if (json_parse(text, strlen(text), "test", &j, e) < 0)
		return -1;
	return descriptor_parse(&j, "test", d, e);
}

static const struct {
	const char *text;
	uint64_t size;
} good[] = {
	{ "{\"mediaType\":\"a/b\",\"digest\":\"" SHA0 "\",\"size\":0}", 0 },
	{ "{\"size\":9223372036854775807,\"digest\":\"" SHA0 "\",\"mediaType\":\"a/b\"}", INT64_MAX },
	{ "{\"mediaType\":\"a/b\",\"digest\":\"" SHA0 "\",\"size\":5,\"urls\":[\"http://x\"],\"data\":\"AA==\"}", 5 },
};

static void test_good(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO(descriptor_fini) struct descriptor d = { 0 };
		struct err e;
		if (parse(good[i].text, &d, &e) < 0)
			fail_msg("%s: %s", good[i].text, e.msg);
		assert_string_equal(d.media_type, "a/b");
		assert_true(digest_is_zero(&d.digest));
		assert_int_equal(d.size, good[i].size);
	}
}

static const char *const bad[] = {
	"null",
	"1",
	"[]",
	"{}",
	"{\"digest\":\"" SHA0 "\",\"size\":0}",
	"{\"mediaType\":\"a/b\",\"size\":0}",
	"{\"mediaType\":\"a/b\",\"digest\":\"" SHA0 "\"}",
	"{\"mediaType\":null,\"digest\":\"" SHA0 "\",\"size\":0}",
	"{\"mediaType\":1,\"digest\":\"" SHA0 "\",\"size\":0}",
	"{\"mediaType\":\"a/b\",\"digest\":[],\"size\":0}",
	"{\"mediaType\":\"a/b\",\"digest\":\"" SHA0 "\",\"size\":0,\"Size\":1}",
	"{\"MediaType\":\"a/b\",\"digest\":\"" SHA0 "\",\"size\":0}",
	"{\"mediaType\":\"a/b\",\"digest\":\"" SHA0 "\",\"size\":0,\"size\":1}",
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct descriptor d = { 0 };
		struct err e = { 0 };
		if (parse(bad[i], &d, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_SPEC);
		assert_null(d.media_type);
	}
}

static void refuse_each(const char *template, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(free_drop) char *text = fill_in(template, values[i]);
		struct descriptor d = { 0 };
		struct err e = { 0 };
		if (parse(text, &d, &e) == 0)
			fail_msg("accepted: %s", text);
		assert_int_equal(e.kind, ERR_SPEC);
	}
}

static void test_digests(void **state)
{
	refuse_each("{\"mediaType\":\"a/b\",\"digest\":\"%s\",\"size\":0}", bad_digests, ARRAY_LEN(bad_digests));
}

static void test_sizes(void **state)
{
	static const char *const sizes[] = {
		"-1",    "1.5",  "1e3",  "9223372036854775808",  "18446744073709551616", "1e308",
		"\"7\"", "null", "true", "-9223372036854775808",
	};
	refuse_each("{\"mediaType\":\"a/b\",\"digest\":\"" SHA0 "\",\"size\":%s}", sizes, ARRAY_LEN(sizes));
}

static void test_media_types(void **state)
{
	static const char *const types[] = {
		"",          "a",    "/", "a/", "/b", "a/b/c", "a b/c", "a/b\\n", "a/b\\u001b[2J", "a/b;charset=utf-8",
		"a/\\u00e4", "a/b ",
	};
	refuse_each("{\"mediaType\":\"%s\",\"digest\":\"" SHA0 "\",\"size\":0}", types, ARRAY_LEN(types));
	/* 127 bytes on each side of the slash are the most. */
	char text[400], part[200];
	for (int n = 126; n <= 128; n++) {
		struct descriptor d = { 0 };
		struct err e;
		memset(part, 'x', (size_t)n);
		part[n] = '\0';
		snprintf(text, sizeof text, "{\"mediaType\":\"a/%s\",\"digest\":\"" SHA0 "\",\"size\":0}", part);
		assert_int_equal(parse(text, &d, &e), n <= 127 ? 0 : -1);
		descriptor_fini(&d);
		snprintf(text, sizeof text, "{\"mediaType\":\"%s/a\",\"digest\":\"" SHA0 "\",\"size\":0}", part);
		assert_int_equal(parse(text, &d, &e), n <= 127 ? 0 : -1);
		descriptor_fini(&d);
	}
}

static void test_write(void **state)
{
	struct json_out o;
	AUTO(descriptor_fini) struct descriptor d = { 0 };
	struct err e;
	assert_int_equal(parse("{\"size\":7,\"digest\":\"" SHA1 "\",\"mediaType\":\"a/b\",\"urls\":[]}", &d, &e), 0);
	json_out_init(&o);
	descriptor_write(&o, &d);
	AUTO(free_drop) char *text = json_out_take(&o);
	assert_string_equal(text, "{\"mediaType\":\"a/b\",\"digest\":\"" SHA1 "\",\"size\":7}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_bad),         cmocka_unit_test(test_digests),
		cmocka_unit_test(test_sizes), cmocka_unit_test(test_media_types), cmocka_unit_test(test_write),
	};
	return cmocka_run_group_tests_name("oci/descriptor", tests, NULL, NULL);
}
