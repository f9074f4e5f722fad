/* Options that touch every RUN (RUN-13). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/mem.h"
#include "build/options.h"
#include "src/build/run_options_priv.h"

enum { ALLOW, HOST, ULIMIT, SHM, CGROUP, RESOURCE };

/* Reads one option with one value. */
static int read_one(int which, const char *value, struct run_options *ret, struct err *e)
{
	struct build_options o = { 0 };
	struct strv *lists[] = { &o.allow, &o.add_hosts, &o.ulimits, NULL, NULL, &o.resources };
	*ret = (struct run_options){ 0 };
	if (lists[which])
		strv_push(lists[which], value);
	else if (which == SHM)
		o.shm_size = value;
	else
		o.cgroup_parent = value;
	int r = run_options_read(&o, ret, e);
	if (lists[which])
		strv_fini(lists[which]);
	return r;
}

static void refusals(void **state)
{
	static const struct {
		int which;
		const char *value, *words;
	} rows[] = {
		{ ALLOW, "network.hots", "unknown entitlement; did you mean network.host" },
		{ ALLOW, "fs=/", "network.host and security.insecure are known" },
		{ ALLOW, "device", "no device" },
		{ ALLOW, "device=vendor.com/gpu", "no device" },
		{ HOST, "name", "invalid host" },
		{ HOST, "=1.2.3.4", "invalid host" },
		{ HOST, ":1.2.3.4", "invalid host" },
		{ HOST, "name=", "invalid host" },
		{ HOST, "name:1.2.3", "an IPv4 or IPv6 address" },
		{ HOST, "name=1.2.3.4,", "an IPv4 or IPv6 address" },
		{ HOST, "name=[]", "an IPv4 or IPv6 address" },
		{ HOST, "a b=1.2.3.4", "invalid host" },
		{ HOST, "a\nb=1.2.3.4", "invalid host" },
		{ HOST, "#a=1.2.3.4", "invalid host" },
		{ ULIMIT, "nofile", "invalid ulimit argument" },
		{ ULIMIT, "nofile=", "invalid ulimit argument" },
		{ ULIMIT, "nofile=1:", "invalid ulimit argument" },
		{ ULIMIT, "nofile=1:2:3", "invalid ulimit argument" },
		{ ULIMIT, "nofile=-2", "invalid ulimit argument" },
		{ ULIMIT, "nofile=1k", "invalid ulimit argument" },
		{ ULIMIT, "files=1", "invalid ulimit type: files" },
		{ ULIMIT, "nofil=1", "invalid ulimit type: nofil" },
		{ ULIMIT, "=1", "invalid ulimit type" },
		{ ULIMIT, "nofile=20:10", "soft limit must be less than or equal to hard limit" },
		{ ULIMIT, "core=-1:10", "soft limit must be less than or equal to hard limit" },
		{ SHM, "much", "--shm-size much: invalid size" },
		{ SHM, "-1", "invalid size" },
		{ CGROUP, "builds", "--cgroup-parent builds: a build without root has no control group" },
		{ RESOURCE, "memory=1g", "--resource memory=1g: a build without root" },
		{ RESOURCE, "memroy=1g", "did you mean memory" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct run_options o;
		struct err e = { 0 };
		if (read_one(rows[i].which, rows[i].value, &o, &e) == 0 || !strstr(e.msg, rows[i].words))
			fail_msg("%s: %s", rows[i].value, e.msg);
		assert_int_equal(e.kind, ERR_USAGE);
		run_options_fini(&o);
	}
}

static void hosts(void **state)
{
	static const struct { const char *value, *lines; } rows[] = {
		{ "a:1.2.3.4", "1.2.3.4\ta\n" },
		{ "a=1.2.3.4", "1.2.3.4\ta\n" },
		{ "a:::1", "::1\ta\n" },
		{ "a=[::1]", "::1\ta\n" },
		{ "a.b-c=10.0.0.1,[fe80::1]", "10.0.0.1\ta.b-c\nfe80::1\ta.b-c\n" },
		{ "a:host-gateway", "127.0.0.1\ta\n" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct run_options o;
		struct err e;
		assert_int_equal(read_one(HOST, rows[i].value, &o, &e), 0);
		assert_string_equal(str_text(&o.hosts), rows[i].lines);
		assert_int_equal(o.host_names.n, 1);
		assert_int_equal(o.host_names.v[0][0], 'a');
		run_options_fini(&o);
	}
}

static void limits(void **state)
{
	struct run_options o;
	struct err e;
	struct rlimit own;
	(void)state;
	assert_int_equal(read_one(ULIMIT, "nofile=100:200", &o, &e), 0);
	assert_int_equal(o.limits.v[0].what, RLIMIT_NOFILE);
	assert_int_equal(o.limits.v[0].soft, 100);
	assert_int_equal(o.limits.v[0].hard, 200);
	run_options_fini(&o);
	assert_int_equal(read_one(ULIMIT, "core=0", &o, &e), 0);
	assert_int_equal(o.limits.v[0].hard, 0);
	run_options_fini(&o);
	/* Beyond what this process has itself. */
	assert_int_equal(getrlimit(RLIMIT_CORE, &own), 0);
	own.rlim_cur = own.rlim_max = own.rlim_max < 5000 ? own.rlim_max : 5000;
	assert_int_equal(setrlimit(RLIMIT_CORE, &own), 0);
	assert_int_equal(read_one(ULIMIT, "core=0:-1", &o, &e), -1);
	assert_non_null(strstr(e.msg, "the hard limit of this user is"));
	run_options_fini(&o);
}

static void others(void **state)
{
	struct run_options o;
	struct err e;
	(void)state;
	assert_int_equal(read_one(ALLOW, "network.host", &o, &e), 0);
	assert_true(o.allow_host_network && !o.allow_insecure);
	assert_int_equal(read_one(ALLOW, "security.insecure", &o, &e), 0);
	assert_true(!o.allow_host_network && o.allow_insecure);
	assert_int_equal(read_one(SHM, "1.5m", &o, &e), 0);
	assert_int_equal(o.shm_size, 1536 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(hosts),
		cmocka_unit_test(limits),
		cmocka_unit_test(others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
