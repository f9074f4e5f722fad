/* argv[0] to a file, in the words runc uses. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/tree.h"
#include "src/sandbox/lookup_priv.h"

static char top[64];

static void put(const char *name, mode_t mode)
{
	AUTO(free_drop) char *path = x_asprintf("%s/%s", top, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int set_up(void **state)
{
	strcpy(top, "/tmp/nacre-test-XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(chdir(top), 0);
	assert_int_equal(mkdir("a", 0755) | mkdir("b", 0755) | mkdir("a/tool", 0755), 0);
	put("a/plain", 0644);
	put("b/plain", 0755);
	put("b/tool", 0755);
	put("here", 0755);
	return 0;
}

static int tear_down(void **state)
{
	assert_int_equal(chdir("/"), 0);
	return tree_remove(AT_FDCWD, top);
}

static void found(const char *name, const char *path, const char *wanted)
{
	struct err e = { 0 };
	AUTO(free_drop) char *got = NULL;
	AUTO(free_drop) char *full = x_asprintf("%s%s", *wanted == '/' ? top : "", wanted);
	if (command_lookup(name, path, &got, &e) < 0)
		fail_msg("%s: %s", name, e.msg);
	assert_string_equal(got, full);
}

static void refused(const char *name, const char *path, int status, const char *says)
{
	struct err e = { 0 };
	char *got = NULL;
	assert_int_equal(command_lookup(name, path, &got, &e), -1);
	assert_int_equal(e.kind, ERR_BUILD);
	assert_int_equal(WEXITSTATUS(e.status), status);
	assert_string_equal(e.msg, says);
}

static void test_path(void **state)
{
	AUTO(free_drop) char *path = x_asprintf("%s/none:%s/a:%s/b", top, top, top);
	/* Passed over: what is not executable, directories, and directories that are not there. */
	found("plain", path, "/b/plain");
	found("tool", path, "/b/tool");
	refused("nope", path, 127, "exec: \"nope\": executable file not found in $PATH");
	refused("", path, 127, "exec: \"\": executable file not found in $PATH");
	refused("plain", "", 127, "exec: \"plain\": executable file not found in $PATH");
	refused("plain", NULL, 127, "exec: \"plain\": executable file not found in $PATH");
	/* The working directory is not searched, however PATH puts it. */
	refused("here", ":.::", 127, "exec: \"here\": executable file not found in $PATH");
	refused("plain", "b", 127, "exec: \"plain\": executable file not found in $PATH");
}

static void test_with_slash(void **state)
{
	found("./here", NULL, "./here");
	found("b/tool", NULL, "b/tool");
	refused("/no/such", NULL, 127, "exec: \"/no/such\": stat /no/such: no such file or directory");
	refused("./a", NULL, 126, "exec: \"./a\": is a directory");
	refused("a/plain", NULL, 126, "exec: \"a/plain\": permission denied");
	refused("a/plain/x", NULL, 127, "exec: \"a/plain/x\": stat a/plain/x: not a directory");
}

static void test_refused_by_exec(void **state)
{
	struct err e = { 0 };
	command_refused(&e, "/x", "", ENOEXEC);
	assert_string_equal(e.msg, "exec: \"/x\": exec format error");
	assert_int_equal(WEXITSTATUS(e.status), 126);
	command_refused(&e, "/x", "", ENOENT); /* the interpreter is missing */
	assert_int_equal(WEXITSTATUS(e.status), 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_with_slash),
		cmocka_unit_test(test_refused_by_exec),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
