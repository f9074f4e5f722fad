/* Workers: what they say arrives, and their death is noticed. Outside programs: their output, status, and ends. */
#include "unit.h"

#include <poll.h>
#include <signal.h>

#include "base/proc.h"

static int say_and_give(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	for (int i = 0; i < 3; i++)
		worker_line(r, i == 1 ? "" : ctx);
	str_addn(result, "a\0b", 3);
	return 0;
}

static void add_line(void *ctx, const char *text)
{
	str_addf(ctx, "[%s]", text);
}

static void test_lines_and_result(void **state)
{
	AUTO(str_fini) struct str lines = { 0 }, result = { 0 };
	struct worker w;
	struct err e;
	size_t fds = open_fds();
	assert_int_equal(worker_start(&w, "test", say_and_give, (void *)"x\ny", &e), 0);
	assert_int_equal(worker_wait(&w, add_line, &lines, &result, &e), 0);
	assert_string_equal(str_text(&lines), "[x\ny][][x\ny]");
	assert_int_equal(result.len, 3);
	assert_memory_equal(result.buf, "a\0b", 3);
	assert_int_equal(w.pid, 0);
	assert_int_equal(open_fds(), fds);
}

static int fail_with(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	err_set(e, ERR_INTEGRITY, "wrong bytes");
	e->line = 7;
	return -1;
}

