/* Unfinished work: the living keep theirs, the dead's is cleared, whoever races (THREATS K1 to K4). */
#include "temp_store.h"

#include <signal.h>

#include "base/fd.h"
#include "base/lock.h"
#include "store/blob.h"

static void test_new_and_discard(void **state)
{
	struct temp *t = *state;
	char id[33];
	int fd = -1;
	struct stat st;
	struct err e;
	mode_t old = umask(0777);
	assert_int_equal(store_tmp_new(&t->s, id, &fd, &e), 0);
	umask(old);
	assert_int_equal(strlen(id), 32);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(mkdirat(fd, "tree", 0700), 0);
	assert_int_equal(count_in(&t->s, "tmp"), 1);
	store_tmp_discard(&t->s, id);
	assert_int_equal(count_in(&t->s, "tmp"), 0);
	assert_int_equal(count_in(&t->s, "trash"), 0);
	store_tmp_discard(&t->s, id); /* gone already */
	close(fd);
}

static void test_living_is_kept(void **state)
{
	struct temp *t = *state;
	char id[33];
	int fd = -1;
	struct blob_writer w;
	struct err e;
	assert_int_equal(store_tmp_new(&t->s, id, &fd, &e), 0);
	assert_int_equal(blob_writer_open(&t->s, &w, &e), 0);
	assert_false(store_recover(&t->s));
	assert_int_equal(count_in(&t->s, "tmp"), 2);
	/* A child that inherited the descriptor keeps the lock when its parent closes it. */
	int hold[2];
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char c;
		close(hold[1]);
		(void)!read(hold[0], &c, 1);
		_exit(0);
	}
	close(fd);
	assert_false(store_recover(&t->s));
	assert_int_equal(count_in(&t->s, "tmp"), 2);
	close(hold[0]);
	close(hold[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(store_recover(&t->s));
	assert_int_equal(count_in(&t->s, "tmp"), 1);
	blob_writer_drop(&w);
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

/* Leaves a directory with something in it, and an unfinished blob, and dies. */
static int die_at_work(struct temp *t)
{
	char id[33];
	int fd = -1;
	struct blob_writer w;
	struct err e;
	if (store_tmp_new(&t->s, id, &fd, &e) < 0 || mkdirat(fd, "tree", 0) < 0 || blob_writer_open(&t->s, &w, &e) < 0)
		return 1;
	raise(SIGKILL);
	return 2;
}

static void test_dead_is_cleared(void **state)
{
	struct temp *t = *state;
	struct store again;
	struct err e;
	for (int i = 0; i < 3; i++)
		assert_int_equal(in_child(die_at_work, t), 1000 + SIGKILL);
	assert_int_equal(count_in(&t->s, "tmp"), 6);
	assert_int_equal(store_open(t->path, &again, &e), 0);
	assert_int_equal(count_in(&again, "tmp"), 0);
	assert_int_equal(count_in(&again, "trash"), 0);
	store_fini(&again);
}

/* A recovery that was killed half way is finished by the next. */
static void test_trash_is_emptied(void **state)
{
	struct temp *t = *state;
	assert_int_equal(mkdirat(t->s.fd, "trash/0123", 0700), 0);
	assert_int_equal(mkdirat(t->s.fd, "trash/0123/a", 0700), 0);
	assert_int_equal(symlinkat("/", t->s.fd, "trash/0123/a/root"), 0);
	assert_int_equal(fchmodat(t->s.fd, "trash/0123/a", 0, 0), 0);
	assert_false(store_recover(&t->s));
	assert_int_equal(count_in(&t->s, "trash"), 0);
	assert_int_equal(access("/", X_OK), 0);
}

/* Somebody else is at the trash: it is left to them. */
static void test_one_empties_the_trash(void **state)
{
	struct temp *t = *state;
	AUTO(fd_drop) int lock = -1;
	struct err e;
	assert_int_equal(lock_file(t->s.fd, "lock/trash", true, true, &lock, &e), 0);
	assert_int_equal(mkdirat(t->s.fd, "trash/0123", 0700), 0);
	assert_false(store_recover(&t->s));
	assert_int_equal(count_in(&t->s, "trash"), 1);
	fd_drop(&lock);
	assert_false(store_recover(&t->s));
	assert_int_equal(count_in(&t->s, "trash"), 0);
}

/* Opens the store "theirs" as a plain user; 0 when recovery has nothing left, 1 when it has. */
static int recover_as_user(struct temp *t)
{
	AUTO(free_drop) char *path = x_asprintf("%s/theirs", t->dir);
	struct store s;
	struct err e;
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 2;
	if (store_open(path, &s, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 3;
	}
	return store_recover(&s);
}

/* What a plain user may not remove: what is in a directory of a subordinate id. */
static void test_foreign_is_reported(void **state)
{
	struct temp *t = *state;
	if (!may_change_ids())
		skip();
	AUTO(free_drop) char *trash = x_asprintf("%s/theirs/trash", t->dir);
	assert_int_equal(chmod(t->dir, 0777), 0);
	assert_int_equal(in_child(recover_as_user, t), 0);
	AUTO(fd_drop) int dir = open(trash, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(dir, "0123", 0755), 0);
	assert_int_equal(mkdirat(dir, "0123/a", 0755), 0);
	assert_int_equal(in_child(recover_as_user, t), 1);
	assert_int_equal(faccessat(dir, "0123/a", F_OK, 0), 0);
}

enum { MAKERS = 4, MADE = 200 };

/* Makes entries as fast as it can; each must still be its own when it is used. */
static int make_many(struct temp *t)
{
	for (int i = 0; i < MADE; i++) {
		char id[33];
		AUTO(fd_drop) int fd = -1;
		struct blob_writer w;
		struct err e;
		if (store_tmp_new(&t->s, id, &fd, &e) < 0 || mkdirat(fd, "tree", 0700) < 0 ||
		    blob_writer_open(&t->s, &w, &e) < 0)
			return 1;
		AUTO(free_drop) char *tree = x_asprintf("tmp/%s/tree", id);
		if (faccessat(t->s.fd, tree, F_OK, 0) < 0 || faccessat(t->s.fd, w.name, F_OK, 0) < 0)
			return 2;
		store_tmp_discard(&t->s, id);
		blob_writer_drop(&w);
	}
	return 0;
}

static void test_recovery_races_makers(void **state)
{
	struct temp *t = *state;
	pid_t pids[MAKERS];
	for (int i = 0; i < MAKERS; i++)
		if ((pids[i] = fork()) == 0)
			_exit(make_many(t));
	for (int left = MAKERS; left;) {
		int status;
		store_recover(&t->s);
		pid_t pid = waitpid(-1, &status, WNOHANG);
		assert_true(pid >= 0);
		if (pid) {
			assert_int_equal(status, 0);
			left--;
		}
	}
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_and_discard),       TEST(test_living_is_kept),        TEST(test_dead_is_cleared),
		TEST(test_trash_is_emptied),      TEST(test_one_empties_the_trash), TEST(test_foreign_is_reported),
		TEST(test_recovery_races_makers),
	};
	return cmocka_run_group_tests_name("store/tmp", tests, NULL, NULL);
}
