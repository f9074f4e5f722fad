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
#include <unistd.h>

#include "archive/stream.h"
#include "base/fd.h"
#include "base/mem.h"
#include "failing_sink.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exactly),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_latched),
		cmocka_unit_test(test_fd),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
