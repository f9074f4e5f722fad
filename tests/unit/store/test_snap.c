/* Snapshots: complete or absent, through crashes and power cuts. */
#include "temp_store.h"

#include "base/fd.h"
#include "base/json.h"
#include "store/record.h"
#include "store/snap.h"

static const struct chainid chain = { .d = { .b = { 1, 2, 3 } } };

/* A holder with a tree in it that holds a file of that name. */
static void make_holder(struct temp *t, char id[33], int *ret_fd, const char *file)
{
	struct err e;
	AUTO(free_drop) char *path = x_asprintf("tree/%s", file);
	if (store_tmp_new(&t->s, id, ret_fd, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(mkdirat(*ret_fd, "tree", 0755), 0);
	int fd = openat(*ret_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
}

static void publish(struct temp *t, const char *file)
{
	AUTO(fd_drop) int holder = -1;
	AUTO(fd_drop) int tmp = openat(t->s.fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char id[33];
	struct err e;
	make_holder(t, id, &holder, file);
	if (snap_publish(&t->s, &chain, tmp, id, &e) < 0)
		fail_msg("%s", e.msg);
}

static bool holds(struct temp *t, const char *file)
{
	AUTO(fd_drop) int fd = -1;
	struct err e;
	if (snap_open(&t->s, &chain, &fd, &e) < 0) {
		assert_int_equal(e.kind, ERR_NOTFOUND);
		return false;
	}
	return faccessat(fd, file, F_OK, 0) == 0;
}

static char *record_name(void)
{
	return x_asprintf("snap/%s.json", digest_hex(&chain.d).s);
}

static void test_publish(void **state)
{
	struct temp *t = *state;
	assert_false(snap_exists(&t->s, &chain));
	assert_false(holds(t, "a"));
	publish(t, "a");
	assert_true(snap_exists(&t->s, &chain));
	assert_true(holds(t, "a"));
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

static void test_first_wins(void **state)
{
	struct temp *t = *state;
	publish(t, "a");
	publish(t, "b");
	assert_true(holds(t, "a"));
	assert_int_equal(count_in(&t->s, "tmp"), 1); /* the loser's own, which may be in use */
	assert_int_equal(count_in(&t->s, "trash"), 0);
}

static void test_no_record_no_snapshot(void **state)
{
	struct temp *t = *state;
	AUTO(free_drop) char *record = record_name();
	publish(t, "a");
	assert_int_equal(unlinkat(t->s.fd, record, 0), 0);
	assert_false(snap_exists(&t->s, &chain));
	publish(t, "b");
	assert_true(holds(t, "b"));
	assert_int_equal(count_in(&t->s, "trash"), 0);
}

static void test_no_tree_no_snapshot(void **state)
{
	struct temp *t = *state;
	publish(t, "a");
	AUTO(free_drop) char *dir = x_asprintf("snap/%s", digest_hex(&chain.d).s);
	assert_int_equal(tree_remove(t->s.fd, dir), 0);
	assert_false(snap_exists(&t->s, &chain));
	publish(t, "b");
	assert_true(holds(t, "b"));
}

/* The record as another boot wrote it. */
static void age_record(struct temp *t, int64_t at)
{
	AUTO(free_drop) char *record = record_name();
	AUTO(free_drop) char *text =
		x_asprintf("{\"boot\":\"00000000-0000-0000-0000-000000000000\",\"at\":%lld}", (long long)at);
	struct err e;
	assert_int_equal(store_json_put(&t->s, record, text, &e), 0);
}

static void test_power_cut(void **state)
{
	struct temp *t = *state;
	struct err e;
	publish(t, "a");
	age_record(t, 1000);
	assert_false(snap_exists(&t->s, &chain)); /* never synced in that boot */
	assert_int_equal(store_json_put(&t->s, "sync/00000000-0000-0000-0000-000000000000", "{\"at\":999}", &e), 0);
	assert_false(snap_exists(&t->s, &chain)); /* synced before, not after */
	assert_int_equal(store_json_put(&t->s, "sync/00000000-0000-0000-0000-000000000000", "{\"at\":1000}", &e), 0);
	assert_true(snap_exists(&t->s, &chain));
}

static void test_sync(void **state)
{
	struct temp *t = *state;
	AUTO(free_drop) char *record = record_name();
	AUTO(json_fini) struct json snap = { 0 }, sync = { 0 };
	struct err e;
	publish(t, "a");
	assert_int_equal(store_json_get(&t->s, record, &snap, &e), 0);
	const char *boot = json_str(&snap, "boot");
	if (!boot)
		skip(); /* no /proc: the tree was synced at once */
	assert_int_equal(store_sync(&t->s, &e), 0);
	AUTO(free_drop) char *name = x_asprintf("sync/%s", boot);
	assert_int_equal(store_json_get(&t->s, name, &sync, &e), 0);
	assert_true(json_int(&sync, "at", -1) >= json_int(&snap, "at", INT64_MAX));
}

/* In a copy of the store the tree is another directory. */
static void test_copy(void **state)
{
	struct temp *t = *state;
	AUTO(free_drop) char *tree = x_asprintf("snap/%s/tree", digest_hex(&chain.d).s);
	AUTO(free_drop) char *old = x_asprintf("snap/%s/old", digest_hex(&chain.d).s);
	publish(t, "a");
	assert_int_equal(renameat(t->s.fd, tree, t->s.fd, old), 0);
	assert_false(snap_exists(&t->s, &chain));
	assert_int_equal(mkdirat(t->s.fd, tree, 0700), 0);
	assert_false(snap_exists(&t->s, &chain));
	assert_true(snap_is_copy(&t->s, &chain));
	publish(t, "b");
	assert_true(snap_exists(&t->s, &chain));
	assert_false(snap_is_copy(&t->s, &chain));
}

static void test_odd_records(void **state)
{
	struct temp *t = *state;
	AUTO(free_drop) char *record = record_name();
	static const struct {
		const char *text;
		bool good;
	} records[] = {
		{ "{}", true },
		{ "[]", false },
		{ "{\"boot\":\"../../version\",\"at\":0}", false },
		{ "{\"boot\":\"0\"}", false },
		{ "{\"boot\":\"0123456789012345678901234567890123456789\",\"at\":0}", false },
	};
	publish(t, "a");
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		struct err e;
		assert_int_equal(store_json_put(&t->s, record, records[i].text, &e), 0);
		assert_int_equal(snap_exists(&t->s, &chain), records[i].good);
	}
}

enum { RACERS = 6 };

static int publish_one(struct temp *t)
{
	AUTO(fd_drop) int holder = -1;
	AUTO(fd_drop) int tmp = openat(t->s.fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char id[33];
	struct err e;
	make_holder(t, id, &holder, "a");
	return snap_publish(&t->s, &chain, tmp, id, &e) < 0 || !snap_exists(&t->s, &chain);
}

static void test_race(void **state)
{
	struct temp *t = *state;
	pid_t pids[RACERS];
	for (int i = 0; i < RACERS; i++)
		if ((pids[i] = fork()) == 0)
			_exit(publish_one(t));
	for (int i = 0; i < RACERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_true(holds(t, "a"));
	assert_int_equal(count_in(&t->s, "tmp"), RACERS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publish),
		TEST(test_first_wins),
		TEST(test_no_record_no_snapshot),
		TEST(test_no_tree_no_snapshot),
		TEST(test_power_cut),
		TEST(test_sync),
		TEST(test_copy),
		TEST(test_odd_records),
		TEST(test_race),
	};
	return cmocka_run_group_tests_name("store/snap", tests, NULL, NULL);
}
