#include "table.h"

#include "src/registry/retry_priv.h"

enum { NOW = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static void delays_double_to_thirty_seconds(void **state)
{
	static const int64_t full[] = { 1000, 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
	for (unsigned i = 0; i < ARRAY_LEN(full); i++) {
		assert_int_equal(retry_delay_ms(i, 0), full[i]);
		assert_int_equal(retry_delay_ms(i, 0xffff), full[i] - full[i] / 4);
	}
	assert_int_equal(retry_delay_ms(4000000000u, 0), 30000);
}

static void retry_after(void **state)
{
	static const struct { const char *value; int64_t want; } rows[] = {
		{ "0", 0 }, { "1", 1000 }, { "119", 119000 }, { "120", 120000 }, { "121", 120000 },
		{ "1000000000", 120000 },
		{ "99999999999999999999999999", 120000 }, { "Sun, 06 Nov 1994 08:49:40 GMT", 3000 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 }, { "Sun, 06 Nov 1994 08:49:36 GMT", 0 },
		{ "Mon, 06 Nov 2094 08:49:37 GMT", 120000 },
		{ "", -1 }, { "-1", -1 }, { "1.5", -1 }, { "soon", -1 }, { "1 s", -1 }, { " 1", -1 },
		{ "06 Nov 1994 08:49:37 GMT", -1 },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = -1;
		bool ok = retry_after_ms(rows[i].value, NOW, &ms);
		row_check(wrong, ok == (rows[i].want >= 0) && ms == rows[i].want, "%s: %lld", rows[i].value,
			(long long)ms);
	}
	assert_int_equal(wrong, 0);
}

static void dates(void **state)
{
	static const struct { const char *text; int64_t want; } rows[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", NOW }, { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Tue, 19 Jan 2038 03:14:08 GMT", 2147483648 }, { "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000 },
	};
	static const char *const bad[] = {
		"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 99999999999 08:49:37 GMT",
		"Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
	};
	int wrong = 0;
	int64_t t;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		row_check(wrong, http_date_parse(rows[i].text, &t) && t == rows[i].want, "%s", rows[i].text);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		row_check(wrong, !http_date_parse(bad[i], &t), "%s was accepted", bad[i]);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_double_to_thirty_seconds),
		cmocka_unit_test(retry_after),
		cmocka_unit_test(dates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
