/* RFC 3339, as Go reads and writes it. */
#include "documents.h"

#include "oci/time.h"

static const struct {
	const char *text;
	int64_t seconds;
} times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1969-12-31T23:59:59Z", -1 },
	{ "2026-11-20T18:00:00Z", 1795197600 },
	{ "2000-02-29T12:34:56Z", 951827696 },
	{ "2038-01-19T03:14:08Z", 2147483648 },
	{ "0001-01-01T00:00:00Z", -62135596800 },
	{ "0000-01-01T00:00:00Z", -62167219200 },
	{ "9999-12-31T23:59:59Z", 253402300799 },
	{ "1900-03-01T00:00:00Z", -2203891200 },
};

static void test_both_ways(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t got;
		AUTO(free_drop) char *text = time_rfc3339(times[i].seconds);
		assert_string_equal(text, times[i].text);
		assert_int_equal(time_parse(times[i].text, &got), 0);
		assert_int_equal(got, times[i].seconds);
	}
}

/* Every day of 800 years against the C library. */
static void test_calendar(void **state)
{
	for (int64_t day = -146097; day <= 146097; day++) {
		int64_t got;
		AUTO(free_drop) char *text = time_rfc3339(day * 86400);
		assert_int_equal(time_parse(text, &got), 0);
		assert_int_equal(got, day * 86400);
	}
}

static const struct {
	const char *text;
	int64_t seconds;
} others[] = {
	{ "1970-01-01T00:00:00.5Z", 0 },    { "2020-09-13T12:26:40.123456789Z", 1600000000 },
	{ "1970-01-01T02:00:00+02:00", 0 }, { "1969-12-31T18:30:00-05:30", 0 },
	{ "1970-01-01T00:00:00+00:00", 0 }, { "1970-01-01T00:00:00.000-00:00", 0 },
};

static void test_other_forms(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		int64_t got;
		assert_int_equal(time_parse(others[i].text, &got), 0);
		assert_int_equal(got, others[i].seconds);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"now",
		"1970",
		"1970-01-01",
		"1970-01-01T00:00:00",
		"1970-01-01 00:00:00Z",
		"1970-01-01t00:00:00Z",
		"1970-01-01T00:00:00z",
		"1970-00-01T00:00:00Z",
		"1970-13-01T00:00:00Z",
		"1970-01-00T00:00:00Z",
		"1970-01-32T00:00:00Z",
		"1970-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"1970-04-31T00:00:00Z",
		"1970-01-01T24:00:00Z",
		"1970-01-01T00:60:00Z",
		"1970-01-01T00:00:60Z",
		"1970-01-01T00:00:00.Z",
		"1970-01-01T00:00:00+24:00",
		"1970-01-01T00:00:00+00:60",
		"1970-01-01T00:00:00+0000",
		"1970-01-01T00:00:00Zx",
		"+970-01-01T00:00:00Z",
		"1970-1-01T00:00:00Z",
		"12970-01-01T00:00:00Z",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t got;
		if (time_parse(bad[i], &got) == 0)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void test_clamped(void **state)
{
	AUTO(free_drop) char *late = time_rfc3339(INT64_MAX);
	AUTO(free_drop) char *early = time_rfc3339(INT64_MIN);
	assert_string_equal(late, "9999-12-31T23:59:59Z");
	assert_string_equal(early, "0000-01-01T00:00:00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways), cmocka_unit_test(test_calendar), cmocka_unit_test(test_other_forms),
		cmocka_unit_test(test_refused),   cmocka_unit_test(test_clamped),
	};
	return cmocka_run_group_tests_name("oci/time", tests, NULL, NULL);
}
