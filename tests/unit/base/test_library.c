/* Libraries opened at first use. */
#include "unit.h"

#include <string.h>

#include "base/library.h"

static const char *(*version)(void);
static void (*missing)(void);

static void test_first_that_is_there(void **state)
{
	static const char *const names[] = { "libno-such-thing.so.1", "libz.so.1", NULL };
	const struct library_function functions[] = { { "zlibVersion", &version } };
	struct err e;
	assert_int_equal(library_load(names, functions, 1, &e), 0);
	assert_true(strchr(version(), '.'));
}

static void test_not_installed(void **state)
{
	static const char *const names[] = { "libno-such-thing.so.1", NULL };
	const struct library_function functions[] = { { "f", &missing } };
	struct err e;
	assert_int_equal(library_load(names, functions, 1, &e), -1);
	assert_string_equal(e.msg, "libno-such-thing.so.1 is not installed, and this needs it");
}

static void test_too_old(void **state)
{
	static const char *const names[] = { "libz.so.1", NULL };
	const struct library_function functions[] = { { "no_such_function", &missing } };
	struct err e;
	assert_int_equal(library_load(names, functions, 1, &e), -1);
	assert_string_equal(e.msg, "libz.so.1 has no no_such_function: it is too old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_that_is_there),
		cmocka_unit_test(test_not_installed),
		cmocka_unit_test(test_too_old),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
