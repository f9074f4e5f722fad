/* Strings, and the lists made of them. */
#include "unit.h"

#include "base/str.h"

static void test_grow(void **state)
{
	AUTO(str_fini) struct str s = { 0 };
	assert_string_equal(str_text(&s), "");
	for (int i = 0; i < 1000; i++)
		str_addf(&s, "%d,", i % 10);
	assert_int_equal(s.len, 2000);
	assert_int_equal(strlen(s.buf), 2000);
	str_clear(&s);
	assert_string_equal(str_text(&s), "");
	str_addn(&s, "a\0b", 3);
	str_addc(&s, 'c');
	assert_int_equal(s.len, 4);
	assert_memory_equal(s.buf, "a\0bc", 5);
	AUTO(free_drop) char *taken = str_take(&s);
	assert_memory_equal(taken, "a\0bc", 5);
	assert_null(s.buf);
	AUTO(free_drop) char *empty = str_take(&s);
	assert_string_equal(empty, "");
}

static void test_questions(void **state)
{
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq(NULL, ""));
	assert_true(str_starts("abc", ""));
	assert_true(str_starts("abc", "abc"));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_ends("abc", "bc"));
	assert_true(str_ends("abc", ""));
	assert_false(str_ends("c", "bc"));
	assert_true(str_case_eq("FROM", "from"));
	assert_false(str_case_eq("FROM", "fro"));
	assert_false(str_case_eq("fro", "FROM"));
	assert_false(str_case_eq("\xc3\x84", "\xc3\xa4")); /* ASCII only */
	assert_true(str_case_starts("Https://x", "hTTPS"));
	char text[] = "AbC\xc3\x84Z";
	str_lower(text);
	assert_string_equal(text, "abc\xc3\x84z");
}

static const struct {
	const char *text;
	uint64_t max;
	bool decimal, octal;
	uint64_t value;
} numbers[] = {
	{ "0", 10, true, true, 0 },
	{ "7", 7, true, true, 7 },
	{ "8", 7, false, false, 0 },
	{ "8", 10, true, false, 8 },
	{ "007", 10, true, true, 7 },
	{ "18446744073709551615", UINT64_MAX, true, false, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, false, false, 0 },
	{ "99999999999999999999999", UINT64_MAX, false, false, 0 },
	{ "", 10, false, false, 0 },
	{ "-1", 10, false, false, 0 },
	{ "+1", 10, false, false, 0 },
	{ " 1", 10, false, false, 0 },
	{ "1 ", 10, false, false, 0 },
	{ "0x1", 10, false, false, 0 },
	{ "1.0", 10, false, false, 0 },
};

static void test_numbers(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t v = 99;
		assert_int_equal(str_to_u64(numbers[i].text, numbers[i].max, &v), numbers[i].decimal);
		assert_int_equal(v, numbers[i].decimal ? numbers[i].value : 99);
		v = 99;
		assert_int_equal(str_octal_to_u64(numbers[i].text, numbers[i].max, &v), numbers[i].octal);
		assert_int_equal(v, numbers[i].octal ? numbers[i].value : 99);
	}
	uint64_t v;
	assert_true(str_octal_to_u64("7777", 07777, &v));
	assert_int_equal(v, 07777);
	assert_false(str_octal_to_u64("10000", 07777, &v));
}

