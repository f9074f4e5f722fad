/* Image configs: read, edited, written; what Docker and BuildKit write comes out as they would write it. */
#include "documents.h"

#include "base/limits.h"
#include "oci/config.h"

static int parse(const char *text, struct image_config *c, struct err *e)
{
	return config_parse(text, strlen(text), "test", c, e);
}

/* What is read, and what is written; NULL: the same. */
static const struct {
	const char *in, *out;
} trips[] = {
	{ "{\"created\":\"2020-09-13T12:26:40Z\",\"author\":\"me\",\"architecture\":\"arm\",\"os\":\"linux\",\"os."
	  "version\":\"1\","
	  "\"variant\":\"v7\",\"config\":{\"User\":\"app\",\"ExposedPorts\":{\"53/udp\":{},\"80/"
	  "tcp\":{}},\"Env\":[\"A=1\",\"B\"],"
	  "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\",\"\"],\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/"
	  "w\",\"Labels\":{\"a\":\"1\",\"b\":\"\"},"
	  "\"StopSignal\":\"SIGQUIT\",\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],\"Interval\":30000000000,"
	  "\"Timeout\":5,"
	  "\"StartPeriod\":6,\"StartInterval\":7,\"Retries\":3},\"Shell\":[\"/bin/sh\",\"-c\"],\"OnBuild\":[\"RUN x\"],"
	  "\"ArgsEscaped\":true},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" SHA1 "\",\"" SHA2 "\"]},"
	  "\"history\":[{\"created\":\"2020-09-13T12:26:40.5Z\",\"created_by\":\"x\",\"author\":\"a\",\"comment\":"
	  "\"c\"},"
	  "{\"empty_layer\":true}]}",
	  NULL },
	/* Nothing at all. */
	{ "{}", "{\"architecture\":\"\",\"os\":\"\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}" },
	/* As docker build before BuildKit wrote it: everything there, much of it null. Members we do not know stay. */
	{ "{\"architecture\":\"amd64\",\"config\":{\"Hostname\":\"\",\"AttachStdin\":false,\"Tty\":false,\"Env\":null,"
	  "\"Cmd\":null,"
	  "\"Image\":\"\",\"Volumes\":null,\"WorkingDir\":\"\",\"Entrypoint\":null,\"OnBuild\":null,\"Labels\":null},"
	  "\"container\":\"abc\",\"container_config\":{\"Cmd\":[\"x\"]},\"created\":\"2020-09-13T12:26:40Z\","
	  "\"docker_version\":\"20.10\",\"history\":null,\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":"
	  "null}}",
	  "{\"created\":\"2020-09-13T12:26:40Z\",\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Hostname\":"
	  "\"\","
	  "\"AttachStdin\":false,\"Tty\":false,\"Image\":\"\"},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}" },
	/* Maps are sorted as Go sorts them: by bytes, "=" and "." play no part; empty lists are left out. */
	{ "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Labels\":{\"b\":\"1\",\"a.b\":\"2\",\"a\":\"3\","
	  "\"B\":\"4\",\"a=\":\"5\","
	  "\"a-b\":\"6=\"},\"ExposedPorts\":{\"9\":{},\"10\":null},\"Cmd\":[],\"Env\":[],\"Healthcheck\":{}},"
	  "\"rootfs\":{\"type\":\"layers\"}}",
	  "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"ExposedPorts\":{\"10\":{},\"9\":{}},\"Labels\":{"
	  "\"B\":\"4\",\"a\":\"3\","
	  "\"a-b\":\"6=\",\"a.b\":\"2\",\"a=\":\"5\",\"b\":\"1\"},\"Healthcheck\":{}},\"rootfs\":{\"type\":\"layers\","
	  "\"diff_ids\":[]}}" },
	/* Bytes that need escapes. */
	{ "{\"architecture\":\"\",\"os\":\"\",\"config\":{\"Env\":[\"A=\\u00e4\\t\\\"\\\\ \\ud83d\\ude00\"]}}",
	  "{\"architecture\":\"\",\"os\":\"\",\"config\":{\"Env\":[\"A=\xc3\xa4\\t\\\"\\\\ \xf0\x9f\x98\x80\"]},"
	  "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}" },
};

static void test_round_trips(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(trips); i++) {
		AUTO(config_fini) struct image_config c = { 0 }, copy = { 0 }, again = { 0 };
		struct err e;
		const char *want = trips[i].out ? trips[i].out : trips[i].in;
		if (parse(trips[i].in, &c, &e) < 0)
			fail_msg("%s: %s", trips[i].in, e.msg);
		AUTO(free_drop) char *text = config_write(&c);
		assert_string_equal(text, want);
		config_copy(&copy, &c);
		AUTO(free_drop) char *text_of_copy = config_write(&copy);
		assert_string_equal(text_of_copy, want);
		assert_int_equal(parse(text, &again, &e), 0);
		AUTO(free_drop) char *text_again = config_write(&again);
		assert_string_equal(text_again, want);
	}
}

/* null and absent are none; an empty list is a list. */
static const struct {
	const char *inner;
	bool has_cmd, has_entrypoint;
} lists[] = {
	{ "{}", false, false },
	{ "null", false, false },
	{ "{\"Cmd\":null,\"Entrypoint\":null}", false, false },
	{ "{\"Cmd\":[],\"Entrypoint\":null}", true, false },
	{ "{\"Entrypoint\":[\"x\"]}", false, true },
};

static void test_none_and_empty(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		AUTO(config_fini) struct image_config c = { 0 };
		AUTO(free_drop) char *text = fill_in("{\"config\":%s}", lists[i].inner);
		struct err e;
		assert_int_equal(parse(text, &c, &e), 0);
		assert_int_equal(c.has_cmd, lists[i].has_cmd);
		assert_int_equal(c.has_entrypoint, lists[i].has_entrypoint);
	}
}

