/* The passwd and group files of a root: links, sizes and kinds of files (T-A9, T-D3). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/tree.h"
#include "sandbox/user.h"

struct root {
	char path[64];
	int fd;
	struct user_ids ids;
	struct err e;
};

static int set_up(void **state)
{
	struct root *r = x_alloc(sizeof *r);
	strcpy(r->path, "/tmp/nacre-test-XXXXXX");
	assert_non_null(mkdtemp(r->path));
	r->fd = open(r->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(r->fd >= 0);
	assert_int_equal(mkdirat(r->fd, "etc", 0755), 0);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct root *r = *state;
	tree_remove(AT_FDCWD, r->path);
	close(r->fd);
	free(r);
	return 0;
}

static void put(const struct root *r, const char *path, const char *text)
{
	AUTO(fd_drop) int fd = openat(r->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static int ask(struct root *r, const char *spec)
{
	r->e = (struct err){ 0 };
	return user_resolve(r->fd, spec, &r->ids, &r->e);
}

static void test_plain_files(void **state)
{
	struct root *r = *state;
	put(r, "etc/passwd", "app:x:5:6::/home/app:\n");
	put(r, "etc/group", "g:x:7:app\n");
	assert_int_equal(ask(r, "app"), 0);
	assert_int_equal(r->ids.uid, 5);
	assert_int_equal(r->ids.gid, 6);
	assert_int_equal(r->ids.n_groups, 1);
	assert_int_equal(r->ids.groups[0], 7);
	assert_string_equal(r->ids.home, "/home/app");
}

/* As images made with Nix have it: an absolute link, which means the image's root and not ours. */
static void test_absolute_link(void **state)
{
	struct root *r = *state;
	assert_int_equal(mkdirat(r->fd, "nix", 0755), 0);
	put(r, "nix/passwd", "app:x:5:6::/:\n");
	assert_int_equal(symlinkat("/nix/passwd", r->fd, "etc/passwd"), 0);
	assert_int_equal(ask(r, "app"), 0);
	assert_int_equal(r->ids.uid, 5);
}

static void test_link_out(void **state)
{
	struct root *r = *state;
	assert_int_equal(symlinkat("../../../../../../etc/passwd", r->fd, "etc/passwd"), 0);
	assert_int_equal(ask(r, "root"), -1);
	assert_int_equal(r->e.kind, ERR_SYS); /* a link to itself inside the root */
}

static void test_magic_link(void **state)
{
	struct root *r = *state;
	assert_int_equal(symlinkat("/proc/self/environ", r->fd, "etc/passwd"), 0);
	assert_int_equal(ask(r, "root"), -1);
	assert_int_equal(ask(r, "0:0"), 0);
}

static void test_missing(void **state)
{
	struct root *r = *state;
	assert_int_equal(ask(r, "root"), -1);
	assert_int_equal(r->e.kind, ERR_BUILD);
	assert_int_equal(ask(r, ""), 0);
	assert_int_equal(ask(r, "0:0"), 0);
	assert_int_equal(ask(r, "root:root"), 0);
	assert_int_equal(ask(r, "12"), 0);
	assert_int_equal(r->ids.uid, 12);
}

/* A FIFO must not block, a directory not be read; "uid:gid" and the default user need neither file. */
static void test_other_kinds(void **state)
{
	struct root *r = *state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(i ? mkdirat(r->fd, "etc/passwd", 0755) : mkfifoat(r->fd, "etc/passwd", 0644), 0);
		assert_int_equal(ask(r, "app"), -1);
		assert_non_null(strstr(r->e.msg, "/etc/passwd of the image is not a regular file"));
		assert_int_equal(ask(r, "12"), -1);
		assert_int_equal(ask(r, "12:13"), 0);
		assert_int_equal(ask(r, ""), 0);
		assert_int_equal(r->ids.uid, 0);
		assert_int_equal(tree_remove(r->fd, "etc/passwd"), 0);
	}
}

static void test_size_limit(void **state)
{
	struct root *r = *state;
	static const char line[] = "app:x:5:6::/home/app:\n";
	put(r, "etc/passwd", line);
	AUTO(fd_drop) int fd = openat(r->fd, "etc/passwd", O_WRONLY | O_CLOEXEC);
	AUTO(free_drop) char *blank = x_alloc(LIMIT_PASSWD);
	memset(blank, '\n', LIMIT_PASSWD);
	assert_true(pwrite(fd, blank, LIMIT_PASSWD - strlen(line), (off_t)strlen(line)) > 0);
	assert_int_equal(ask(r, "app"), 0);
	assert_int_equal(ftruncate(fd, (off_t)LIMIT_PASSWD + 1), 0);
	assert_int_equal(ask(r, "app"), -1);
	assert_int_equal(r->e.kind, ERR_LIMIT);
	assert_int_equal(ask(r, "5:6"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_absolute_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_link_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_magic_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_size_limit, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
