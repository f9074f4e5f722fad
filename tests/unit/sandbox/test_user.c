/* USER values against passwd and group texts: what BuildKit answers, and what must never become root (RUN-04, RUN-05,
 * T-D3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment:x:5:5::/:\n"
			     "\n"
			     "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
			     "  app:x:1000:1000:app user:/home/app:/bin/sh\n"
			     "web:x:1001:2000:web user:/srv/web:/bin/sh\r\n"
			     "twin:x:1001:7::/home/twin:/bin/sh\n"
			     "1002:x:42:42:a name of digits:/n:\n"
			     "short:x\n"
			     "big:x:4294967296:0::/:\n"
			     "minus:x:-1:0::/:\n"
			     "badgid:x:1003:zero::/:\n"
			     "+nis::0:0:::\n"
			     "nohome:x:1004:1004\n"
			     "last:x:1005:1005::/home/last:/bin/sh";

static const char group[] = "root:x:0:\n"
			    "app:x:1000:\n"
			    "staff:x:50:app,web\n"
			    "www:x:2000:web,app2\n"
			    "again:x:50:app\n"
			    "wrong:x:nine:last\n"
			    "77:x:78:\n"
			    "audio:x:29:apple,app";

struct good {
	const char *spec, *passwd, *group;
	uint32_t uid, gid;
	const char *groups, *home;
};

static const struct good good[] = {
	{ "", passwd, group, 0, 0, "", "/root" },
	{ "", NULL, NULL, 0, 0, "", "" },
	{ "root", passwd, group, 0, 0, "", "/root" },
	{ "0", passwd, group, 0, 0, "", "/root" },
	{ "0", NULL, NULL, 0, 0, "", "" },
	{ "0:0", NULL, NULL, 0, 0, "", "" },
	{ "root:root", NULL, NULL, 0, 0, "", "" },
	{ "root:5", NULL, NULL, 0, 5, "", "" },
	{ "7:root", NULL, NULL, 7, 0, "", "" },
	{ "app", passwd, group, 1000, 1000, "50,29", "/home/app" },
	{ "app:www", passwd, group, 1000, 2000, "", "/home/app" },
	{ "app:9", passwd, group, 1000, 9, "", "/home/app" },
	{ "1001", passwd, group, 1001, 2000, "50", "/srv/web" },
	{ "web", passwd, group, 1001, 2000, "50", "/srv/web" },
	{ "twin", passwd, group, 1001, 7, "", "/srv/web" },
	{ "1001:1001", passwd, group, 1001, 1001, "", "/srv/web" },
	{ "1234:4321", passwd, group, 1234, 4321, "", "" },
	{ "1234", passwd, group, 1234, 0, "", "" },
	{ "1234", NULL, NULL, 1234, 0, "", "" },
	{ "0:staff", passwd, group, 0, 50, "", "/root" },
	{ ":staff", passwd, group, 0, 50, "", "/root" },
	{ ":1", passwd, group, 0, 1, "", "/root" },
	{ "1:", passwd, group, 1, 1, "", "/usr/sbin" },
	{ "app:", passwd, group, 1000, 1000, "50,29", "/home/app" },
	{ "1002", passwd, group, 1002, 0, "", "" }, /* digits are an id, never a name */
	{ "1:77", passwd, group, 1, 77, "", "/usr/sbin" },
	{ "nohome", passwd, group, 1004, 1004, "", "" },
	{ "last:0", passwd, group, 1005, 0, "", "/home/last" },
	{ "2147483647:2147483647", NULL, NULL, 2147483647, 2147483647, "", "" },
	{ "00012", NULL, NULL, 12, 0, "", "" },
};

static void test_answers(void **state)
{
	struct user_ids *ids = x_alloc(sizeof *ids);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct good *g = &good[i];
		struct err e = { 0 };
		struct str groups = { 0 };
		if (user_resolve_text(g->passwd, g->group, g->spec, ids, &e) < 0)
			fail_msg("\"%s\": %s", g->spec, e.msg);
		for (size_t n = 0; n < ids->n_groups; n++)
			str_addf(&groups, "%s%u", n ? "," : "", ids->groups[n]);
		if (ids->uid != g->uid || ids->gid != g->gid || strcmp(str_text(&groups), g->groups) ||
		    strcmp(ids->home, g->home))
			fail_msg("\"%s\": %u:%u groups %s home %s", g->spec, ids->uid, ids->gid, str_text(&groups),
				 ids->home);
		str_fini(&groups);
	}
	free(ids);
}

