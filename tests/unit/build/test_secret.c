/* --secret (MNT-19). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "src/build/secret_priv.h"

static int read_one(const char *text, struct secrets *ret, struct err *e)
{
	struct strv texts = { 0 };
	*ret = (struct secrets){ 0 };
	strv_push(&texts, text);
	int r = secrets_read(&texts, ret, e);
	strv_fini(&texts);
	return r;
}

static void words(void **state)
{
	static const struct { const char *text, *want; } rows[] = { /* the value, or what the error says */
		{ "id=a,src=file", "in the file" },
		{ "id=a,source=file", "in the file" },
		{ "ID=a,SRC=file", "in the file" },
		{ "id=a,type=file,src=file", "in the file" },
		{ "src=file,id=a", "in the file" },
		{ "id=a,env=SECRET_TEST", "in the environment" },
		{ "id=a,type=env,env=SECRET_TEST", "in the environment" },
		{ "id=a,type=env,src=SECRET_TEST", "in the environment" },
		{ "id=a,env=SECRET_TEST_UNSET", "" },
		{ "id=SECRET_TEST", "in the environment" },
		{ "id=file", "in the file" },
		{ "\"id=a,b\",src=file", "in the file" },
		{ "src=file", "secret missing ID" },
		{ "id=,src=file", "secret missing ID" },
		{ "", "must be a key=value pair" },
		{ "a", "invalid field 'a' must be a key=value pair" },
		{ "id=a,sorce=file", "unexpected key 'sorce' in 'sorce=file'; did you mean source?" },
		{ "id=a,type=text", "unsupported secret type \"text\"" },
		{ "id=a,src=file,env=SECRET_TEST", "not from both" },
		{ "id=a,type=file,env=SECRET_TEST", "not from both" },
		{ "id=a,src=none", "failed to stat none: No such file" },
		{ "id=none", "failed to stat none: No such file" },
		{ "id=a,src=.", ". is not a regular file" },
		{ "id=a,src=large", "secret a too big" },
		{ "id=a,\"src=file", "a quoted field is not closed" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct secrets s;
		struct str got = { 0 };
		struct err e = { 0 };
		if (read_one(rows[i].text, &s, &e) < 0) {
			if (!strstr(e.msg, rows[i].want))
				fail_msg("%s: %s", rows[i].text, e.msg);
			assert_int_equal(e.kind, ERR_USAGE);
		} else {
			assert_int_equal(secret_value(&s, s.v.v[0].id, &got, &e), 0);
			assert_string_equal(str_text(&got), rows[i].want);
			assert_int_equal(secret_value(&s, "other", &got, &e), 1);
		}
		str_fini(&got);
		secrets_fini(&s);
	}
}

static void sizes(void **state)
{
	struct secrets s;
	struct str got = { 0 };
	struct err e;
	(void)state;
	assert_int_equal(truncate("large", 500 * 1024), 0);
	assert_int_equal(read_one("id=a,src=large", &s, &e), 0);
	assert_int_equal(secret_value(&s, "a", &got, &e), 0);
	assert_int_equal(got.len, 500 * 1024);
	/* It grew since. */
	assert_int_equal(truncate("large", 500 * 1024 + 1), 0);
	assert_int_equal(secret_value(&s, "a", &got, &e), -1);
	str_fini(&got);
	secrets_fini(&s);
}

static void last_one_counts(void **state)
{
	struct strv texts = { 0 };
	struct secrets s = { 0 };
	struct str got = { 0 };
	struct err e;
	(void)state;
	strv_push(&texts, "id=a,src=file");
	strv_push(&texts, "id=a,env=SECRET_TEST");
	assert_int_equal(secrets_read(&texts, &s, &e), 0);
	assert_int_equal(secret_value(&s, "a", &got, &e), 0);
	assert_string_equal(str_text(&got), "in the environment");
	str_fini(&got);
	secrets_fini(&s);
	strv_fini(&texts);
}

static char dir[] = "/tmp/test_secret.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	FILE *f = fopen("file", "w"), *large = fopen("large", "w");
	if (!f || !large)
		return -1;
	fputs("in the file", f);
	setenv("SECRET_TEST", "in the environment", 1);
	return fclose(f) || fclose(large) || truncate("large", 500 * 1024 + 1);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink("file") || unlink("large") || rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(sizes),
		cmocka_unit_test(last_one_counts),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
