/* Sources and sinks: ends, limits, digests, latched errors, the second thread. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "archive/stream.h"
#include "base/fd.h"
#include "base/mem.h"

static void test_exactly(void **state)
{
	AUTO(source_drop) struct source *s = source_mem("abcdef", 6);
	struct err e = { 0 };
	char buf[8];
	assert_int_equal(source_read_exactly(s, buf, 2, "it", &e), 0);
	assert_memory_equal(buf, "ab", 2);
	assert_int_equal(source_skip(s, 2, "it", &e), 0);
	assert_int_equal(source_read_exactly(s, buf, 3, "it", &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
	assert_string_equal(e.msg, "it ends early");
	assert_int_equal(source_skip(s, 1, "it", &e), -1);
}

static void test_limit(void **state)
{
	char bytes[101] = { 0 }, buf[64];
	for (size_t n = 99; n <= 101; n++)
		for (size_t portion = 1; portion <= sizeof buf; portion *= 2) {
			AUTO(source_drop) struct source *s = source_limit(source_mem(bytes, n), 100, "it");
			struct err e = { 0 };
			size_t total = 0;
			ssize_t got;
			while ((got = source_read(s, buf, portion, &e)) > 0)
				total += (size_t)got;
			assert_int_equal(got, n > 100 ? -1 : 0);
			assert_true(total <= 100);
			assert_int_equal(e.kind, n > 100 ? ERR_LIMIT : ERR_NONE);
		}
}

static void test_digest(void **state)
{
	struct sha above = { 0 }, below = { 0 };
	uint64_t count = 0;
	struct err e = { 0 };
	struct str out = { 0 };
	char buf[3];
	sha_init(&above);
	sha_init(&below);
	AUTO(source_drop) struct source *s = source_digest(source_mem("hello world", 11), &below, &count);
	AUTO(sink_drop) struct sink *t = sink_digest(sink_mem(&out), &above, NULL);
	ssize_t got;
	while ((got = source_read(s, buf, sizeof buf, &e)) > 0)
		assert_int_equal(sink_write(t, buf, (size_t)got, &e), 0);
	assert_int_equal(sink_finish(t, &e), 0);
	struct digest a = sha_end(&above), b = sha_end(&below), want = digest_of("hello world", 11);
	assert_true(digest_eq(&a, &want) && digest_eq(&b, &want));
	assert_int_equal(count, 11);
	assert_string_equal(str_text(&out), "hello world");
	str_fini(&out);
}

/* A sink that takes `room` bytes and then fails with an error that says how often it was asked. */
struct failing_sink {
	struct sink base;
	size_t room, calls;
	bool at_finish;
};

static int failing_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	struct failing_sink *f = (struct failing_sink *)s;
	f->calls++;
	if (n > f->room)
		return err_set(e, ERR_SYS, "full at call %zu", f->calls);
	f->room -= n;
	return 0;
}

static int failing_finish(struct sink *s, struct err *e)
{
	return ((struct failing_sink *)s)->at_finish ? err_set(e, ERR_SYS, "full at the end") : 0;
}

static void failing_free(struct sink *s)
{
	free(s);
}

static struct sink *sink_failing(size_t room, bool at_finish)
{
	struct failing_sink *f = x_alloc(sizeof *f);
	f->base = (struct sink){ .write = failing_write, .finish = failing_finish, .free = failing_free };
	f->room = room;
	f->at_finish = at_finish;
	return &f->base;
}

static void test_latched(void **state)
{
	AUTO(sink_drop) struct sink *s = sink_failing(1, false);
	struct err e = { 0 };
	assert_int_equal(sink_write(s, "a", 1, &e), 0);
	assert_int_equal(sink_write(s, "b", 1, &e), -1);
	e = (struct err){ 0 };
	assert_int_equal(sink_write(s, "", 0, &e), -1);
	assert_string_equal(e.msg, "full at call 2");
	e = (struct err){ 0 };
	assert_int_equal(sink_finish(s, &e), -1);
	assert_string_equal(e.msg, "full at call 2");
}

static void test_fd(void **state)
{
	int fds[2];
	struct err e = { 0 };
	char buf[16];
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	AUTO(sink_drop) struct sink *s = sink_fd(fds[1], "pipe");
	AUTO(source_drop) struct source *in = source_fd(fds[0], "pipe");
	assert_int_equal(sink_write(s, "hello", 5, &e), 0);
	assert_int_equal(source_read(in, buf, sizeof buf, &e), -1); /* still in the buffer */
	assert_int_equal(e.sysno, EAGAIN);
	assert_int_equal(sink_finish(s, &e), 0);
	assert_int_equal(source_read(in, buf, sizeof buf, &e), 5);

	AUTO(free_drop) char *large = x_alloc(1 << 20);
	close(fds[0]);
	e = (struct err){ 0 };
	assert_int_equal(sink_write(s, large, 1 << 20, &e), -1);
	assert_int_equal(e.sysno, EPIPE);
	close(fds[1]);
}

