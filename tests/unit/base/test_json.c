/* JSON: what is refused (THREATS T-H6), exact numbers, and writing what was read. */
#include "unit.h"

#include <time.h>

#include "base/json.h"
#include "base/limits.h"

static int parse(const char *text, size_t n, struct json *j, struct err *e)
{
	*e = (struct err){ 0 };
	*j = (struct json){ 0 };
	return json_parse(text, n, "test", j, e);
}

/* Read, then written: the same text, or the one that stands second. */
static const char *const trips[][2] = {
	{ "null" },
	{ "true" },
	{ "false" },
	{ "0" },
	{ "-0" },
	{ "12345678901234567890" },
	{ "1.50" },
	{ "1e308" },
	{ "1E+9" },
	{ "\"\"" },
	{ "[]" },
	{ "{}" },
	{ "[[],{},[null]]" },
	{ "{\"b\":1,\"a\":{\"c\":[true,false]}}" },
	{ " [ 1 , 2 ] \n", "[1,2]" },
	{ "\"\\u0041\\n\\/\\\"\\\\\"", "\"A\\n/\\\"\\\\\"" },
	{ "\"\\u00e4\\ud83d\\ude00\"", "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
	{ "\"\\u001b\\u007f\"", "\"\\u001B\x7f\"" },
	{ "{\"\":{\"\":1}}" },
	/* The reader lets some sequences pass that are no UTF-8, the writer none: Go reads both as U+FFFD. */
	{ "\"\xed\xa0\x80\"", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\"\xc0\xaf\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
};

static void test_round_trips(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(trips); i++) {
		struct json j, copy = { 0 };
		struct json_out o;
		struct err e;
		const char *want = trips[i][1] ? trips[i][1] : trips[i][0];
		if (parse(trips[i][0], strlen(trips[i][0]), &j, &e) < 0)
			fail_msg("%s: %s", trips[i][0], e.msg);
		json_copy(&copy, &j);
		json_fini(&j);
		json_out_init(&o);
		json_put_raw(&o, &copy);
		AUTO(free_drop) char *text = json_out_take(&o);
		assert_string_equal(text, want);
		json_fini(&copy);
	}
}

static const char *const refused[] = {
	"",
	" ",
	"nul",
	"{",
	"[",
	"[1",
	"[1,]",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{a:1}",
	"{1:1}",
	"'a'",
	"\"a",
	"\"\t\"",
	"1 2",
	"{} {}",
	"[] x",
	"nullx",
	"01",
	"+1",
	".5",
	"1.",
	"0x10",
	"NaN",
	"Infinity",
	"-",
	"// c\n1",
	"/* c */ 1",
	"\xef\xbb\xbf{}",
	"\"\xff\"",
	"\"\xc3\"",
	"\"\\u12\"",
	"\"\\x41\"",
	"\"\\u0000\"",
	"{\"\\u0000\":1}",
	"{\"a\":1,\"a\":1}",
	"{\"a\":1,\"b\":2,\"\\u0061\":3}",
	"[{\"x\":{\"a\":1,\"b\":{},\"a\":{}}}]",
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct json j;
		struct err e;
		if (parse(refused[i], strlen(refused[i]), &j, &e) == 0)
			fail_msg("accepted: %s", refused[i]);
		assert_int_equal(e.kind, ERR_SPEC);
		assert_null(j.items.v);
	}
	struct json j;
	struct err e;
	assert_int_equal(parse("\"a\0b\"", 5, &j, &e), -1);
	assert_int_equal(parse("1\0", 2, &j, &e), -1);
}

static void nest(size_t depth, char open, char close, struct str *text)
{
	for (size_t i = 0; i < depth; i++)
		str_add(text, open == '[' ? "[" : i + 1 < depth ? "{\"k\":" : "{");
	for (size_t i = 0; i < depth; i++)
		str_addc(text, close);
}

