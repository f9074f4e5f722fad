#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sandbox/status.h"

static const struct {
	int status;
	const char *words;
} cases[] = {
	{ 0, "exit code: 0" },
	{ 1 << 8, "exit code: 1" },
	{ 127 << 8, "exit code: 127" },
	{ 255 << 8, "exit code: 255" },
	{ SIGKILL, "killed by signal SIGKILL" },
	{ SIGTERM, "killed by signal SIGTERM" },
	{ SIGSEGV | 0x80, "killed by signal SIGSEGV" }, /* with a core file */
	{ 40, "killed by signal 40" },
	{ 0x137f, "wait status 0x137f" }, /* stopped: not asked for, so never seen */
};

static void test_words(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(free_drop) char *words = status_in_words(cases[i].status);
		assert_string_equal(words, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_words) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
