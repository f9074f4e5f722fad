/* The small values: durations, ports, signals, file modes. */
#include "table.h"

#include "dockerfile/values.h"

/* CFG-09: Go's time.ParseDuration */
static void test_duration(void **state)
{
	static const struct {
		const char *in;
		int64_t want; /* -2: refused */
	} rows[] = {
		{ "0", 0 }, { "+0", 0 }, { "-0", 0 }, { "0s", 0 }, { "30s", 30000000000 }, { "1m30s", 90000000000 },
		{ "1.5h", 5400000000000 }, { ".5s", 500000000 }, { "1.s", 1000000000 }, { "5ms", 5000000 },
		{ "7us", 7000 },
		{ "7\xc2\xb5s", 7000 }, { "7\xce\xbcs", 7000 }, { "9ns", 9 }, { "-2s", -2000000000 },
		{ "+2s", 2000000000 },
		{ "1h1m1s1ms1us1ns", 3661001001001 }, { "0.3333333333333333333333h", 1200000000000 },
		{ "2562047h47m16.854775807s", INT64_MAX }, { "2562047h47m16.854775808s", -2 },
		{ "9223372036854775808ns", -2 },
		{ "3000000h", -2 }, { "99999999999999999999s", -2 }, { "", -2 }, { "5", -2 }, { "s", -2 }, { ".s", -2 },
		{ "1x", -2 }, { "1d", -2 }, { "1s 2s", -2 }, { "1m2", -2 }, { "--1s", -2 }, { "1S", -2 },
		{ "1e3s", -2 },
		{ "+", -2 }, { "1sm", -2 },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		int64_t got = -2;
		df_duration(rows[i].in, &got, &e);
		row_check(wrong, got == rows[i].want, "%s: %lld", rows[i].in, (long long)got);
	}
	assert_int_equal(wrong, 0);
}

/* CFG-04, LINT-22, LINT-23 */
static void test_expose(void **state)
{
	static const struct {
		const char *in, *want; /* NULL: refused */
		enum df_rule warning;
	} rows[] = {
		{ "80", "80/tcp", DF_RULES },
		{ "80/tcp", "80/tcp", DF_RULES },
		{ "53/UDP", "53/udp", DF_RULE_EXPOSE_PROTO_CASING },
		{ "5/sctp", "5/sctp", DF_RULES },
		{ "80/", "80/tcp", DF_RULES },
		{ "9000-9002", "9000/tcp 9001/tcp 9002/tcp", DF_RULES },
		{ "7000-7001/udp", "7000/udp 7001/udp", DF_RULES },
		{ "80-80", "80/tcp", DF_RULES },
		{ "0", "0/tcp", DF_RULES },
		{ "65535", "65535/tcp", DF_RULES },
		{ "8080:80", "80/tcp", DF_RULE_EXPOSE_INVALID_FORMAT },
		{ ":80", "80/tcp", DF_RULE_EXPOSE_INVALID_FORMAT },
		{ "127.0.0.1:80:8080/tcp", "8080/tcp", DF_RULE_EXPOSE_INVALID_FORMAT },
		{ "127.0.0.1::8080", "8080/tcp", DF_RULE_EXPOSE_INVALID_FORMAT },
		{ "[::1]:80:8080", "8080/tcp", DF_RULE_EXPOSE_INVALID_FORMAT },
		{ "::1:80:8080", "8080/tcp", DF_RULE_EXPOSE_INVALID_FORMAT },
		{ "8000-8010:80", "80/tcp", DF_RULE_EXPOSE_INVALID_FORMAT },
		{ "8000-8001:80-81", "80/tcp 81/tcp", DF_RULE_EXPOSE_INVALID_FORMAT },
		{ "8000:80-81", NULL }, { "90-80", NULL }, { "http", NULL }, { "", NULL }, { "/tcp", NULL },
		{ "80/icmp", NULL },
		{ "80/tcp/udp", NULL }, { "65536", NULL }, { "-1", NULL }, { "1-2-3", NULL }, { "80-", NULL },
		{ "-", NULL },
		{ "+80", NULL }, { "1.2.3:80:80", NULL }, { "[::1:80:80", NULL }, { "host:80:80", NULL },
		{ "x:80", NULL },
		{ "80:", NULL }, { ":", NULL }, { "0x50", NULL }, { "80 ", NULL },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv ports = { 0 };
		struct err e = { 0 };
		enum df_rule warning = DF_RULES;
		int r = df_expose(rows[i].in, &ports, &warning, &e);
		AUTO(free_drop) char *got = strv_join(&ports, " ");
		bool same = !r && rows[i].want && str_eq(got, rows[i].want) && warning == rows[i].warning;
		row_check(wrong, same || (r && !rows[i].want && !ports.n), "%s: %s (%d)", rows[i].in, r ? e.msg : got,
			(int)warning);
		strv_fini(&ports);
	}
	assert_int_equal(wrong, 0);
}

