/* RFC 4648 section 10, and what is binary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"

static void both_ways(void **state)
{
	static const struct { const char *plain, *encoded; } rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfd", "//79" },
		{ "\xfb\xf0", "+/A=" },
		{ "me:p\xc3\xa4ss", "bWU6cMOkc3M=" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(str_fini) struct str encoded = { 0 };
		AUTO(str_fini) struct str plain = { 0 };
		base64_encode(rows[i].plain, strlen(rows[i].plain), &encoded);
		assert_string_equal(str_text(&encoded), rows[i].encoded);
		assert_true(base64_decode(rows[i].encoded, &plain));
		assert_string_equal(str_text(&plain), rows[i].plain);
	}
}

static void without_padding(void **state)
{
	AUTO(str_fini) struct str plain = { 0 };
	(void)state;
	assert_true(base64_decode("Zm9vYg", &plain));
	assert_string_equal(str_text(&plain), "foob");
}

static void what_is_none(void **state)
{
	static const char *const bad[] = { "Z",	 "Zg==Zg", "Zm9v Yg==", "Zm9v\n", "-_-_", "Zm=9v", "%%%", "Zm9vY", "Zg===" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(str_fini) struct str plain = { 0 };
		assert_false(base64_decode(bad[i], &plain));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(without_padding),
		cmocka_unit_test(what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
