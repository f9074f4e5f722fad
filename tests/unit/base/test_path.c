/* Paths as text, and files reached inside a root. Runs twice: as it is, and with openat2 refused (tests/shim). */
#include "unit.h"

#include <limits.h>
#include <sys/resource.h>

#include "base/limits.h"
#include "base/path.h"

static const struct {
	const char *path, *clean, *rooted, *dir, *base;
	bool dotdot;
} texts[] = {
	{ "", ".", "/", ".", "", false },
	{ ".", ".", "/", ".", ".", false },
	{ "/", "/", "/", "/", "", false },
	{ "//", "/", "/", "/", "", false },
	{ "a", "a", "/a", ".", "a", false },
	{ "/a", "/a", "/a", "/", "a", false },
	{ "a/", "a", "/a", "a", "", false },
	{ "a//b", "a/b", "/a/b", "a/", "b", false },
	{ "a/./b", "a/b", "/a/b", "a/.", "b", false },
	{ "./a", "a", "/a", ".", "a", false },
	{ "..", "..", "/", ".", "..", true },
	{ "../a", "../a", "/a", "..", "a", true },
	{ "a/..", ".", "/", "a", "..", true },
	{ "a/../..", "..", "/", "a/..", "..", true },
	{ "a/../../b", "../b", "/b", "a/../..", "b", true },
	{ "../../a/../b", "../../b", "/b", "../../a/..", "b", true },
	{ "/..", "/", "/", "/", "..", true },
	{ "/../a", "/a", "/a", "/..", "a", true },
	{ "/a/b/../../..", "/", "/", "/a/b/../..", "..", true },
	{ "a..b/..c/d..", "a..b/..c/d..", "/a..b/..c/d..", "a..b/..c", "d..", false },
	{ "...", "...", "/...", ".", "...", false },
	{ " a / b ", " a / b ", "/ a / b ", " a ", " b ", false },
};

static void test_text(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(free_drop) char *clean = path_clean(texts[i].path);
		AUTO(free_drop) char *rooted = path_rooted(texts[i].path);
		AUTO(free_drop) char *dir = path_dir(texts[i].path);
		assert_string_equal(clean, texts[i].clean);
		assert_string_equal(rooted, texts[i].rooted);
		assert_string_equal(dir, texts[i].dir);
		assert_string_equal(path_base(texts[i].path), texts[i].base);
		assert_int_equal(path_has_dotdot(texts[i].path), texts[i].dotdot);
	}
}

static void test_join(void **state)
{
	static const struct {
		const char *a, *b, *joined;
	} joins[] = {
		{ "/a", "b", "/a/b" }, { "/a", "/b", "/a/b" }, { "/a", "../b", "/b" }, { "a", "..", "." },
		{ "", "b", "b" },      { "/", "b", "/b" },     { "a", "", "a" },       { "", "", "." },
		{ "/a", ".", "/a" },   { "", "/b", "/b" },
	};
	for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
		AUTO(free_drop) char *joined = path_join(joins[i].a, joins[i].b);
		assert_string_equal(joined, joins[i].joined);
	}
}

/* A root with links of every kind; beside it, "out" with a file that nothing may reach. */
static int world_setup(void **state)
{
	static const char *const links[][2] = {
		{ "/a", "root/abs" },
		{ "a/b", "root/rel" },
		{ "../../../out", "root/leave" },
		{ "../../out", "root/a/leave" },
		{ "loop", "root/loop" },
		{ "pong", "root/ping" },
		{ "ping", "root/pong" },
		{ "nowhere", "root/dangling" },
		{ "a/b/f", "root/file" },
		{ "/etc/passwd", "root/pw" },
		{ "/proc/self/root", "root/prc" },
		{ "..", "root/a/up" },
		{ "a/", "root/slash" },
		{ ".", "root/dot" },
		{ "/a/b", "root/a/b/top" },
	};
	temp_setup(state);
	struct temp *t = *state;
	assert_int_equal(mkdirat(t->fd, "root", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "root/a", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "root/a/b", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "out", 0755), 0);
	make_file(t->fd, "root/a/b/f", "inside");
	make_file(t->fd, "out/secret", "outside");
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		assert_int_equal(symlinkat(links[i][0], t->fd, links[i][1]), 0);
	return 0;
}

