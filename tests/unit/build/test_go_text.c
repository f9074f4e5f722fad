/* What image histories are made of: Go's %q, %v and time.Duration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "src/build/build_priv.h"

static void quotes(void **state)
{
	static const struct { const char *in, *out; } table[] = {
		{ "", "\"\"" },
		{ "two  words", "\"two  words\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\n\t\r\a\b\f\v", "\"\\n\\t\\r\\a\\b\\f\\v\"" },
		{ "\x01\x7f", "\"\\x01\\x7f\"" },
		{ "\xc3\xa9", "\"\xc3\xa9\"" },
		{ "\xff", "\"\\xff\"" },
		{ "a\xc3", "\"a\\xc3\"" },
		{ "\xc2\xa0\xc2\x85\xe2\x80\x8b", "\"\\u00a0\\u0085\\u200b\"" },
		{ "\xee\x80\x80\xf3\xa0\x80\x81", "\"\\ue000\\U000e0001\"" },
		{ "\xf0\x9f\x90\xb3\xe2\x82\xac\xef\xbf\xbd", "\"\xf0\x9f\x90\xb3\xe2\x82\xac\xef\xbf\xbd\"" },
		{ "<a&b>", "\"<a&b>\"" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct str s = { 0 };
		go_quote(&s, table[i].in);
		assert_string_equal(str_text(&s), table[i].out);
		str_fini(&s);
	}
}

static void lists(void **state)
{
	struct strv l = { 0 };
	struct str s = { 0 };
	(void)state;
	go_list(&s, &l, true);
	assert_string_equal(str_text(&s), "[]");
	str_clear(&s);
	strv_push(&l, "/bin/sh");
	strv_push(&l, "a b");
	go_list(&s, &l, true);
	assert_string_equal(str_text(&s), "[\"/bin/sh\" \"a b\"]");
	str_clear(&s);
	go_list(&s, &l, false);
	assert_string_equal(str_text(&s), "[/bin/sh a b]");
	str_fini(&s);
	strv_fini(&l);
}

static void durations(void **state)
{
	static const struct { int64_t ns; const char *out; } table[] = {
		{ 0, "0s" },
		{ 1000000, "1ms" },
		{ 1500000, "1.5ms" },
		{ 1000000000, "1s" },
		{ 1500000000, "1.5s" },
		{ 30000000000, "30s" },
		{ 60000000000, "1m0s" },
		{ 90000000000, "1m30s" },
		{ 3600000000000, "1h0m0s" },
		{ 5430000000000, "1h30m30s" },
		{ 1, "1ns" },
		{ 1500, "1.5\xc2\xb5s" },
		{ 1234567, "1.234567ms" },
		{ 59999999999, "59.999999999s" },
		{ 90123456789, "1m30.123456789s" },
		{ 7200000000000, "2h0m0s" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct str s = { 0 };
		go_duration(&s, table[i].ns);
		assert_string_equal(str_text(&s), table[i].out);
		str_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes),
		cmocka_unit_test(lists),
		cmocka_unit_test(durations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
