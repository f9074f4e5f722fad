#include "table.h"

#include "registry/secret.h"

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
		cmocka_unit_test(nothing_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