static void test_failure(void **state)
{
	struct worker w;
	struct err e = { 0 };
	assert_int_equal(worker_start(&w, "test", fail_with, NULL, &e), 0);
	assert_int_equal(worker_wait(&w, NULL, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_INTEGRITY);
	assert_string_equal(e.msg, "wrong bytes");
	assert_int_equal(e.line, 7);
}

static int large(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	for (int i = 0; i < 2000; i++)
		worker_line(r, "a line of some length, so that the socket fills up while nobody reads");
	str_reserve(result, 1 << 22);
	while (result->len < 1 << 22)
		str_add(result, "0123456789abcdef");
	return 0;
}

static void test_large_result(void **state)
{
	AUTO(str_fini) struct str result = { 0 };
	struct worker w;
	struct err e;
	assert_int_equal(worker_start(&w, "test", large, NULL, &e), 0);
	usleep(50000);
	assert_int_equal(worker_wait(&w, NULL, NULL, &result, &e), 0);
	assert_int_equal(result.len, 1 << 22);
}

static int die(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	worker_line(r, "last words");
	if (ctx)
		raise(*(int *)ctx);
	_exit(3);
}

static void test_death(void **state)
{
	int signals[] = { SIGKILL, SIGTERM, SIGXCPU };
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		AUTO(str_fini) struct str lines = { 0 };
		struct worker w;
		struct err e = { 0 };
		AUTO(free_drop) char *number = x_asprintf("signal %d", signals[i]);
		assert_int_equal(worker_start(&w, "test", die, &signals[i], &e), 0);
		assert_int_equal(worker_wait(&w, add_line, &lines, NULL, &e), -1);
		assert_string_equal(str_text(&lines), "[last words]");
		assert_non_null(strstr(e.msg, number));
	}
	struct worker w;
	struct err e = { 0 };
	assert_int_equal(worker_start(&w, "test", die, NULL, &e), 0);
	assert_int_equal(worker_wait(&w, NULL, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
}

/* Puts a full disk in the place of the socket. */
static int full_report(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	for (int fd = 3; fd < 32; fd++) {
		struct stat st;
		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
			dup2(full, fd);
	}
	if (ctx)
		worker_line(r, "a line");
	return ctx ? 0 : err_set(e, ERR_SPEC, "no report of this arrives");
}

static void test_report_fails(void **state)
{
	for (int line = 0; line < 2; line++) {
		struct worker w;
		struct err e = { 0 };
		assert_int_equal(worker_start(&w, "test", full_report, line ? &line : NULL, &e), 0);
		assert_int_equal(worker_wait(&w, NULL, NULL, NULL, &e), -1);
		assert_int_equal(e.sysno, ENOSPC);
		assert_string_equal(e.msg, "write the report of a worker process (test): No space left on device");
	}
}

static int wait_for_ever(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	while (!ctx)
		pause();
	return 0;
}

static void test_kill(void **state)
{
	AUTO(str_fini) struct str text = { 0 };
	struct worker w;
	struct err e;
	size_t fds = open_fds();
	assert_int_equal(worker_start(&w, "test", wait_for_ever, NULL, &e), 0);
	pid_t pid = w.pid;
	assert_int_equal(worker_read(&w, &text, &e), WORKER_AGAIN); /* does not wait */
	worker_kill(&w);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	worker_kill(&w);
	assert_int_equal(open_fds(), fds);
}

/* Starts a worker that would wait for ever, tells its pid, and dies. */
static void orphan(int tell)
{
	struct worker w;
	struct err e;
	if (worker_start(&w, "test", wait_for_ever, NULL, &e) < 0)
		_exit(1);
	if (write(tell, &w.pid, sizeof w.pid) != sizeof w.pid)
		_exit(1);
	raise(SIGKILL);
}

static void test_dies_with_its_parent(void **state)
{
	int tell[2];
	pid_t worker;
	assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		orphan(tell[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(tell[0], &worker, sizeof worker), sizeof worker);
	close(tell[1]);
	/* The worker inherited the pipe: its end is the end of file. */
	struct pollfd p = { .fd = tell[0], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 5000), 1);
	close(tell[0]);
}

static int call(const char *script, const char *input, struct str *out, size_t limit, int timeout_ms, struct err *e)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	*e = (struct err){ 0 };
	return proc_run(argv, input, out, limit, timeout_ms, e);
}

static void test_program(void **state)
{
	AUTO(str_fini) struct str out = { 0 };
	struct err e;
	size_t fds = open_fds();
	assert_int_equal(call("echo out; echo err >&2; cat", "in", &out, 100, 0, &e), 0);
	assert_string_equal(out.buf, "out\nin");
	str_clear(&out);
	assert_int_equal(call("cat", NULL, &out, 100, 0, &e), 0);
	assert_string_equal(str_text(&out), "");
	assert_int_equal(call("exit 0", "nobody reads this", NULL, 0, 0, &e), 0);
	assert_int_equal(open_fds(), fds);
}

static void test_program_fails(void **state)
{
	AUTO(str_fini) struct str out = { 0 };
	struct err e;
	assert_int_equal(call("echo what went wrong >&2; exit 7", NULL, &out, 100, 0, &e), -1);
	assert_int_equal(e.kind, ERR_CHILD);
	assert_true(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 7);
	assert_non_null(strstr(e.msg, "what went wrong"));
	assert_int_equal(call("kill -9 $$", NULL, &out, 100, 0, &e), -1);
	assert_true(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGKILL);
	const char *argv[] = { "nacre-no-such-program", NULL };
	assert_int_equal(proc_run(argv, NULL, NULL, 0, 0, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void test_program_bounds(void **state)
{
	AUTO(str_fini) struct str out = { 0 };
	struct err e;
	size_t fds = open_fds();
	assert_int_equal(call("yes", NULL, &out, 1000, 0, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_int_equal(call("sleep 100", NULL, &out, 1000, 200, &e), -1);
	assert_non_null(strstr(e.msg, "no answer"));
	assert_int_equal(call("yes >&2 & sleep 0.2; kill $!", NULL, &out, 1000, 0, &e), 0);
	assert_int_equal(open_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_and_result),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_large_result),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_report_fails),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_dies_with_its_parent),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_program_fails),
		cmocka_unit_test(test_program_bounds),
	};
	return cmocka_run_group_tests_name("base/proc", tests, NULL, NULL);
}
