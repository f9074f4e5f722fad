/* Opening: where, as what, and what is refused (THREATS A10, section 4 rows 20 and 24). */
#include "temp_store.h"

#include "base/fd.h"

static void assert_private(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_private_whatever_the_umask(void **state)
{
	struct temp *t = *state;
	static const mode_t masks[] = { 000, 022, 077, 0777 };
	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		AUTO(free_drop) char *path = x_asprintf("%s/mask%zu", t->dir, i);
		AUTO(free_drop) char *blobs = x_asprintf("%s/blobs/sha256", path);
		struct store s;
		struct err e;
		mode_t old = umask(masks[i]);
		int r = store_open(path, &s, &e);
		umask(old);
		if (r < 0)
			fail_msg("umask %o: %s", masks[i], e.msg);
		assert_private(path);
		assert_private(blobs);
		store_fini(&s);
	}
	/* One that was opened up, by cp -r for example, is closed again. */
	struct store s;
	struct err e;
	assert_int_equal(chmod(t->path, 0755), 0);
	assert_int_equal(store_open(t->path, &s, &e), 0);
	assert_private(t->path);
	store_fini(&s);
}

static void test_is_a_layout(void **state)
{
	struct temp *t = *state;
	AUTO(str_fini) struct str layout = { 0 }, index = { 0 };
	struct err e;
	assert_int_equal(file_read(t->s.fd, "oci-layout", 1000, &layout, &e), 0);
	assert_string_equal(layout.buf, "{\"imageLayoutVersion\":\"1.0.0\"}");
	assert_int_equal(file_read(t->s.fd, "index.json", 1000, &index, &e), 0);
	assert_non_null(strstr(index.buf, "\"manifests\":[]"));
}

/* A directory that holds this one file, with those bytes. */
static const struct {
	const char *file, *bytes;
	const char *word; /* in the message; NULL: a store is made */
} places[] = {
	{ NULL, NULL, NULL },
	{ "notes.txt", "mine", "notes.txt" },
	{ "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", "oci-layout" },
	{ "version", "nacre-store 2\n", "nacre-store 2" },
	{ "version", "", "version" },
	{ "version", "something else entirely, and long enough to be no version of ours at all\n", "version" },
};

static void test_other_directories(void **state)
{
	struct temp *t = *state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		AUTO(free_drop) char *path = x_asprintf("%s/place%zu", t->dir, i);
		struct store s;
		struct err e;
		assert_int_equal(mkdir(path, 0755), 0);
		AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (places[i].file)
			assert_int_equal(
				file_put(dir, places[i].file, places[i].bytes, strlen(places[i].bytes), false, &e), 0);
		int r = store_open(path, &s, &e);
		if (!places[i].word) {
			assert_int_equal(r, 0);
			store_fini(&s);
			continue;
		}
		AUTO(strv_fini) struct strv names = { 0 };
		struct stat st;
		assert_int_equal(r, -1);
		assert_int_equal(e.kind == ERR_SPEC || e.kind == ERR_LIMIT, true);
		assert_non_null(strstr(e.msg, places[i].word));
		assert_int_equal(dir_names(dir, &names, &e), 0);
		assert_int_equal(names.n, 1); /* nothing was added, nor changed */
		assert_int_equal(fstat(dir, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0755);
	}
}

/* Killed at any point of the first opening: the next one goes on. */
static void test_half_made(void **state)
{
	struct temp *t = *state;
	static const char *const steps[][3] = {
		{ "lock" },
		{ "lock", "tmp" },
		{ "lock", "tmp", "blobs" },
		{ "lock", "tmp", "sync" },
	};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		AUTO(free_drop) char *path = x_asprintf("%s/half%zu", t->dir, i);
		struct store s;
		struct err e;
		assert_int_equal(mkdir(path, 0700), 0);
		AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (size_t k = 0; k < 3 && steps[i][k]; k++)
			assert_int_equal(mkdirat(dir, steps[i][k], 0700), 0);
		if (i == 2)
			assert_int_equal(file_put(dir, "oci-layout.new", "{", 1, false, &e), 0);
		if (store_open(path, &s, &e) < 0)
			fail_msg("%s", e.msg);
		store_fini(&s);
	}
}

