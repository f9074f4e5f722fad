/* Opening paths inside a root and making what is missing: links inside, to nothing, and that want out (T-C7). */
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
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tree.h"
#include "src/sandbox/mkpath_priv.h"

/* top/canary and top/root; only the latter is the root. */
struct place {
	char path[64];
	int top_fd, root_fd;
	struct str made;
};

static int set_up(void **state)
{
	struct place *p = x_alloc(sizeof *p);
	strcpy(p->path, "/tmp/nacre-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->top_fd = open(p->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(p->top_fd, "root", 0755), 0);
	assert_int_equal(mkdirat(p->top_fd, "canary", 0755), 0);
	p->root_fd = openat(p->top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	tree_remove(AT_FDCWD, p->path);
	close(p->root_fd);
	close(p->top_fd);
	str_fini(&p->made);
	free(p);
	return 0;
}

static int make(void *ctx, int parent_fd, const char *name, bool directory, struct err *e)
{
	struct place *p = ctx;
	str_addf(&p->made, "%s%s%s", p->made.len ? " " : "", name, directory ? "/" : "");
	if (directory)
		return mkdirat(parent_fd, name, 0755) < 0 ? err_sys(e, "mkdir %s", name) : 0;
	AUTO(fd_drop) int fd = openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? err_sys(e, "create %s", name) : 0;
}

static const struct {
	const char *link, *to, *path;
	bool directory;
	const char *made, *lands;
} cases[] = {
	{ NULL, NULL, "/", true, "", "." },
	{ NULL, NULL, "/a/b/c", true, "a/ b/ c/", "a/b/c" },
	{ NULL, NULL, "/a/b/c", false, "a/ b/ c", "a/b/c" },
	{ NULL, NULL, "//a///b/", true, "a/ b/", "a/b" },
	{ "l", "/real", "/l/x", true, "real/ x/", "real/x" },
	{ "l", "real/deep", "/l/x", false, "real/ deep/ x", "real/deep/x" },
	{ "l", "../../../../canary", "/l/x", false, "canary/ x", "canary/x" },
	{ "l", "/canary", "/l", true, "canary/", "canary" },
	{ "l", "../../canary/f", "/l", false, "canary/ f", "canary/f" },
	{ "l", "/proc/1/root/canary", "/l/x", true, "proc/ 1/ root/ canary/ x/", "proc/1/root/canary/x" },
	{ "l", "a//b/./c", "/l", false, "a/ b/ c", "a/b/c" },
};

static void test_places(void **state)
{
	struct place *p = *state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct stat got, wanted;
		AUTO(fd_drop) int fd = -1;
		str_clear(&p->made);
		if (cases[i].link)
			assert_int_equal(symlinkat(cases[i].to, p->root_fd, cases[i].link), 0);
		if (mkpath_open(p->root_fd, cases[i].path, cases[i].directory, make, p, &fd, &e) < 0)
			fail_msg("case %zu: %s", i, e.msg);
		assert_string_equal(str_text(&p->made), cases[i].made);
		assert_int_equal(fstatat(p->root_fd, cases[i].lands, &wanted, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(fstat(fd, &got), 0);
		assert_int_equal(got.st_ino, wanted.st_ino);
		/* And again: now it is there. */
		AUTO(fd_drop) int again = -1;
		str_clear(&p->made);
		assert_int_equal(mkpath_open(p->root_fd, cases[i].path, cases[i].directory, make, p, &again, &e), 0);
		assert_int_equal(p->made.len, 0);
		static const char *const left[] = { "a", "l", "real", "canary", "proc" };
		for (size_t k = 0; k < ARRAY_LEN(left); k++)
			assert_int_equal(tree_remove(p->root_fd, left[k]), 0);
	}
	/* Nothing came into what is outside. */
	AUTO(fd_drop) int canary = openat(p->top_fd, "canary", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(strv_fini) struct strv names = { 0 };
	struct err e = { 0 };
	assert_int_equal(dir_names(canary, &names, &e), 0);
	assert_int_equal(names.n, 0);
}

static void refuse(struct place *p, const char *path, bool directory)
{
	struct err e = { 0 };
	AUTO(fd_drop) int fd = -1;
	if (mkpath_open(p->root_fd, path, directory, make, p, &fd, &e) == 0)
		fail_msg("%s was opened", path);
	assert_int_not_equal(e.kind, ERR_NONE);
}

static void test_refusals(void **state)
{
	struct place *p = *state;
	struct err e = { 0 };
	assert_int_equal(make(p, p->root_fd, "file", false, &e), 0);
	refuse(p, "/file/x", true);
	refuse(p, "/file", true);
	/* Circles, which exist as links and never as files. */
	assert_int_equal(symlinkat("self", p->root_fd, "self"), 0);
	refuse(p, "/self", true);
	refuse(p, "/self/x", false);
	/* A link to nothing that leads to a link to nothing, without end. */
	assert_int_equal(symlinkat("missing/../b", p->root_fd, "b"), 0);
	refuse(p, "/b", true);
	/* Grows at each turn. */
	assert_int_equal(symlinkat("g/g", p->root_fd, "g"), 0);
	refuse(p, "/g", true);
	char *deep = x_alloc(9000);
	for (size_t i = 0; i + 2 < 8998; i += 2)
		memcpy(deep + i, "/d", 2);
	refuse(p, deep, true);
	free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