static void test_nearest(void **state)
{
	static const char *const known[] = { "RUN", "COPY", "ENTRYPOINT", "ENV" };
	static const struct {
		const char *word, *nearest;
	} words[] = {
		{ "RNU", "RUN" },   { "COPPY", "COPY" }, { "copy", "COPY" }, { "ENTRYPIONT", "ENTRYPOINT" },
		{ "XYZZYX", NULL }, { "", NULL },        { "ENTRY", NULL }, { "EOF", NULL },   { "NEV", "ENV" },       { "CPOY", "COPY" },
		{ "ROCK", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const char *got = str_nearest(words[i].word, known, ARRAY_LEN(known));
		if (!str_eq(got, words[i].nearest))
			fail_msg("%s: %s", words[i].word, got ? got : "none");
	}
	char huge[1000];
	memset(huge, 'x', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	assert_null(str_nearest(huge, known, ARRAY_LEN(known)));
}

/* What stands first, for a human, and as UTF-8. */
static const struct {
	const char *bytes, *printable, *utf8;
} texts[] = {
	{ "plain \xc3\xa4 \xf0\x9f\x98\x80", "plain \xc3\xa4 \xf0\x9f\x98\x80", "plain \xc3\xa4 \xf0\x9f\x98\x80" },
	{ "\x1b[2J\r\n\t\x7f", "\\x1b[2J\\x0d\\x0a\\x09\\x7f", "\x1b[2J\r\n\t\x7f" },
	{ "\xc2\x9b"
	  "31m",
	  "\\xc2\\x9b31m",
	  "\xc2\x9b"
	  "31m" },
	{ "a\xff\xfe", "a\\xff\\xfe", "a\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xc0\xaf", "\\xc0\\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe2\x82", "\\xe2\\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xc3", "\\xc3", "\xef\xbf\xbd" },
};

static void test_texts(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(str_fini) struct str printable = { 0 }, utf8 = { 0 };
		str_add_printable(&printable, texts[i].bytes, strlen(texts[i].bytes));
		str_add_utf8(&utf8, texts[i].bytes, strlen(texts[i].bytes));
		assert_string_equal(str_text(&printable), texts[i].printable);
		assert_string_equal(str_text(&utf8), texts[i].utf8);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1.00 kB" },
		{ 1234, "1.23 kB" },
		{ 9994, "9.99 kB" },
		{ 9996, "10.0 kB" },
		{ 99949, "99.9 kB" },
		{ 99960, "100 kB" },
		{ 999499, "999 kB" },
		{ 999500, "1.00 MB" },
		{ 1500000, "1.50 MB" },
		{ 28100000000, "28.1 GB" },
		{ UINT64_MAX, "18.4 EB" },
	};
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		AUTO(str_fini) struct str s = { 0 };
		str_add_size(&s, sizes[i].bytes);
		assert_string_equal(s.buf, sizes[i].text);
	}
}

static void test_lists(void **state)
{
	AUTO(strv_fini) struct strv a = { 0 }, b = { 0 };
	strv_push(&a, "x");
	strv_pushf(&a, "%d", 7);
	strv_push_taken(&a, x_strdup("z"));
	strv_copy(&b, &a);
	assert_true(strv_has(&b, "7"));
	assert_false(strv_has(&b, "y"));
	AUTO(free_drop) char *joined = strv_join(&b, ", ");
	assert_string_equal(joined, "x, 7, z");
	char **argv = strv_argv(&b);
	assert_string_equal(argv[2], "z");
	assert_null(argv[3]);
	strv_clear(&b);
	assert_int_equal(b.n, 0);
	AUTO(free_drop) char *none = strv_join(&b, ", ");
	assert_string_equal(none, "");
}

static void test_env(void **state)
{
	AUTO(strv_fini) struct strv env = { 0 };
	env_set(&env, "A", "1");
	env_set(&env, "AB", "2");
	env_set(&env, "B", "");
	env_set(&env, "A", "3=4");
	assert_string_equal(env_get(&env, "A"), "3=4");
	assert_string_equal(env_get(&env, "AB"), "2");
	assert_string_equal(env_get(&env, "B"), "");
	assert_null(env_get(&env, "C"));
	assert_null(env_get(&env, ""));
	assert_string_equal(env.v[0], "A=3=4"); /* in the place of its first appearance (ENV-01) */
	env_unset(&env, "A");
	env_unset(&env, "C");
	assert_int_equal(env.n, 2);
	assert_string_equal(env.v[0], "AB=2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow),    cmocka_unit_test(test_questions), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nearest), cmocka_unit_test(test_texts),     cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_lists),   cmocka_unit_test(test_env),
	};
	return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
