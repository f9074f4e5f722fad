/* Reading and removing trees: of any depth and mode, following no link. */
#include "unit.h"

#include <sys/resource.h>

#include "base/limits.h"

static void test_names_are_sorted(void **state)
{
	struct temp *t = *state;
	static const char *const sorted[] = { " ", "-x", ".hidden", "A", "a", "a b", "b\n", "\xc3\xa4", "\xff" };
	for (size_t i = ARRAY_LEN(sorted); i-- > 0;)
		make_file(t->fd, sorted[i], "");
	for (int flags = 0; flags < 2; flags++) {
		AUTO(strv_fini) struct strv names = { 0 };
		AUTO(fd_drop) int fd = open(t->path, (flags ? O_PATH : O_RDONLY) | O_DIRECTORY | O_CLOEXEC);
		struct err e;
		assert_int_equal(dir_names(fd, &names, &e), 0);
		assert_int_equal(names.n, ARRAY_LEN(sorted));
		for (size_t i = 0; i < names.n; i++)
			assert_string_equal(names.v[i], sorted[i]);
		assert_int_equal(dir_names(fd, &names, &e), 0); /* the offset is not used up */
		assert_int_equal(names.n, 2 * ARRAY_LEN(sorted));
	}
}

static void test_remove(void **state)
{
	struct temp *t = *state;
	assert_int_equal(tree_remove(t->fd, "missing"), 0);
	make_file(t->fd, "file", "x");
	assert_int_equal(tree_remove(t->fd, "file"), 0);
	assert_int_equal(mkdirat(t->fd, "keep", 0755), 0);
	make_file(t->fd, "keep/f", "x");
	assert_int_equal(symlinkat("keep", t->fd, "link"), 0);
	assert_int_equal(tree_remove(t->fd, "link"), 0);
	assert_int_equal(mkdirat(t->fd, "d", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "d/e", 0755), 0);
	assert_int_equal(symlinkat("../keep", t->fd, "d/link"), 0);
	assert_int_equal(symlinkat("../../keep/f", t->fd, "d/e/link"), 0);
	assert_int_equal(mkfifoat(t->fd, "d/fifo", 0644), 0);
	assert_int_equal(tree_remove(t->fd, "d"), 0);
	assert_int_equal(faccessat(t->fd, "d", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(t->fd, "keep/f", F_OK, 0), 0);
}

/* Runs in a child that has no power over permissions. */
static int remove_unreadable(struct temp *t)
{
	if (may_change_ids() && (fchown(t->fd, 65534, 65534) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
		return 1;
	static const char *const dirs[] = { "d", "d/none", "d/none/in", "d/noexec", "d/nowrite" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(t->fd, dirs[i], 0700) < 0)
			return 2;
	int fd = openat(t->fd, "d/nowrite/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0);
	if (fd < 0 || close(fd) < 0)
		return 3;
	if (fchmodat(t->fd, "d/none/in", 0, 0) < 0 || fchmodat(t->fd, "d/none", 0, 0) < 0 ||
	    fchmodat(t->fd, "d/noexec", 0600, 0) < 0 || fchmodat(t->fd, "d/nowrite", 0500, 0) < 0 ||
	    fchmodat(t->fd, "d", 0500, 0) < 0)
		return 4;
	return tree_remove(t->fd, "d") < 0 ? 5 : 0;
}

static int in_child(int (*fn)(struct temp *), struct temp *t)
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(t));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void test_odd_permissions(void **state)
{
	struct temp *t = *state;
	assert_int_equal(in_child(remove_unreadable, t), 0);
	assert_int_equal(faccessat(t->fd, "d", F_OK, 0), -1);
}

/* What belongs to somebody else stays, and the rest goes. */
static int remove_foreign(struct temp *t)
{
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	if (tree_remove(t->fd, "d") == 0)
		return 2;
	return errno == EACCES || errno == EPERM ? 0 : 3;
}

static void test_goes_on_after_a_failure(void **state)
{
	struct temp *t = *state;
	if (!may_change_ids())
		skip();
	assert_int_equal(mkdirat(t->fd, "d", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "d/m", 0755), 0);
	make_file(t->fd, "d/a", "");
	make_file(t->fd, "d/m/theirs", "");
	make_file(t->fd, "d/z", "");
	assert_int_equal(fchownat(t->fd, "d", 65534, 65534, 0), 0);
	assert_int_equal(fchmod(t->fd, 0755), 0);
	assert_int_equal(in_child(remove_foreign, t), 0);
	assert_int_equal(faccessat(t->fd, "d/m/theirs", F_OK, 0), 0);
	assert_int_equal(faccessat(t->fd, "d/a", F_OK, 0), -1);
	assert_int_equal(faccessat(t->fd, "d/z", F_OK, 0), -1);
}

/* A thousand levels with a file at each, with few descriptors. */
static void test_deep(void **state)
{
	struct temp *t = *state;
	struct rlimit limit, small;
	int fd = dup(t->fd);
	for (int i = 0; i < 1000; i++) {
		make_file(fd, "f", "");
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		assert_int_equal(mkdirat(fd, "e", 0755), 0);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
	size_t before = open_fds();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	small = limit;
	small.rlim_cur = 48;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	int r = tree_remove(t->fd, "d");
	int why = errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (r < 0)
		fail_msg("%s", strerror(why));
	assert_int_equal(faccessat(t->fd, "d", F_OK, 0), -1);
	assert_int_equal(open_fds(), before);
}

static int remove_it(struct temp *t)
{
	return tree_remove(t->fd, "d") < 0;
}

static void test_two_removers(void **state)
{
	struct temp *t = *state;
	for (int round = 0; round < 20; round++) {
		pid_t pids[3];
		assert_int_equal(mkdirat(t->fd, "d", 0755), 0);
		for (int i = 0; i < 30; i++) {
			char name[32];
			snprintf(name, sizeof name, "d/%d", i);
			assert_int_equal(mkdirat(t->fd, name, 0755), 0);
			snprintf(name, sizeof name, "d/%d/f", i);
			make_file(t->fd, name, "");
		}
		for (size_t i = 0; i < ARRAY_LEN(pids); i++)
			if ((pids[i] = fork()) == 0)
				_exit(remove_it(t));
		for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
			int status;
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		assert_int_equal(faccessat(t->fd, "d", F_OK, 0), -1);
	}
}

static void test_file_put(void **state)
{
	struct temp *t = *state;
	for (int sync = 0; sync < 2; sync++) {
		AUTO(str_fini) struct str got = { 0 };
		AUTO(strv_fini) struct strv names = { 0 };
		struct err e;
		struct stat st;
		assert_int_equal(file_put(t->fd, "f", "first", 5, sync, &e), 0);
		assert_int_equal(file_put(t->fd, "f", "a\0b", 3, sync, &e), 0);
		assert_int_equal(file_read(t->fd, "f", 100, &got, &e), 0);
		assert_int_equal(got.len, 3);
		assert_memory_equal(got.buf, "a\0b", 3);
		assert_int_equal(fstatat(t->fd, "f", &st, 0), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(dir_names(t->fd, &names, &e), 0);
		assert_int_equal(names.n, 1);
	}
	struct err e;
	assert_int_equal(mkdirat(t->fd, "dir", 0755), 0);
	assert_int_equal(file_put(t->fd, "dir", "x", 1, false, &e), -1);
	AUTO(strv_fini) struct strv names = { 0 };
	assert_int_equal(dir_names(t->fd, &names, &e), 0);
	assert_int_equal(names.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names_are_sorted),
		TEST(test_remove),
		TEST(test_odd_permissions),
		TEST(test_goes_on_after_a_failure),
		TEST(test_deep),
		TEST(test_two_removers),
		TEST(test_file_put),
	};
	return cmocka_run_group_tests_name("base/tree", tests, NULL, NULL);
}
