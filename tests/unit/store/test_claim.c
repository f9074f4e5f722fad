/* Who makes an object. */
#include "temp_store.h"

#include <signal.h>

#include "store/claim.h"

static const char name[] = "step-0123";

static void test_one_at_a_time(void **state)
{
	struct temp *t = *state;
	struct claim a = { 0 }, b = { 0 };
	assert_true(claim_try(&t->s, name, &a));
	assert_false(claim_try(&t->s, name, &b)); /* in one process too: two stages may want the same */
	assert_true(claim_try(&t->s, "step-4567", &b));
	claim_drop(&a);
	claim_drop(&a);
	assert_true(claim_try(&t->s, name, &a));
	claim_drop(&a);
	claim_drop(&b);
	claim_wait(&t->s, name); /* nobody has it */
}

static size_t files(struct temp *t)
{
	return count_in(&t->s, "lock");
}

static void test_no_file_stays(void **state)
{
	struct temp *t = *state;
	struct claim a = { 0 };
	size_t before = files(t);
	assert_true(claim_try(&t->s, name, &a));
	assert_int_equal(files(t), before + 1);
	claim_drop(&a);
	assert_int_equal(files(t), before);
}

static int die_with_it(struct temp *t)
{
	struct claim a = { 0 };
	return claim_try(&t->s, name, &a) ? 0 : 1;
}

static void test_death_frees(void **state)
{
	struct temp *t = *state;
	struct claim a = { 0 };
	size_t before = files(t);
	assert_int_equal(in_child(die_with_it, t), 0);
	assert_int_equal(files(t), before + 1);
	assert_true(claim_try(&t->s, name, &a));
	claims_sweep(&t->s);
	assert_int_equal(files(t), before + 1); /* it has a holder */
	claim_drop(&a);
	assert_int_equal(in_child(die_with_it, t), 0);
	claims_sweep(&t->s);
	assert_int_equal(files(t), before);
}

/* A forked process shares the claim, and its holder frees it for both. */
static void test_holder_frees_for_its_children(void **state)
{
	struct temp *t = *state;
	struct claim a = { 0 };
	assert_true(claim_try(&t->s, name, &a));
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	claim_drop(&a);
	assert_true(claim_try(&t->s, name, &a));
	claim_drop(&a);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

enum { MAKERS = 6, ROUNDS = 300 };

/* Each alone makes the file and removes it; half of them wait by claim_wait. */
static int make_many(struct temp *t, bool blocking)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct claim c = { 0 };
		if (blocking)
			claim_take(&t->s, name, &c);
		else
			while (!claim_try(&t->s, name, &c))
				claim_wait(&t->s, name);
		int fd = openat(t->s.fd, "tmp/made", O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd < 0)
			return 1;
		close(fd);
		if (unlinkat(t->s.fd, "tmp/made", 0) < 0)
			return 2;
		claim_drop(&c);
	}
	return 0;
}

static void test_exclusive_while_swept(void **state)
{
	struct temp *t = *state;
	size_t before = files(t);
	for (int i = 0; i < MAKERS; i++)
		if (fork() == 0)
			_exit(make_many(t, i % 2));
	for (int left = MAKERS; left;) {
		int status;
		claims_sweep(&t->s);
		pid_t pid = waitpid(-1, &status, WNOHANG);
		assert_true(pid >= 0);
		if (pid) {
			assert_int_equal(status, 0);
			left--;
		}
	}
	assert_int_equal(files(t), before);
}

static void test_without_locks(void **state)
{
	struct temp *t = *state;
	struct claim a = { 0 }, b = { 0 };
	assert_int_equal(unlinkat(t->s.fd, "lock/live", 0), 0);
	assert_int_equal(renameat(t->s.fd, "lock", t->s.fd, "gone"), 0);
	assert_true(claim_try(&t->s, name, &a)); /* a waste is better than a stop */
	assert_true(claim_try(&t->s, name, &b));
	claim_wait(&t->s, name);
	claim_drop(&a);
	claim_drop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_at_a_time), TEST(test_no_file_stays),         TEST(test_death_frees),
		TEST(test_without_locks), TEST(test_exclusive_while_swept), TEST(test_holder_frees_for_its_children),
	};
	return cmocka_run_group_tests_name("store/claim", tests, NULL, NULL);
}
