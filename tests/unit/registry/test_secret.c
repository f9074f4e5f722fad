#include "table.h"

#include "registry/secret.h"

/* RFC 4648 section 10, and what is binary. */
static const struct { const char *plain, *encoded; } rows[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba",
	  "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\xff\xfe\xfd", "//79" }, { "\xfb\xf0", "+/A=" }, { "me:p\xc3\xa4ss",
	  "bWU6cMOkc3M=" },
};

static void base64(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(str_fini) struct str encoded = { 0 }, plain = { 0 };
		base64_encode(rows[i].plain, strlen(rows[i].plain), &encoded);
		row_check(wrong, str_eq(str_text(&encoded), rows[i].encoded), "%s: %s", rows[i].encoded,
			str_text(&encoded));
		row_check(wrong, base64_decode(rows[i].encoded, &plain) && str_eq(str_text(&plain), rows[i].plain),
			"%s is not read",
			  rows[i].encoded);
	}
	assert_int_equal(wrong, 0);
}

static void base64_that_is_none(void **state)
{
	static const char *const bad[] = { "Z", "Zg==Zg", "Zm9v Yg==", "Zm9v\n", "-_-_", "Zm=9v", "%%%", "Zm9vY" };
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(str_fini) struct str plain = { 0 };
		row_check(wrong, !base64_decode(bad[i], &plain), "%s was read", bad[i]);
	}
	assert_int_equal(wrong, 0);
}

static void nothing_is_left(void **state)
{
	struct str s = { 0 };
	char *secret = x_strdup("hunter2");
	str_add(&s, "hunter2");
	secret_drop(&secret);
	secret_str_fini(&s);
	assert_null(secret);
	assert_null(s.buf);
	secret_drop(&secret);
	secret_str_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64),
		cmocka_unit_test(base64_that_is_none),
		cmocka_unit_test(nothing_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
