/* The error value: its texts stay printable and within their bounds; the exit status of each kind. */
#include "unit.h"

#include <signal.h>

#include "base/exit_codes.h"

static void test_texts(void **state)
{
	struct err e;
	assert_int_equal(err_set(&e, ERR_SPEC, "a %s", "b"), -1);
	assert_int_equal(e.kind, ERR_SPEC);
	assert_int_equal(e.sysno, 0);
	assert_int_equal(err_in(&e, "pull %d", 7), -1);
	assert_string_equal(e.msg, "pull 7: a b");
	assert_int_equal(err_hint(&e, "try %s", "c"), -1);
	assert_string_equal(e.msg, "pull 7: a b; try c");
	errno = ENOSPC;
	assert_int_equal(err_sys(&e, "write %s", "x"), -1);
	assert_int_equal(e.sysno, ENOSPC);
	assert_string_equal(e.msg, "write x: No space left on device");
	assert_int_equal(err_at(&e, ERR_PARSE, 3, 5, "bad"), -1);
	assert_int_equal(e.line, 3);
	assert_int_equal(e.line_end, 5);
}

static void test_control_bytes(void **state)
{
	struct err e;
	err_set(&e, ERR_SPEC, "%s", "a\x1b[31m\r\nb\x7f\xc2\x9b\xc3\xa4");
	assert_string_equal(e.msg, "a?[31m??b???\xc3\xa4");
	err_in(&e, "%s", "x\ny");
	assert_string_equal(e.msg, "x?y: a?[31m??b???\xc3\xa4");
	err_hint(&e, "%s", "\x1b");
	assert_true(e.msg[strlen(e.msg) - 1] == '?');
}

static void test_long_texts(void **state)
{
	char text[2000];
	struct err e;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	err_set(&e, ERR_SPEC, "%s", text);
	assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
	err_hint(&e, "lost");
	assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
	err_in(&e, "%s", text);
	assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
	for (size_t n = sizeof e.msg - 8; n < sizeof e.msg; n++) {
		err_set(&e, ERR_SPEC, "%.*s", (int)n, text);
		err_hint(&e, "%s", text);
		err_set(&e, ERR_SPEC, "%.*s", (int)n, text);
		err_in(&e, "y");
		assert_true(strlen(e.msg) < sizeof e.msg);
		errno = EIO;
		err_sys(&e, "%.*s", (int)n, text);
		assert_true(strlen(e.msg) < sizeof e.msg);
	}
}

static const struct {
	enum err_kind kind;
	int code;
} codes[] = {
	{ ERR_NONE, 0 },  { ERR_SYS, 1 },       { ERR_LIMIT, 1 },    { ERR_USAGE, 2 },         { ERR_PARSE, 3 },
	{ ERR_BUILD, 4 }, { ERR_CHILD, 5 },     { ERR_NET, 6 },      { ERR_AUTH, 7 },          { ERR_NOTFOUND, 8 },
	{ ERR_SPEC, 9 },  { ERR_INTEGRITY, 9 }, { ERR_SANDBOX, 10 }, { ERR_INTERRUPTED, 130 },
};

static void test_exit_codes(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct err e = { .kind = codes[i].kind };
		assert_int_equal(err_exit_code(&e), codes[i].code);
	}
	struct err full = { .kind = ERR_SYS, .sysno = ENOSPC }, quota = { .kind = ERR_NET, .sysno = EDQUOT };
	struct err term = { .kind = ERR_INTERRUPTED, .status = SIGTERM };
	assert_int_equal(err_exit_code(&full), EXIT_CODE_NO_SPACE);
	assert_int_equal(err_exit_code(&quota), EXIT_CODE_NO_SPACE);
	assert_int_equal(err_exit_code(&term), 143);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_control_bytes),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_exit_codes),
	};
	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