static void test_somebody_elses(void **state)
{
	struct temp *t = *state;
	struct store s;
	struct err e;
	if (!may_change_ids())
		skip();
	assert_int_equal(chown(t->path, 12345, 12345), 0);
	assert_int_equal(store_open(t->path, &s, &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
	assert_non_null(strstr(e.msg, "12345"));
	assert_int_equal(chown(t->path, 0, 0), 0);
}

static void test_through_a_link(void **state)
{
	struct temp *t = *state;
	AUTO(free_drop) char *link = x_asprintf("%s/link", t->dir);
	struct store s;
	struct err e;
	assert_int_equal(symlink("store", link), 0);
	if (store_open(link, &s, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(s.path, link);
	store_fini(&s);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("/dev/null", link), 0);
	assert_int_equal(store_open(link, &s, &e), -1);
}

/* The environment, and the store that comes of it below the test's directory; NULL: an error that names all places. */
static const struct {
	const char *store, *data, *home;
	const char *found;
} defaults[] = {
	{ "env", "data", "home", "env" },
	{ "", "data", "home", "data/nacre" },
	{ NULL, NULL, "home", "home/.local/share/nacre" },
	{ NULL, "file", "home", "home/.local/share/nacre" },
	{ "file/below", "data", "home", NULL },
};

static void set_or_unset(const char *name, const char *dir, const char *value)
{
	AUTO(free_drop) char *path = x_asprintf("%s/%s", dir, value ? value : "");
	if (value)
		setenv(name, *value ? path : "", 1);
	else
		unsetenv(name);
}

static void test_default_places(void **state)
{
	struct temp *t = *state;
	AUTO(free_drop) char *file = x_asprintf("%s/file", t->dir);
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		struct store s;
		struct err e;
		set_or_unset("NACRE_STORE", t->dir, defaults[i].store);
		set_or_unset("XDG_DATA_HOME", t->dir, defaults[i].data);
		set_or_unset("HOME", t->dir, defaults[i].home);
		int r = store_open(NULL, &s, &e);
		if (!defaults[i].found) {
			assert_int_equal(r, -1);
			assert_int_equal(e.kind, ERR_SYS);
			continue;
		}
		if (r < 0)
			fail_msg("%zu: %s", i, e.msg);
		AUTO(free_drop) char *want = x_asprintf("%s/%s", t->dir, defaults[i].found);
		assert_string_equal(s.path, want);
		assert_private(want);
		store_fini(&s);
	}
	unsetenv("NACRE_STORE");
}

/* A default place that holds a store of another version is the user's to decide about, not to be passed over. */
static void test_default_of_another_version(void **state)
{
	struct temp *t = *state;
	struct store s;
	struct err e;
	set_or_unset("XDG_DATA_HOME", t->dir, "d");
	set_or_unset("HOME", t->dir, "h");
	assert_int_equal(store_open(NULL, &s, &e), 0);
	assert_int_equal(file_put(s.fd, "version", "nacre-store 9\n", 14, false, &e), 0);
	store_fini(&s);
	assert_int_equal(store_open(NULL, &s, &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
}

static int open_it(struct temp *t)
{
	struct store s;
	struct err e;
	AUTO(free_drop) char *path = x_asprintf("%s/fresh", t->dir);
	if (store_open(path, &s, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	return 0;
}

static void test_first_opening_races(void **state)
{
	struct temp *t = *state;
	AUTO(free_drop) char *path = x_asprintf("%s/fresh", t->dir);
	for (int round = 0; round < 10; round++) {
		pid_t pids[4];
		for (size_t i = 0; i < ARRAY_LEN(pids); i++)
			if ((pids[i] = fork()) == 0)
				_exit(open_it(t));
		for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
			int status;
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		assert_int_equal(tree_remove(AT_FDCWD, path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_private_whatever_the_umask),
		TEST(test_is_a_layout),
		TEST(test_other_directories),
		TEST(test_half_made),
		TEST(test_somebody_elses),
		TEST(test_through_a_link),
		TEST(test_default_places),
		TEST(test_default_of_another_version),
		TEST(test_first_opening_races),
	};
	return cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
}