/* Three words name every port; after them there can be nothing new, and no more memory is spent. */
static void test_expose_limit(void **state)
{
	static const char *const all[] = { "0-65535", "0-65535/udp", "0-65535/sctp" };
	struct strv ports = { 0 };
	struct err e = { 0 };
	enum df_rule warning;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		assert_int_equal(df_expose(all[i], &ports, &warning, &e), 0);
	assert_int_equal(ports.n, 3 * 65536);
	assert_int_equal(df_expose("1", &ports, &warning, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	strv_fini(&ports);
}

/* CFG-05 */
static void test_signal(void **state)
{
	static const char *const good[] = { "TERM", "SIGTERM", "sigkill", "KILL", "9", "1", "64", "999", "-1",
		"SIGRTMIN",
		"SIGRTMIN+3", "rtmin+15", "RTMAX-14", "SIGRTMAX-1", "RTMAX", "SIGPOLL", "STKFLT", "CLD" };
	static const char *const bad[] = { "", "0", "SIGNOPE", "SIG", "SIGSIGTERM", "TERM ", "1x", "RTMIN+16",
		"RTMIN+0", "RTMIN+",
		"RTMAX-15", "RTMIN-1", "RTMAX+1", "RTMIN+03", "$SIG", "-0" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!df_signal_is_valid(good[i]))
			fail_msg("%s is a signal", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (df_signal_is_valid(bad[i]))
			fail_msg("%s is no signal", bad[i]);
}

/* CP-17 */
static void test_chmod(void **state)
{
	static const struct {
		const char *in;
		uint32_t before;
		bool is_dir;
		uint32_t want; /* 077777: refused */
	} rows[] = {
		{ "640", 0777, false, 0640 },
		{ "0640", 0777, false, 0640 },
		{ "4755", 0, false, 04755 },
		{ "07777", 0, true, 07777 },
		{ "0", 0777, true, 0 },
		{ "u=rw,go=", 0644, false, 0600 },
		{ "a+x", 0644, false, 0755 },
		{ "+x", 0644, false, 0755 },
		{ "u=rwX,go=rX", 0600, false, 0644 },
		{ "u=rwX,go=rX", 0711, false, 0755 },
		{ "u=rwX,go=rX", 0700, true, 0755 },
		{ "a+X", 0600, true, 0711 },
		{ "u-x,a+X", 0700, false, 0711 },
		{ "g+s,o-rwx", 0755, true, 02750 },
		{ "g=u", 0640, false, 0660 },
		{ "o=g", 0640, false, 0644 },
		{ "u=g,g=o", 0751, false, 0511 },
		{ "a-w", 0666, false, 0444 },
		{ "=r", 0777, false, 0444 },
		{ "a=", 06777, false, 0 },
		{ "u=x", 04700, false, 0100 },
		{ "u+s", 0755, false, 04755 },
		{ "+s", 0755, false, 06755 },
		{ "o+s", 0755, false, 0755 },
		{ "+t", 0777, true, 01777 },
		{ "u+t", 0777, true, 01777 },
		{ "o+t", 0777, true, 0777 },
		{ "a=rx", 01777, true, 01555 },
		{ "u+r-w+x", 0200, false, 0500 },
		{ "ug+rw,o=", 0004, false, 0660 },
		{ "u+", 0644, false, 0644 },
		{ "99", 0, false, 077777 },
		{ "10000", 0, false, 077777 },
		{ "", 0, false, 077777 },
		{ "rwx", 0, false, 077777 },
		{ "u", 0, false, 077777 },
		{ "u=rw,", 0, false, 077777 },
		{ ",u=rw", 0, false, 077777 },
		{ "u=rz", 0, false, 077777 },
		{ "u=rw go=r", 0, false, 077777 },
		{ "z+x", 0, false, 077777 },
		{ "-1", 0, false, 077777 },
		{ "u=ug", 0, false, 077777 },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct df_chmod c;
		struct err e = { 0 };
		int r = df_chmod_parse(rows[i].in, &c, &e);
		uint32_t got = r ? 077777 : df_chmod_apply(&c, rows[i].before, rows[i].is_dir);
		row_check(wrong, got == rows[i].want && (!r || strstr(e.msg, rows[i].in)), "%s on %o: %o", rows[i].in,
			rows[i].before, got);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration), cmocka_unit_test(test_expose), cmocka_unit_test(test_expose_limit),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_chmod),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