static int open_root(struct temp *t)
{
	int fd = openat(t->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/*
 * Where a path leads, as the path of the same file without links below the test's directory; or why it leads nowhere.
 */
static const struct {
	const char *path;
	int flags;
	const char *same;
	int why;
} opens[] = {
	{ "", O_PATH, "root", 0 },
	{ ".", O_PATH, "root", 0 },
	{ "/", O_PATH, "root", 0 },
	{ "..", O_PATH, "root", 0 },
	{ "../../..", O_PATH, "root", 0 },
	{ "a/b/f", O_RDONLY, "root/a/b/f", 0 },
	{ "/a//b/./f", O_RDONLY, "root/a/b/f", 0 },
	{ "a/../a/b/../b/f", O_RDONLY, "root/a/b/f", 0 },
	{ "../../a/b/f", O_RDONLY, "root/a/b/f", 0 },
	{ "a/b/../..", O_PATH, "root", 0 },
	{ "a/b/../../..", O_PATH, "root", 0 },
	{ "abs/b/f", O_RDONLY, "root/a/b/f", 0 },
	{ "rel/f", O_RDONLY, "root/a/b/f", 0 },
	{ "rel/..", O_PATH, "root/a", 0 },
	{ "a/up/a/up/rel/f", O_RDONLY, "root/a/b/f", 0 },
	{ "slash/b/f", O_RDONLY, "root/a/b/f", 0 },
	{ "dot/dot/dot/a", O_PATH, "root/a", 0 },
	{ "a/b/top/f", O_RDONLY, "root/a/b/f", 0 },
	{ "a/b/top/../..", O_PATH, "root", 0 },
	{ "file", O_RDONLY, "root/a/b/f", 0 },
	{ "file", O_PATH | O_NOFOLLOW, "root/file", 0 },
	{ "file", O_RDONLY | O_NOFOLLOW, NULL, ELOOP },
	{ "abs", O_PATH | O_NOFOLLOW, "root/abs", 0 },
	{ "abs/", O_PATH | O_NOFOLLOW, "root/a", 0 },
	{ "a/b/f/", O_RDONLY, NULL, ENOTDIR },
	{ "a/b/f/..", O_PATH, NULL, ENOTDIR },
	{ "a/b/f/x", O_RDONLY, NULL, ENOTDIR },
	{ "file/", O_RDONLY, NULL, ENOTDIR },
	{ "a/b/f", O_RDONLY | O_DIRECTORY, NULL, ENOTDIR },
	{ "x", O_RDONLY, NULL, ENOENT },
	{ "x/..", O_PATH, NULL, ENOENT },
	{ "dangling", O_RDONLY, NULL, ENOENT },
	{ "loop", O_RDONLY, NULL, ELOOP },
	{ "ping/x", O_RDONLY, NULL, ELOOP },
	{ "leave", O_PATH, NULL, ENOENT },
	{ "leave/secret", O_RDONLY, NULL, ENOENT },
	{ "a/leave/secret", O_RDONLY, NULL, ENOENT },
	{ "pw", O_RDONLY, NULL, ENOENT },
	{ "prc/etc/passwd", O_RDONLY, NULL, ENOENT },
	{ "../out/secret", O_RDONLY, NULL, ENOENT },
	{ "a", O_WRONLY, NULL, EISDIR },
};

static void test_opens(void **state)
{
	struct temp *t = *state;
	AUTO(fd_drop) int root = open_root(t);
	for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
		AUTO(fd_drop) int fd = root_open(root, opens[i].path, opens[i].flags, 0);
		struct stat got, want;
		if (!opens[i].same) {
			if (fd >= 0 || errno != opens[i].why)
				fail_msg("%s: %s", opens[i].path, fd >= 0 ? "opened" : strerror(errno));
			continue;
		}
		if (fd < 0)
			fail_msg("%s: %s", opens[i].path, strerror(errno));
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fstat(fd, &got), 0);
		assert_int_equal(fstatat(t->fd, opens[i].same, &want, AT_SYMLINK_NOFOLLOW), 0);
		if (got.st_ino != want.st_ino)
			fail_msg("%s does not lead to %s", opens[i].path, opens[i].same);
	}
}

