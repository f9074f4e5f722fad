/* Go's path.Match, on which wildcards in COPY rest (CP-05). */
#include "table.h"

#include "dockerfile/match.h"

static const struct {
	const char *pattern, *name;
	int want; /* -1: malformed */
} rows[] = {
	{ "abc", "abc", 1 }, { "abc", "ab", 0 }, { "abc", "abcd", 0 }, { "", "", 1 }, { "", "a", 0 },
	{ "*", "abc", 1 }, { "*", "", 1 }, { "*", "a/b", 0 }, { "*", ".hid", 1 }, { "**", "abc", 1 },
	{ "**", "a/b", 0 },
	{ "*c", "abc", 1 }, { "a*", "a", 1 }, { "a*", "abc", 1 }, { "a*", "ab/c", 0 }, { "a*/b", "abc/b", 1 },
	{ "a*/b", "a/c/b", 0 }, { "a*b*c*d*e*/f", "axbxcxdxe/f", 1 }, { "a*b*c*d*e*/f", "axbxcxdxexxx/f", 1 },
	{ "a*b*c*d*e*/f", "axbxcxdxe/xxx/f", 0 }, { "a*b?c*x", "abxbbxdbxebxczzx", 1 },
	{ "a*b?c*x", "abxbbxdbxebxczzy", 0 },
	{ "*x", "xxx", 1 }, { "*ab", "aab", 1 }, { "*.md", "README.md", 1 }, { "*.md", "d/README.md", 0 },
	{ "*/*", "a/b", 1 },
	{ "*/*", "a", 0 }, { "*/", "a/", 1 }, { "x*", "a/x", 0 },
	{ "?", "a", 1 }, { "?", "", 0 }, { "?", "/", 0 }, { "??", "a", 0 }, { "a?c", "abc", 1 }, { "?", "\xc3\xa9", 1 },
	{ "a?b", "a\xe2\x82\xac" "b", 1 }, { "?", "\xff", 1 }, { "a???b", "a\xe2\x82\xac" "b", 0 },
	{ "[a-c]", "b", 1 }, { "[a-c]", "d", 0 }, { "[^a-c]", "d", 1 }, { "[^a-c]", "b", 0 }, { "ab[c]", "abc", 1 },
	{ "ab[b-d]", "abc", 1 }, { "ab[e-g]", "abc", 0 }, { "ab[^c]", "abc", 0 }, { "[a-z0-9]", "5", 1 },
	{ "[^x]", "/", 1 },
	{ "[\\]a]", "]", 1 }, { "[\\-]", "-", 1 }, { "[x\\-]", "-", 1 }, { "[x\\-]", "z", 0 }, { "[\\-x]", "a", 0 },
	{ "[\xce\xb1-\xcf\x89]*", "\xce\xb2x", 1 }, { "[a-\xce\xb6]*", "\xce\xb1", 1 }, { "[!a]", "a", 1 },
	{ "[!a]", "b", 0 },
	{ "\\*", "*", 1 }, { "\\*", "x", 0 }, { "a\\*b", "a*b", 1 }, { "\\\\", "\\", 1 }, { "\\a", "a", 1 },
	{ "a\\[b", "a[b", 1 },
	{ "\xff", "\xff", 1 }, { "\xff", "\xfe", 0 }, { "\\\xc3\\\xa9", "\xc3\xa9", 1 }, { "[\xff]", "a", -1 },
	{ "[", "a", -1 }, { "[^", "a", -1 }, { "[a", "a", -1 }, { "[]", "a", -1 }, { "[]a]", "]", -1 },
	{ "[-]", "-", -1 },
	{ "[x-]", "x", -1 }, { "[-x]", "x", -1 }, { "[a-b-c]", "a", -1 }, { "a[", "ab", -1 }, { "x[", "a", -1 },
	{ "\\", "a", -1 },
	{ "a\\", "a", -1 }, { "[^bc", "a", -1 }, { "*[", "a", -1 }, { "[\\", "a", -1 }, { "[a\\", "a", -1 },
};

static void test_match(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		int got = df_match(rows[i].pattern, rows[i].name, &e);
		row_check(wrong, got == rows[i].want, "%s on %s: %d", rows[i].pattern, rows[i].name, got);
		if (got < 0)
			assert_int_equal(e.kind, ERR_PARSE);
	}
	assert_int_equal(wrong, 0);
}

static void test_has_wildcard(void **state)
{
	assert_true(df_has_wildcard("*.md"));
	assert_true(df_has_wildcard("a?"));
	assert_true(df_has_wildcard("[a]"));
	assert_true(df_has_wildcard("\\\\*"));
	assert_false(df_has_wildcard("a\\*b\\?\\["));
	assert_false(df_has_wildcard("a]b"));
	assert_false(df_has_wildcard("a\\"));
	assert_false(df_has_wildcard(""));
}

/* Stars must not multiply: this would take years if each were tried at every place. */
static void test_stars(void **state)
{
	struct str pattern = { 0 }, name = { 0 };
	struct err e;
	for (int i = 0; i < 200; i++)
		str_add(&pattern, "*a");
	for (int i = 0; i < 4000; i++)
		str_add(&name, "a");
	str_add(&name, "b");
	assert_int_equal(df_match(pattern.buf, name.buf, &e), 0);
	str_fini(&pattern);
	str_fini(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match), cmocka_unit_test(test_has_wildcard), cmocka_unit_test(test_stars),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
