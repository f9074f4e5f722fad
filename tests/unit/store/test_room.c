/* What builds with a limit tell each other about the size of the store. */
#include "temp_store.h"

#include <signal.h>

#include "store/room.h"

static struct room entered(struct store *s)
{
	struct room r;
	struct err e;
	if (room_enter(s, &r, &e) < 0)
		fail_msg("%s", e.msg);
	return r;
}

static void announce(struct room *r, uint64_t bytes)
{
	struct err e;
	if (room_announce(r, bytes, &e) < 0)
		fail_msg("%s", e.msg);
	room_leave(r);
}

static void assert_figures(struct store *s, uint64_t used, uint64_t announced)
{
	struct room r = entered(s);
	assert_int_equal(r.used, used);
	assert_int_equal(r.announced, announced);
	room_drop(&r);
}

/* A process that announces so many bytes, and adds `written` to the figure when it is told to end. */
static pid_t writer(struct store *s, uint64_t coming, uint64_t written, int *ret_end)
{
	int ready[2], end[2];
	char c;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct room r = entered(s);
		announce(&r, coming);
		close(end[1]);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		(void)!read(end[0], &c, 1);
		room_end(&r, written);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(end[0]);
	*ret_end = end[1];
	return pid;
}

static void finish(pid_t pid, int end)
{
	assert_int_equal(write(end, "e", 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(end);
}

static void test_figure(void **state)
{
	struct temp *t = *state;
	struct room r = entered(&t->s);
	assert_int_equal(r.used, 0);
	r.used = 1000;
	announce(&r, 50);
	room_end(&r, 20);
	assert_figures(&t->s, 1020, 0);
	room_end(&r, 20); /* it is none any more */
	assert_figures(&t->s, 1020, 0);
}

static void test_announced_by_others(void **state)
{
	enum { N = 5 };
	struct temp *t = *state;
	pid_t pids[N];
	int ends[N];
	for (int i = 0; i < N; i++)
		pids[i] = writer(&t->s, 1ull << (10 * i % 37), 7, &ends[i]);
	assert_figures(&t->s, 0, 1ull | 1ull << 10 | 1ull << 20 | 1ull << 30 | 1ull << 3);
	/* One ends, one dies. */
	finish(pids[1], ends[1]);
	kill(pids[3], SIGKILL);
	assert_int_equal(waitpid(pids[3], NULL, 0), pids[3]);
	assert_figures(&t->s, 7, 1ull | 1ull << 20 | 1ull << 3);
	close(ends[3]);
	for (int i = 0; i < N; i += 2)
		finish(pids[i], ends[i]);
	assert_figures(&t->s, 28, 0);
}

static void test_more_than_a_place(void **state)
{
	struct temp *t = *state;
	int end;
	pid_t pid = writer(&t->s, UINT64_MAX, 0, &end);
	assert_figures(&t->s, 0, 1ull << 40);
	finish(pid, end);
}

static int enter_and_end(struct temp *t)
{
	struct room r = entered(&t->s);
	room_end(&r, 5);
	return 0;
}

static void test_one_is_inside(void **state)
{
	struct temp *t = *state;
	struct room r = entered(&t->s);
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		close(r.fd);
		_exit(enter_and_end(t));
	}
	usleep(100 * 1000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	r.used = 100;
	announce(&r, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	room_drop(&r);
	assert_figures(&t->s, 105, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_figure),
		TEST(test_announced_by_others),
		TEST(test_more_than_a_place),
		TEST(test_one_is_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