static void fill(char *bytes, size_t n)
{
	uint32_t x = 1;
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(x >> 24);
	}
}

static void test_thread_order(void **state)
{
	enum { TOTAL = 5 << 20 };
	static const size_t portions[] = { 1, 1000, 256 << 10, (256 << 10) + 1, TOTAL };
	AUTO(free_drop) char *bytes = x_alloc(TOTAL);
	fill(bytes, TOTAL);
	for (size_t i = 0; i < ARRAY_LEN(portions); i++) {
		AUTO(str_fini) struct str out = { 0 };
		AUTO(sink_drop) struct sink *s = sink_thread(sink_mem(&out));
		struct err e = { 0 };
		size_t total = portions[i] == 1 ? 300 << 10 : TOTAL;
		for (size_t at = 0; at < total; at += portions[i]) {
			size_t n = total - at < portions[i] ? total - at : portions[i];
			assert_int_equal(sink_write(s, bytes + at, n, &e), 0);
		}
		assert_int_equal(sink_finish(s, &e), 0);
		assert_int_equal(out.len, total);
		assert_memory_equal(out.buf, bytes, total);
	}
	AUTO(str_fini) struct str out = { 0 };
	AUTO(sink_drop) struct sink *s = sink_thread(sink_mem(&out));
	struct err e = { 0 };
	assert_int_equal(sink_finish(s, &e), 0);
	assert_int_equal(out.len, 0);
}

/* What fails below is told at some later write, at the latest at the end; and always the first failure. */
static void test_thread_failure(void **state)
{
	AUTO(free_drop) char *bytes = x_alloc(1 << 20);
	static const size_t rooms[] = { 0, 100, 300 << 10, 10 << 20 };
	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		AUTO(sink_drop) struct sink *s = sink_thread(sink_failing(rooms[i], true));
		struct err e = { 0 };
		int got = 0;
		for (int n = 0; n < 20 && got == 0; n++)
			got = sink_write(s, bytes, 1 << 20, &e);
		assert_int_equal(got, -1);
		assert_true(str_starts(e.msg, "full at call "));
	}
	AUTO(sink_drop) struct sink *s = sink_thread(sink_failing(SIZE_MAX, true));
	struct err e = { 0 };
	assert_int_equal(sink_write(s, bytes, 1 << 20, &e), 0);
	assert_int_equal(sink_finish(s, &e), -1);
	assert_string_equal(e.msg, "full at the end");

	AUTO(sink_drop) struct sink *last = sink_thread(sink_failing(300 << 10, false));
	assert_int_equal(sink_write(last, bytes, 400 << 10, &e), 0);
	assert_int_equal(sink_finish(last, &e), -1);
	assert_true(str_starts(e.msg, "full at call "));
}

static void test_thread_dropped(void **state)
{
	AUTO(free_drop) char *bytes = x_alloc(1 << 20);
	for (int i = 0; i < 50; i++) {
		AUTO(sink_drop) struct sink *s = sink_thread(sink_null());
		struct err e = { 0 };
		assert_int_equal(sink_write(s, bytes, 1 << 20, &e), 0);
	}
}

/* Where a thread is refused, the same bytes come out. */
static void test_no_thread(void **state)
{
	struct rlimit before, none = { 0, 0 };
	AUTO(free_drop) char *bytes = x_alloc(3 << 20);
	AUTO(str_fini) struct str out = { 0 };
	struct err e = { 0 };
	AUTO(sink_drop) struct sink *s = sink_thread(sink_mem(&out));
	/* Counts for nobody with CAP_SYS_RESOURCE; there the test still sees that all goes well. */
	assert_int_equal(getrlimit(RLIMIT_NPROC, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NPROC, &none), 0);
	fill(bytes, 3 << 20);
	int got = sink_write(s, bytes, 3 << 20, &e);
	assert_int_equal(setrlimit(RLIMIT_NPROC, &before), 0);
	assert_int_equal(got, 0);
	assert_int_equal(sink_finish(s, &e), 0);
	assert_int_equal(out.len, 3 << 20);
	assert_memory_equal(out.buf, bytes, out.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exactly),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_latched),
		cmocka_unit_test(test_fd),
		cmocka_unit_test(test_thread_order),
		cmocka_unit_test(test_thread_failure),
		cmocka_unit_test(test_thread_dropped),
		cmocka_unit_test(test_no_thread),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
