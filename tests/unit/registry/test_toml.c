#include "table.h"

#include "base/err.h"
#include "src/registry/toml_priv.h"

/* The tree as JSON, for tables without owned numbers. */
static char *parse(const char *text, struct err *e)
{
	struct json root;
	struct json_out o;
	if (toml_parse(text, strlen(text), "test.conf", &root, e) < 0)
		return NULL;
	json_out_init(&o);
	json_put_raw(&o, &root);
	json_fini(&root);
	return json_out_take(&o);
}

static const struct { const char *toml, *json; } good[] = {
	{ "", "{}" },
	{ "# only a comment", "{}" },
	{ "\xef\xbb\xbf", NULL },
	{ "a = 1", "{\"a\":1}" },
	{ "a=-1\r\nb = +2\n", "{\"a\":-1,\"b\":2}" },
	{ "a = true # yes\nb = false", "{\"a\":true,\"b\":false}" },
	{ "a = \"x\\ty\\\"\\\\\\u00e4\\U0001F600\"", "{\"a\":\"x\\ty\\\"\\\\\xc3\xa4\xf0\x9f\x98\x80\"}" },
	{ "a = 'x\\ty'", "{\"a\":\"x\\\\ty\"}" },
	{ "\"a b\" = '' \n 'c.d' = \"\"", "{\"a b\":\"\",\"c.d\":\"\"}" },
	{ "a . b = 1\na.c = 2", "{\"a\":{\"b\":1,\"c\":2}}" },
	{ "a = []\nb = [ 1 , 2, ]\nc = [\n 'x', # one\n\n 'y'\n]", "{\"a\":[],\"b\":[1,2],\"c\":[\"x\",\"y\"]}" },
	{ "[a]\nx = 1\n[a.b]\ny = 2\n[c]", "{\"a\":{\"x\":1,\"b\":{\"y\":2}},\"c\":{}}" },
	{ "[[r]]\np = 1\n[[r.m]]\nl = 2\n[[r.m]]\nl = 3\n[[r]]\np = 4",
	  "{\"r\":[{\"p\":1,\"m\":[{\"l\":2},{\"l\":3}]},{\"p\":4}]}" },
	{ "[ 'a' . \"b\" ]\n", "{\"a\":{\"b\":{}}}" },
	/* What is not known here, and what is none. */
	{ "a = 1\na = 2", NULL }, { "a", NULL }, { "a =", NULL }, { "= 1", NULL }, { "a = 1 b = 2", NULL },
	{ "a = \"x", NULL }, { "a = 'x\ny'", NULL }, { "a = \"\\x\"", NULL }, { "a = \"\\ud800\"", NULL },
	{ "a = \"\\u12\"", NULL }, { "a = \"\\u0000\"", NULL }, { "a = \"\x01\"", NULL }, { "a = \"\"\"x\"\"\"", NULL },
	{ "a = { b = 1 }", NULL }, { "a = [[1]]", NULL }, { "a = [1 2]", NULL }, { "a = [1", NULL },
	{ "a = 1.5", NULL }, { "a = 1979-05-27", NULL }, { "a = 99999999999999999999", NULL }, { "a = yes", NULL },
	{ "[a", NULL }, { "[[a]", NULL }, { "[]", NULL }, { "[a.]", NULL }, { "[a] b = 1", NULL },
	{ "a = 1\n[a]", NULL }, { "[a]\n[[a]]", NULL }, { "a = [1]\n[[a.b]]", NULL }, { "a.b = 1\na.b.c = 2", NULL },
	{ "a.b.c.d.e.f.g.h.i = 1", NULL }, { "a = \"\xff\"", NULL },
};

static void documents(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct err e = { 0 };
		AUTO(free_drop) char *got = parse(good[i].toml, &e);
		row_check(wrong, str_eq(got, good[i].json), "%s: %s (%s)", good[i].toml, got ? got : "refused", e.msg);
	}
	assert_int_equal(wrong, 0);
}

static void errors_name_the_line(void **state)
{
	struct err e = { 0 };
	assert_null(parse("# one\na = [\n1,\n]\nb = {}\n", &e));
	assert_int_equal(e.kind, ERR_SPEC);
	assert_non_null(strstr(e.msg, "test.conf, line 5:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents),
		cmocka_unit_test(errors_name_the_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
