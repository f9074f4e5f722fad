/* Objects in use by living processes. */
#include "temp_store.h"

#include <signal.h>

#include "store/use.h"

static void age(struct store *s, const char *name, time_t seconds)
{
	const struct timespec times[2] = { { .tv_sec = time(NULL) - seconds }, { .tv_nsec = UTIME_OMIT } };
	assert_int_equal(utimensat(s->fd, name, times, 0), 0);
}

static void test_use_marks(void **state)
{
	struct temp *t = *state;
	struct stat st;
	int fd = openat(t->s.fd, "step/x.json", O_CREAT | O_WRONLY, 0600);
	close(fd);
	age(&t->s, "step/x.json", 1000);
	assert_true(store_use(&t->s, "step/x.json", &st));
	assert_true(st.st_atim.tv_sec < t->s.began.tv_sec); /* as it was found */
	assert_true(store_use(&t->s, "step/x.json", &st));
	assert_true(st.st_atim.tv_sec >= t->s.began.tv_sec);
	assert_false(store_use(&t->s, "step/y.json", NULL));
}

/* A process that has the store open since `began` (its lock is made as live_begin makes it), until it is killed. */
static pid_t living_since(struct store *s, int64_t began)
{
	int ready[2];
	char c;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = began, .l_len = 1 };
		int fd = openat(s->fd, "lock/live", O_RDWR);
		if (fcntl(fd, F_OFD_SETLK, &lock) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int64_t since_of(struct temp *t, bool own)
{
	struct err e;
	int64_t ret;
	if (store_use_since(&t->s, own, &ret, &e) < 0)
		fail_msg("%s", e.msg);
	return ret;
}

static int64_t since(struct temp *t)
{
	return since_of(t, false);
}

static void test_oldest_living(void **state)
{
	enum { S = 1000000000 };
	struct temp *t = *state;
	int64_t own = (int64_t)t->s.began.tv_sec * S + t->s.began.tv_nsec;
	assert_true(since(t) >= own); /* nobody else is there: now */
	assert_int_equal(since_of(t, true), own);
	pid_t pids[] = { living_since(&t->s, own - 50L * S), living_since(&t->s, own - 200L * S),
			 living_since(&t->s, own - 100L * S) };
	assert_int_equal(since(t), own - 200L * S);
	assert_int_equal(since_of(t, true), own - 200L * S);
	end(pids[1]);
	assert_int_equal(since(t), own - 100L * S);
	end(pids[0]);
	end(pids[2]);
	assert_true(since(t) >= own);
}

static void test_asking_waits_for_a_prune(void **state)
{
	struct temp *t = *state;
	struct err e;
	int lock, status;
	close(openat(t->s.fd, "step/z.json", O_CREAT | O_WRONLY, 0600));
	age(&t->s, "step/z.json", 1000);
	assert_int_equal(store_use_stop(&t->s, &lock, &e), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(lock); /* the open file, and so the lock, is shared */
		_exit(store_use(&t->s, "step/z.json", NULL));
	}
	usleep(100 * 1000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_int_equal(unlinkat(t->s.fd, "step/z.json", 0), 0);
	close(lock);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0); /* it is gone, and was not promised */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_use_marks),
		TEST(test_oldest_living),
		TEST(test_asking_waits_for_a_prune),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