static const struct {
	const char *path;
	int flags;
	const char *made;
	int why;
} creations[] = {
	{ "new", O_CREAT | O_EXCL, "root/new", 0 },    { "/a/b/new", O_CREAT, "root/a/b/new", 0 },
	{ "abs/b/new2", O_CREAT, "root/a/b/new2", 0 }, { "dangling", O_CREAT | O_EXCL, NULL, EEXIST },
	{ "dangling", O_CREAT, "root/nowhere", 0 },    { "file", O_CREAT | O_EXCL, NULL, EEXIST },
	{ "leave", O_CREAT, "root/out", 0 },           { "a/leave/x", O_CREAT, NULL, ENOTDIR },
	{ "newdir/", O_CREAT, NULL, EISDIR },          { "x/y", O_CREAT, NULL, ENOENT },
};

static void test_creations(void **state)
{
	struct temp *t = *state;
	AUTO(fd_drop) int root = open_root(t);
	for (size_t i = 0; i < ARRAY_LEN(creations); i++) {
		AUTO(fd_drop) int fd = root_open(root, creations[i].path, O_WRONLY | creations[i].flags, 0640);
		if (!creations[i].made) {
			if (fd >= 0 || errno != creations[i].why)
				fail_msg("%s: %s", creations[i].path, fd >= 0 ? "made" : strerror(errno));
			continue;
		}
		if (fd < 0)
			fail_msg("%s: %s", creations[i].path, strerror(errno));
		struct stat st;
		assert_int_equal(fstatat(t->fd, creations[i].made, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISREG(st.st_mode));
	}
	assert_int_equal(faccessat(t->fd, "out/x", F_OK, 0), -1);
}

static void test_parents(void **state)
{
	struct temp *t = *state;
	AUTO(fd_drop) int root = open_root(t);
	static const struct {
		const char *path, *dir, *name;
	} good[] = {
		{ "x", "root", "x" },       { "/x", "root", "x" },      { "a/b/x", "root/a/b", "x" },
		{ "abs/x", "root/a", "x" }, { "../../x", "root", "x" }, { "a/loop", "root/a", "loop" },
		{ "loop", "root", "loop" },
	};
	static const char *const bad[] = { "", "/", ".", "..", "a/", "a/.", "a/..", "x/y", "a/b/f/x", "loop/x" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *name = NULL;
		struct stat got, want;
		AUTO(fd_drop) int fd = root_open_parent(root, good[i].path, &name);
		assert_true(fd >= 0);
		assert_string_equal(name, good[i].name);
		assert_int_equal(fstat(fd, &got), 0);
		assert_int_equal(fstatat(t->fd, good[i].dir, &want, 0), 0);
		assert_int_equal(got.st_ino, want.st_ino);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *name;
		assert_int_equal(root_open_parent(root, bad[i], &name), -1);
	}
}

static void test_mkdirs(void **state)
{
	struct temp *t = *state;
	AUTO(fd_drop) int root = open_root(t);
	static const struct {
		const char *path, *made;
		int why;
	} dirs[] = {
		{ "a/b", "root/a/b", 0 },       { "m/n/o", "root/m/n/o", 0 }, { "abs/new/deep", "root/a/new/deep", 0 },
		{ "../../top", "root/top", 0 }, { "/", "root", 0 },           { "a/b/f", NULL, ENOTDIR },
		{ "a/b/f/x", NULL, ENOTDIR },   { "loop/x", NULL, ELOOP },    { "dangling/x", NULL, ENOENT },
	};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		int r = root_mkdirs(root, dirs[i].path, 0750);
		struct stat st;
		if (!dirs[i].made) {
			assert_int_equal(r, -1);
			assert_int_equal(errno, dirs[i].why);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(fstatat(t->fd, dirs[i].made, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISDIR(st.st_mode));
	}
	assert_int_equal(root_stat(root, "m/n/o/..", &(struct stat){ 0 }), 0);
}

/* 40 links are followed, 41 are not. */
static void test_link_limit(void **state)
{
	struct temp *t = *state;
	AUTO(fd_drop) int root = open_root(t);
	char name[16], target[16];
	make_file(t->fd, "root/l0", "");
	for (unsigned i = 1; i <= LIMIT_SYMLINKS + 1; i++) {
		snprintf(name, sizeof name, "root/l%u", i);
		snprintf(target, sizeof target, "l%u", i - 1);
		assert_int_equal(symlinkat(target, t->fd, name), 0);
	}
	for (unsigned i = LIMIT_SYMLINKS - 1; i <= LIMIT_SYMLINKS + 1; i++) {
		snprintf(name, sizeof name, "l%u", i);
		AUTO(fd_drop) int fd = root_open(root, name, O_RDONLY, 0);
		assert_int_equal(fd >= 0, i <= LIMIT_SYMLINKS);
	}
}

/* Deeper than there are descriptors, longer than PATH_MAX, up and down again. */
static void test_deep(void **state)
{
	struct temp *t = *state;
	AUTO(fd_drop) int root = open_root(t);
	AUTO(str_fini) struct str path = { 0 };
	struct rlimit limit, small = { .rlim_cur = 32, .rlim_max = 0 };
	char name[61];
	memset(name, 'n', 60);
	name[60] = '\0';
	int fd = dup(root);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		int next = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
		str_addf(&path, "%s/", name);
	}
	close(fd);
	assert_true(path.len > PATH_MAX);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	small.rlim_max = limit.rlim_max;
	size_t before = open_fds();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	str_add(&path, "../x");
	AUTO(fd_drop) int made = root_open(root, path.buf, O_WRONLY | O_CREAT | O_EXCL, 0644);
	int why = errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (made < 0)
		fail_msg("%s", strerror(why));
	assert_int_equal(open_fds(), before + 1);
	path.len -= strlen("../x");
	for (int i = 0; i < 100; i++)
		str_add(&path, "../");
	AUTO(fd_drop) int top = root_open(root, path.buf, O_PATH, 0);
	struct stat a, b;
	assert_int_equal(fstat(top, &a), 0);
	assert_int_equal(fstat(root, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
}

static void test_long_names(void **state)
{
	struct temp *t = *state;
	AUTO(fd_drop) int root = open_root(t);
	char name[LIMIT_NAME + 2];
	for (size_t n = LIMIT_NAME - 1; n <= LIMIT_NAME + 1; n++) {
		memset(name, 'n', n);
		name[n] = '\0';
		AUTO(fd_drop) int fd = root_open(root, name, O_WRONLY | O_CREAT, 0644);
		assert_int_equal(fd >= 0, n <= LIMIT_NAME);
	}
	assert_int_equal(errno, ENAMETOOLONG);
}

#define WORLD(name) cmocka_unit_test_setup_teardown(name, world_setup, temp_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text), cmocka_unit_test(test_join), WORLD(test_opens),      WORLD(test_creations),
		WORLD(test_parents),         WORLD(test_mkdirs),          WORLD(test_link_limit), WORLD(test_deep),
		WORLD(test_long_names),
	};
	return cmocka_run_group_tests_name("base/path", tests, NULL, NULL);
}
