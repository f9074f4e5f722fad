/* The lines around a place that an error or a warning is about. */
#include "table.h"

static void test_excerpt(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	struct err e = { 0 };
	const char *text = "FROM a\n\nRUN x \\\n\t\x1b[31my\nNOPE\nCMD z\nLABEL a=b\n";
	assert_int_equal(df_parse(text, strlen(text), &f, &e), -1);
	AUTO(free_drop) char *middle = df_excerpt(&f, "a\nb", &(struct err){ .line = 3, .line_end = 4 }, NULL);
	assert_string_equal(middle, "a\\x0ab:3\n--------------------\n"
		"   1 |     FROM a\n   2 |     \n   3 | >>> RUN x \\\n"
		"   4 | >>> \t\\x1b[31my\n   5 |     NOPE\n   6 |     CMD z\n--------------------\n");
	AUTO(free_drop) char *first = df_excerpt(&f, "Dockerfile", &(struct err){ .line = 1 }, NULL);
	assert_string_equal(first, "Dockerfile:1\n--------------------\n"
		"   1 | >>> FROM a\n   2 |     \n   3 |     RUN x \\\n--------------------\n");
	AUTO(free_drop) char *beyond = df_excerpt(&f, "Dockerfile", &(struct err){ .line = 7, .line_end = 99 }, NULL);
	assert_non_null(strstr(beyond, "   7 | >>> LABEL a=b\n-----"));
	assert_null(strstr(beyond, "   8 |"));
	AUTO(free_drop) char *none = df_excerpt(&f, "Dockerfile", &(struct err){ 0 }, NULL);
	assert_null(strstr(none, ">>>"));
}

static void test_caret(void **state)
{
	static const struct {
		const char *line;
		int col;
		const char *want;
	} lines[] = {
		{ "RUN --x \\", 5, "   1 | >>> RUN --x \\\n     |         ^\n" },
		{ "\tRUN\t--x", 6, "   1 | >>> \tRUN\t--x\n     |     \t   \t^\n" },
		{ "ENV \xc3\xa4=1 \x1b b", 12, "   1 | >>> ENV \xc3\xa4=1 \\x1b b\n     |                  ^\n" },
		{ "USER", 99, "   1 | >>> USER\n---" },
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		AUTO(df_file_fini) struct df_file f = { 0 };
		struct err e = { .line = 1, .line_end = 1, .at_line = 1, .col = lines[i].col };
		vec_push(&f.lines, lines[i].line);
		AUTO(free_drop) char *got = df_excerpt(&f, "D", &e, "what");
		assert_int_equal(strncmp(got, "D:1:", 4), 0);
		assert_non_null(strstr(got, ": what\n"));
		if (!strstr(got, lines[i].want))
			fail_msg("%s", got);
	}
}

/* A line of the length that is allowed shows what is around the column. */
static void test_long_line(void **state)
{
	AUTO(df_file_fini) struct df_file f = { 0 };
	size_t n;
	AUTO(free_drop) char *line = repeat("", "0123456789", 1000, &n);
	for (int col = 1; col <= 10000; col += 1111) {
		struct err e = { .line = 1, .line_end = 1, .at_line = 1, .col = col };
		line[col - 1] = 'X';
		f.lines.n = 0;
		vec_push(&f.lines, line);
		AUTO(free_drop) char *got = df_excerpt(&f, "D", &e, NULL);
		const char *marked = strstr(got, ">>> "), *below = strstr(got, "     |     ");
		assert_true(strlen(got) < 600);
		assert_non_null(marked);
		assert_non_null(below);
		assert_int_equal(marked[4 + strspn(below + 11, " ")], 'X');
		line[col - 1] = '-';
	}
}

static void test_long_excerpt(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	struct err e = { 0 };
	size_t n;
	AUTO(free_drop) char *text = repeat("FROM a\nRUN <<E\n", "x\n", 2000, &n);
	assert_int_equal(df_parse(text, n, &f, &e), -1);
	AUTO(free_drop) char *shown = df_excerpt(&f, "Dockerfile", &e, NULL);
	assert_true(strlen(shown) < 1000);
	assert_non_null(strstr(shown, "     | ...\n"));
	assert_non_null(strstr(shown, "2002 | >>> x\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_excerpt), cmocka_unit_test(test_caret), cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_long_excerpt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