static const struct {
	const char *spec, *passwd, *group, *says;
} bad[] = {
	{ "root", NULL, group, "unable to find user root: the image has no /etc/passwd" },
	{ "nosuch", passwd, group, "unable to find user nosuch: no matching entries in passwd file" },
	{ "app:nosuch", passwd, group, "unable to find group nosuch: no matching entries in group file" },
	{ "0:nosuch", passwd, NULL, "unable to find group nosuch: the image has no /etc/group" },
	{ "-1", passwd, group, "range" },
	{ "+1", passwd, group, "range" },
	{ "-1:0", passwd, group, "range" },
	{ "0:-1", passwd, group, "range" },
	{ "2147483648", passwd, group, "range" },
	{ "2147483648:0", NULL, NULL, "range" },
	{ "0:4294967295", NULL, NULL, "range" },
	{ "4294967295", passwd, group, "range" },
	{ "4294967296", passwd, group, "range" },
	{ "18446744073709551616", passwd, group, "range" },
	{ "18446744073709551616:0", NULL, NULL, "range" },
	{ "99999999999999999999999999999999999999", passwd, group, "range" },
	{ "0x10", passwd, group, "unable to find user 0x10" },
	{ " 1", passwd, group, "unable to find user  1" },
	{ "1 ", passwd, group, "unable to find user 1 " },
	{ "0 :0", passwd, group, "unable to find user 0 " },
	{ "1:2:3", passwd, group, "unable to find group 2:3" },
	{ "ro", passwd, group, "unable to find user ro" },
	{ "rootx", passwd, group, "unable to find user rootx" },
	{ "+nis", passwd, group, "unable to find user +nis" },
	{ "# a comment", passwd, group, "unable to find user" },
	{ "short", passwd, group, "user short: its line in /etc/passwd has no valid ids" },
	{ "big", passwd, group, "user big: its line in /etc/passwd has no valid ids" },
	{ "minus", passwd, group, "user minus: its line in /etc/passwd has no valid ids" },
	{ "badgid", passwd, group, "user badgid: its line in /etc/passwd has no valid ids" },
	{ "last", passwd, group, "group wrong: its line in /etc/group has no valid id" },
	{ "app:wrong", passwd, group, "group wrong: its line in /etc/group has no valid id" },
};

static void test_refusals(void **state)
{
	struct user_ids *ids = x_alloc(sizeof *ids);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };
		if (user_resolve_text(bad[i].passwd, bad[i].group, bad[i].spec, ids, &e) == 0)
			fail_msg("\"%s\" became %u:%u", bad[i].spec, ids->uid, ids->gid);
		if (e.kind != ERR_BUILD || !strstr(e.msg, bad[i].says))
			fail_msg("\"%s\": kind %d: %s", bad[i].spec, (int)e.kind, e.msg);
	}
	free(ids);
}

/* As many groups as struct user_ids holds, then one more. */
static void test_group_limit(void **state)
{
	struct user_ids *ids = x_alloc(sizeof *ids);
	struct err e = { 0 };
	struct str text = { 0 };
	for (unsigned i = 0; i < ARRAY_LEN(ids->groups); i++)
		str_addf(&text, "g%u:x:%u:nobody,app\n", i, 5000 + i);
	assert_int_equal(user_resolve_text(passwd, text.buf, "app", ids, &e), 0);
	assert_int_equal(ids->n_groups, ARRAY_LEN(ids->groups));
	str_add(&text, "more:x:6000:app\n");
	assert_int_equal(user_resolve_text(passwd, text.buf, "app", ids, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	str_fini(&text);
	free(ids);
}

static void test_long_words(void **state)
{
	struct user_ids *ids = x_alloc(sizeof *ids);
	struct err e = { 0 };
	char name[300], line[8192], home[5000];
	memset(name, 'u', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(user_resolve_text(passwd, group, name, ids, &e), -1);
	name[255] = '\0';
	snprintf(line, sizeof line, "%s:x:8:8::/h:\n", name);
	assert_int_equal(user_resolve_text(line, group, name, ids, &e), 0);
	assert_int_equal(ids->uid, 8);
	memset(home, 'h', sizeof home - 1);
	home[sizeof home - 1] = '\0';
	snprintf(line, sizeof line, "u:x:8:8::%s:\n", home);
	assert_int_equal(user_resolve_text(line, group, "u", ids, &e), 0);
	assert_string_equal(ids->home, "");
	free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_group_limit),
		cmocka_unit_test(test_long_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
