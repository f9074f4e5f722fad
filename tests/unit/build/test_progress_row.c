/* What fits a terminal's line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/build/progress_row_priv.h"
#include "base/mem.h"

static void columns(void **state)
{
	static const struct { const char *in; size_t columns; } table[] = {
		{ "", 0 },
		{ "plain", 5 },
		{ "\xc3\xa9", 1 },             /* e with an accent */
		{ "e\xcc\x81", 1 },            /* the same as two characters */
		{ "\xe6\x97\xa5\xe6\x9c\xac", 4 }, /* two wide ones */
		{ "\xf0\x9f\x90\xb3", 2 },     /* an emoji */
		{ "\xff\xfe", 2 },             /* no UTF-8 */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(text_columns(table[i].in, strlen(table[i].in)), table[i].columns);
}

static void cuts(void **state)
{
	static const struct { const char *in; size_t columns; const char *out; size_t took; } table[] = {
		{ "fits", 4, "fits", 4 },
		{ "does not", 7, "does...", 7 },
		{ "does not", 3, "doe", 3 },
		{ "does not", 0, "", 0 },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5...", 5 },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "...", 3 }, /* no half character */
		{ "\xe6\x97\xa5\xe6\x9c\xac", 3, "\xe6\x97\xa5", 2 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct str out = { 0 };
		size_t took = text_cut(&out, table[i].in, strlen(table[i].in), table[i].columns);
		assert_string_equal(str_text(&out), table[i].out);
		assert_int_equal(took, table[i].took);
		str_fini(&out);
	}
}

static void flattened(void **state)
{
	static const struct { const char *in, *out; } table[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "10%\r50%\r100%", "100%" },
		{ "a\tb", "a       b" },
		{ "12345678\tb", "12345678        b" },
		{ "\t", "        " },
		{ "\xe6\x97\xa5\tb", "\xe6\x97\xa5      b" },
		{ "\x1b[2Jgone", "\\x1b[2Jgone" },
		{ "bell\a", "bell\\x07" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct str out = { 0 };
		text_flatten(&out, table[i].in, strlen(table[i].in));
		assert_string_equal(str_text(&out), table[i].out);
		str_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(cuts),
		cmocka_unit_test(flattened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