static void test_depth(void **state)
{
	for (size_t depth = LIMIT_JSON_DEPTH - 1; depth <= LIMIT_JSON_DEPTH + 1; depth++)
		for (int object = 0; object < 2; object++) {
			AUTO(str_fini) struct str text = { 0 };
			struct json j;
			struct err e;
			nest(depth, object ? '{' : '[', object ? '}' : ']', &text);
			assert_int_equal(parse(text.buf, text.len, &j, &e), depth <= LIMIT_JSON_DEPTH ? 0 : -1);
			if (depth > LIMIT_JSON_DEPTH)
				assert_int_equal(e.kind, ERR_LIMIT);
			json_fini(&j);
		}
	AUTO(str_fini) struct str text = { 0 };
	struct json j;
	struct err e;
	nest(100000, '[', ']', &text);
	assert_int_equal(parse(text.buf, text.len, &j, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_many_values(void **state)
{
	AUTO(str_fini) struct str text = { 0 };
	struct json j;
	struct err e;
	str_addc(&text, '[');
	for (size_t i = 0; i < LIMIT_JSON_VALUES; i++)
		str_add(&text, i ? ",1" : "1");
	str_addc(&text, ']');
	assert_int_equal(parse(text.buf, text.len, &j, &e), -1); /* the list itself is one more */
	assert_int_equal(e.kind, ERR_LIMIT);
	text.buf[2] = ' ';
	text.buf[3] = ' ';
	assert_int_equal(parse(text.buf, text.len, &j, &e), 0);
	assert_int_equal(json_len(&j), LIMIT_JSON_VALUES - 1);
	json_fini(&j);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Equal keys are found among very many without looking at each pair. */
static void test_many_keys(void **state)
{
	AUTO(str_fini) struct str text = { 0 };
	struct json j;
	struct err e;
	str_addc(&text, '{');
	for (int i = 0; i < 300000; i++)
		str_addf(&text, "%s\"k%d\":0", i ? "," : "", i);
	double start = seconds();
	str_add(&text, "}");
	assert_int_equal(parse(text.buf, text.len, &j, &e), 0);
	json_fini(&j);
	text.len--;
	str_add(&text, ",\"k7\":1}");
	assert_int_equal(parse(text.buf, text.len, &j, &e), -1);
	assert_non_null(strstr(e.msg, "k7"));
	assert_true(seconds() - start < 10);
}

static const struct {
	const char *text;
	int64_t value;
} integers[] = {
	{ "0", 0 },
	{ "-1", -1 },
	{ "9223372036854775807", INT64_MAX },
	{ "-9223372036854775808", INT64_MIN },
	{ "9223372036854775808", 77 },
	{ "-9223372036854775809", 77 },
	{ "1.0", 77 },
	{ "1e3", 77 },
	{ "\"5\"", 77 },
	{ "null", 77 },
	{ "true", 77 },
	{ "[5]", 77 },
};

static void test_integers(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
		AUTO(free_drop) char *text = x_asprintf("{\"n\":%s}", integers[i].text);
		struct json j;
		struct err e;
		assert_int_equal(parse(text, strlen(text), &j, &e), 0);
		assert_int_equal(json_int(&j, "n", 77), integers[i].value);
		json_fini(&j);
	}
}

static void test_access(void **state)
{
	static const char text[] = "{\"s\":\"x\",\"n\":1,\"b\":true,\"a\":[\"p\",1,\"q\"],\"o\":{\"i\":2}}";
	AUTO(strv_fini) struct strv l = { 0 };
	struct json j;
	struct err e;
	assert_int_equal(parse(text, strlen(text), &j, &e), 0);
	assert_string_equal(json_str(&j, "s"), "x");
	assert_null(json_str(&j, "n"));
	assert_null(json_str(&j, "missing"));
	assert_null(json_str(NULL, "s"));
	assert_true(json_bool(&j, "b", false));
	assert_true(json_bool(&j, "s", true));
	assert_int_equal(json_int(json_get(&j, "o"), "i", 0), 2);
	assert_null(json_get(json_get(&j, "a"), "p"));
	assert_int_equal(json_len(json_get(&j, "a")), 3);
	assert_int_equal(json_len(json_get(&j, "s")), 0);
	assert_int_equal(json_len(NULL), 0);
	assert_null(json_at(json_get(&j, "a"), 3));
	json_strv(json_get(&j, "a"), &l);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[1], "q");
	json_fini(&j);
}

static void test_writer(void **state)
{
	AUTO(strv_fini) struct strv l = { 0 };
	struct json_out o;
	strv_push(&l, "x");
	strv_push(&l, "");
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_str(&o, "s", "a\"\n\x1b\xff\xc3\xa4");
	json_kv_int(&o, "n", INT64_MIN);
	json_kv_bool(&o, "b", false);
	json_kv_strv(&o, "l", &l);
	json_put_key(&o, "z");
	json_put_null(&o);
	json_end(&o, '}');
	AUTO(free_drop) char *text = json_out_take(&o);
	assert_string_equal(text,
			    "{\"s\":\"a\\\"\\n\\u001B\xef\xbf\xbd\xc3\xa4\",\"n\":-9223372036854775808,\"b\":false,"
			    "\"l\":[\"x\",\"\"],\"z\":null}");
	json_out_init(&o);
	json_begin(&o, '[');
	json_out_drop(&o);
	json_out_drop(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips), cmocka_unit_test(test_refused),   cmocka_unit_test(test_depth),
		cmocka_unit_test(test_many_values), cmocka_unit_test(test_many_keys), cmocka_unit_test(test_integers),
		cmocka_unit_test(test_access),      cmocka_unit_test(test_writer),
	};
	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