static void test_edit(void **state)
{
	AUTO(config_fini) struct image_config base = { 0 }, c = { 0 };
	struct err e;
	assert_int_equal(parse(trips[0].in, &base, &e), 0);
	config_copy(&c, &base);
	env_set(&c.env, "A", "2");
	env_set(&c.labels, "b", "x");
	env_set(&c.labels, "0", "y");
	strv_push(&c.exposed_ports, "53/udp");
	strv_push(&c.exposed_ports, "1/tcp");
	strv_clear(&c.cmd);
	vec_fini(&c.diff_ids);
	AUTO(free_drop) char *text = config_write(&c);
	assert_non_null(strstr(text, "\"Env\":[\"A=2\",\"B\"]"));
	assert_non_null(strstr(text, "\"Labels\":{\"0\":\"y\",\"a\":\"1\",\"b\":\"x\"}"));
	assert_non_null(strstr(text, "\"ExposedPorts\":{\"1/tcp\":{},\"53/udp\":{},\"80/tcp\":{}}"));
	assert_null(strstr(text, "\"Cmd\""));
	AUTO(free_drop) char *unchanged = config_write(&base);
	assert_string_equal(unchanged, trips[0].in);
}

static const char *const bad[] = {
	"",
	"[]",
	"null",
	"{\"config\":[]}",
	"{\"config\":{\"Env\":\"A=1\"}}",
	"{\"config\":{\"Env\":[1]}}",
	"{\"config\":{\"Env\":[null]}}",
	"{\"config\":{\"Cmd\":\"sh\"}}",
	"{\"config\":{\"User\":0}}",
	"{\"config\":{\"ExposedPorts\":[\"80\"]}}",
	"{\"config\":{\"Labels\":{\"a\":1}}}",
	"{\"config\":{\"Labels\":[\"a=1\"]}}",
	"{\"config\":{\"cmd\":[\"x\"]}}",
	"{\"config\":{\"Cmd\":[\"x\"],\"CMD\":[\"y\"]}}",
	"{\"config\":{\"Cmd\":[\"x\"],\"Cmd\":[\"y\"]}}",
	"{\"Config\":{}}",
	"{\"config\":{\"Healthcheck\":[]}}",
	"{\"config\":{\"Healthcheck\":{\"Interval\":1.5}}}",
	"{\"config\":{\"Healthcheck\":{\"Interval\":\"30s\"}}}",
	"{\"config\":{\"Healthcheck\":{\"Retries\":9223372036854775808}}}",
	"{\"config\":{\"Healthcheck\":{\"Test\":\"x\"}}}",
	"{\"config\":{\"ArgsEscaped\":1}}",
	"{\"config\":{\"OnBuild\":{}}}",
	"{\"created\":\"yesterday\"}",
	"{\"created\":5}",
	"{\"os\":1}",
	"{\"architecture\":\"a2345678901234567890123456789012\"}",
	"{\"rootfs\":[]}",
	"{\"rootfs\":{}}",
	"{\"rootfs\":{\"type\":\"chunks\"}}",
	"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":{}}}",
	"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[1]}}",
	"{\"rootfs\":{\"type\":\"layers\",\"Diff_ids\":[]}}",
	"{\"history\":{}}",
	"{\"history\":[1]}",
	"{\"history\":[null]}",
	"{\"history\":[{\"empty_layer\":\"true\"}]}",
	"{\"history\":[{\"created\":\"x\"}]}",
	"{\"history\":[{\"created_by\":[]}]}",
	"{\"config\":{\"User\":\"a\\u0000b\"}}",
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct image_config c = { 0 };
		struct err e = { 0 };
		if (parse(bad[i], &c, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_SPEC);
		assert_null(c.env.v);
	}
}

static void test_diffids(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(bad_digests); k++) {
		static const char form[] = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" SHA0 "\",\"%s\"]}}";
		AUTO(free_drop) char *text = fill_in(form, bad_digests[k]);
		struct image_config c = { 0 };
		struct err e = { 0 };
		assert_int_equal(parse(text, &c, &e), -1);
		assert_int_equal(e.kind, ERR_SPEC);
	}
}

static void test_limits(void **state)
{
	for (size_t n = LIMIT_LAYERS - 1; n <= LIMIT_LAYERS + 1; n++) {
		AUTO(str_fini) struct str text = { 0 };
		AUTO(config_fini) struct image_config c = { 0 };
		struct err e = { 0 };
		str_add(&text, "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
		for (size_t i = 0; i < n; i++)
			str_addf(&text, "%s\"" SHA0 "\"", i ? "," : "");
		str_add(&text, "]}}");
		assert_int_equal(parse(text.buf, &c, &e), n <= LIMIT_LAYERS ? 0 : -1);
	}
	for (size_t n = LIMIT_CONFIG - 1; n <= LIMIT_CONFIG + 1; n++) {
		AUTO(str_fini) struct str text = { 0 };
		AUTO(config_fini) struct image_config c = { 0 };
		struct err e = { 0 };
		str_add(&text, "{\"author\":\"");
		while (text.len < n - 2)
			str_addc(&text, 'x');
		str_add(&text, "\"}");
		assert_int_equal(text.len, n);
		assert_int_equal(parse(text.buf, &c, &e), n <= LIMIT_CONFIG ? 0 : -1);
		if (n > LIMIT_CONFIG)
			assert_int_equal(e.kind, ERR_LIMIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips), cmocka_unit_test(test_none_and_empty),
		cmocka_unit_test(test_edit),        cmocka_unit_test(test_bad),
		cmocka_unit_test(test_diffids),     cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests_name("oci/config", tests, NULL, NULL);
}
