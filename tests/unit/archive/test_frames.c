/* Frames: the same bytes whatever the threads and writes, cuts, errors from below, and finding them again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "archive/frames.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "failing_sink.h"

enum { LARGE = 4 * FRAME_MAX + 12345, SLOW = 7 };

static char *large; /* half of it text-like, half noise */

static int setup(void **state)
{
	uint32_t x = 7;
	large = x_alloc(LARGE);
	for (size_t i = 0; i < LARGE; i++) {
		x = x * 1664525 + 1013904223;
		large[i] = i / 65536 % 2 ? (char)(x >> 24) : "abcdefgh"[x >> 29];
	}
	return 0;
}

static int teardown(void **state)
{
	free(large);
	return 0;
}

static const struct {
	enum compression how;
	int level;
} formats[] = {
	{ COMPRESSION_NONE, 0 }, { COMPRESSION_GZIP, 0 }, { COMPRESSION_GZIP, 1 }, { COMPRESSION_GZIP, SLOW },
	{ COMPRESSION_ZSTD, 0 }, { COMPRESSION_ZSTD, 1 },
};

/* Writes n bytes, each `portion` in one call, through frames_room where it is 0. cut: after each so many bytes. */
static struct str framed(size_t format, unsigned threads, size_t n, size_t portion, size_t cut, struct digest *ret)
{
	struct str out = { 0 };
	struct err e = { 0 };
	struct sha sha;
	sha_init(&sha);
	AUTO(sink_drop)
	struct sink *s = sink_frames(formats[format].how, formats[format].level, threads, &sha, sink_mem(&out));
	for (size_t at = 0, part; at < n; at += part) {
		size_t room = portion;
		char *to = portion ? NULL : frames_room(s, &room, &e);
		part = room < n - at ? room : n - at;
		if (cut && part > cut - at % cut)
			part = cut - at % cut;
		if (to) {
			memcpy(to, large + at, part);
			frames_filled(s, part);
		} else {
			assert_int_equal(sink_write(s, large + at, part, &e), 0);
		}
		if (cut && (at + part) % cut == 0)
			assert_int_equal(frames_cut(s, &e), 0);
	}
	assert_int_equal(sink_finish(s, &e), 0);
	*ret = sha_end(&sha);
	return out;
}

static void check_contents(const struct str *z, size_t format, size_t n)
{
	struct err e = { 0 };
	AUTO(source_drop) struct source *s = source_mem(str_text(z), z->len);
	AUTO(free_drop) char *got = x_alloc(n + 1);
	if (formats[format].how != COMPRESSION_NONE)
		s = source_decompress(ptr_take(&s), "it");
	assert_int_equal(source_read_exactly(s, got, n, "it", &e), 0);
	assert_int_equal(source_read(s, got + n, 1, &e), 0);
	assert_memory_equal(got, large, n);
}

static void check_same(size_t format, size_t n, size_t cut)
{
	static const size_t portions[] = { 0, 1000, 777777, FRAME_MAX, LARGE };
	static const unsigned threads[] = { 8, 1, 2, 3, 100 };
	struct digest plain = digest_of(large, n), got;
	AUTO(str_fini) struct str want = framed(format, 0, n, 4096, cut, &got);
	assert_true(digest_eq(&got, &plain));
	check_contents(&want, format, n);
	for (size_t p = 0; p < ARRAY_LEN(portions); p++) {
		AUTO(str_fini) struct str z = framed(format, threads[p], n, portions[p], cut, &got);
		assert_true(digest_eq(&got, &plain));
		assert_int_equal(z.len, want.len);
		assert_memory_equal(str_text(&z), str_text(&want), want.len);
	}
}

static void test_same_bytes(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, FRAME_MAX - 1, FRAME_MAX, FRAME_MAX + 1, LARGE };
	for (size_t f = 0; f < ARRAY_LEN(formats); f++)
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
			if (formats[f].level != SLOW || sizes[i] <= FRAME_MAX + 1)
				check_same(f, sizes[i], 0);
	for (size_t f = 0; f < ARRAY_LEN(formats); f++)
		check_same(f, FRAME_MAX, 700000);
}

/* What stands before a cut has no part in what comes after it. */
static void test_cut(void **state)
{
	enum { PART = 200000 };
	for (size_t f = 1; f < ARRAY_LEN(formats); f++) {
		struct digest d;
		AUTO(str_fini) struct str whole = framed(f, 2, 3 * PART, 1000, PART, &d);
		AUTO(packer_drop) struct packer *p = packer_new(formats[f].how, formats[f].level);
		AUTO(free_drop) char *frame = x_alloc(packer_bound(p));
		struct err e = { 0 };
		size_t at = 0, n;
		for (int i = 2; i >= 0; i--) { /* in another order */
			assert_int_equal(packer_pack(p, large + i * PART, PART, frame, &n, &e), 0);
			char *there = memmem(whole.buf, whole.len, frame, n);
			assert_non_null(there);
			at += n;
		}
		assert_int_equal(at, whole.len);
	}
}

static int file_of(const struct str *bytes)
{
	int fd = memfd_create("frames", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, str_text(bytes), bytes->len), bytes->len);
	return fd;
}

static void test_find(void **state)
{
	static const size_t sizes[] = { 0, 1, FRAME_MAX, FRAME_MAX + 1, LARGE };
	for (size_t f = 1; f < ARRAY_LEN(formats); f++)
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			struct digest d;
			AUTO(str_fini) struct str z = framed(f, 2, sizes[i], FRAME_MAX, 0, &d);
			AUTO(fd_drop) int fd = file_of(&z);
			struct frame_spans spans = { 0 };
			size_t want = sizes[i] ? (sizes[i] + FRAME_MAX - 1) / FRAME_MAX : 1, at = 0;
			assert_int_equal(frames_find(fd, formats[f].how, want - 1, &spans), 1);
			assert_int_equal(frames_find(fd, formats[f].how, want, &spans), 0);
			assert_int_equal(spans.n, want);
			AUTO(packer_drop) struct packer *p = packer_new(formats[f].how, 0);
			AUTO(free_drop) char *raw = x_alloc(FRAME_MAX + 1);
			for (size_t k = 0; k < spans.n; k++) {
				const struct frame_span *one = &spans.v[k];
				size_t n = sizes[i] - k * FRAME_MAX < FRAME_MAX ? sizes[i] - k * FRAME_MAX : FRAME_MAX;
				assert_int_equal(one->offset, at);
				assert_true(packer_unpack(p, z.buf + at, one->n, raw, n));
				assert_memory_equal(raw, large + k * FRAME_MAX, n);
				assert_false(packer_unpack(p, z.buf + at, one->n, raw, n ? n - 1 : FRAME_MAX));
				at += one->n;
			}
			assert_int_equal(at, z.len);
			vec_fini(&spans);
		}
}

/* Anything may stand in a file. */
static void test_find_broken(void **state)
{
	static const char junk[] = "this is no frame at all, and longer than any header is";
	for (size_t f = 1; f < ARRAY_LEN(formats); f++) {
		struct digest d;
		struct frame_spans spans = { 0 };
		AUTO(str_fini) struct str z = framed(f, 1, 5000, 5000, 1000, &d);
		for (size_t n = 1; n < z.len; n += 7) { /* cut anywhere: what is left of a frame is none */
			const struct str part = { z.buf, n, n };
			AUTO(fd_drop) int fd = file_of(&part);
			if (frames_find(fd, formats[f].how, 10, &spans) == 0)
				assert_true(spans.n < 5);
			vec_fini(&spans);
		}
		for (size_t bit = 0; bit < z.len * 8; bit += 29) { /* lengths within the file, or none */
			z.buf[bit / 8] = (char)(z.buf[bit / 8] ^ 1 << bit % 8);
			AUTO(fd_drop) int fd = file_of(&z);
			size_t at = 0;
			if (frames_find(fd, formats[f].how, 100, &spans) == 0) {
				for (size_t i = 0; i < spans.n; i++, at += spans.v[i - 1].n)
					assert_int_equal(spans.v[i].offset, at);
				assert_int_equal(at, z.len);
			}
			vec_fini(&spans);
			z.buf[bit / 8] = (char)(z.buf[bit / 8] ^ 1 << bit % 8);
		}
		AUTO(str_fini) struct str bad = { 0 };
		str_add(&bad, junk);
		AUTO(fd_drop) int fd = file_of(&bad);
		assert_int_equal(frames_find(fd, formats[f].how, 10, &spans), 1);
	}
}

static void test_unpack_damage(void **state)
{
	for (size_t f = 1; f < ARRAY_LEN(formats); f++) {
		AUTO(packer_drop) struct packer *p = packer_new(formats[f].how, formats[f].level);
		AUTO(free_drop) char *frame = x_alloc(packer_bound(p));
		char raw[801];
		struct err e = { 0 };
		size_t n;
		assert_int_equal(packer_pack(p, large + 65200, 800, frame, &n, &e), 0);
		for (size_t bit = 0; bit < n * 8; bit++) {
			frame[bit / 8] = (char)(frame[bit / 8] ^ 1 << bit % 8);
			if (packer_unpack(p, frame, n, raw, 800))
				assert_memory_equal(raw, large + 65200, 800);
			frame[bit / 8] = (char)(frame[bit / 8] ^ 1 << bit % 8);
		}
		for (size_t part = 0; part < n; part++)
			assert_false(packer_unpack(p, frame, part, raw, 800));
		assert_true(packer_unpack(p, frame, n, raw, 800));
	}
}

/* What fails below is told at some later call, at the latest at the end; and always the first failure. */
static void test_failure(void **state)
{
	static const size_t rooms[] = { 0, 100, 3 << 20, 10 << 20 };
	for (size_t i = 0; i < 2 * ARRAY_LEN(rooms); i++) {
		AUTO(sink_drop)
		struct sink *s = sink_frames(COMPRESSION_NONE, 0, i % 2 ? 8 : 1, NULL, sink_failing(rooms[i / 2], true));
		struct err e = { 0 };
		int got = 0;
		for (int n = 0; n < 40 && got == 0; n++)
			got = sink_write(s, large, 1 << 20, &e);
		assert_int_equal(got, -1);
		assert_true(str_starts(e.msg, "full at call "));
		size_t room;
		struct err again = { 0 };
		assert_null(frames_room(s, &room, &again));
		assert_string_equal(again.msg, e.msg);
		assert_int_equal(frames_cut(s, &again), -1);
		assert_int_equal(sink_finish(s, &again), -1);
		assert_string_equal(again.msg, e.msg);
	}
	AUTO(sink_drop) struct sink *s = sink_frames(COMPRESSION_ZSTD, 0, 2, NULL, sink_failing(SIZE_MAX, true));
	struct err e = { 0 };
	assert_int_equal(sink_write(s, large, LARGE, &e), 0);
	assert_int_equal(sink_finish(s, &e), -1);
	assert_string_equal(e.msg, "full at the end");
	AUTO(sink_drop) struct sink *last = sink_frames(COMPRESSION_NONE, 0, 2, NULL, sink_failing(300 << 10, false));
	assert_int_equal(sink_write(last, large, 400 << 10, &e), 0);
	assert_int_equal(sink_finish(last, &e), -1);
	assert_true(str_starts(e.msg, "full at call "));
}

static void test_abandoned(void **state)
{
	for (size_t i = 0; i < 50; i++) {
		struct sha sha;
		sha_init(&sha);
		struct sink *s = sink_frames(COMPRESSION_ZSTD, 0, 3, &sha, sink_null());
		struct err e = { 0 };
		assert_int_equal(sink_write(s, large, i * 100000, &e), 0);
		sink_free(s);
		sha_drop(&sha);
	}
}

static size_t count_threads(void)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err e;
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 1 << 16, &text, &e), 0);
	return strtoul(strstr(text.buf, "Threads:") + 8, NULL, 10);
}

static void test_little_starts_no_thread(void **state)
{
	struct err e = { 0 };
	size_t before = count_threads();
	AUTO(sink_drop) struct sink *s = sink_frames(COMPRESSION_ZSTD, 0, 8, NULL, sink_null());
	assert_int_equal(sink_write(s, large, 200 << 10, &e), 0);
	assert_int_equal(frames_cut(s, &e), 0);
	assert_int_equal(sink_write(s, large, 1024, &e), 0);
	assert_int_equal(frames_cut(s, &e), 0);
	assert_int_equal(count_threads(), before);
	assert_int_equal(sink_write(s, large, LARGE, &e), 0);
	assert_true(count_threads() > before);
	assert_int_equal(sink_finish(s, &e), 0);
	assert_int_equal(count_threads(), before);
}

/* Where a thread is refused, the same bytes come out. */
static void test_no_thread(void **state)
{
	struct rlimit before, none = { 0, 0 };
	struct digest d;
	AUTO(str_fini) struct str want = framed(4, 2, LARGE, LARGE, 0, &d);
	/* Counts for nobody with CAP_SYS_RESOURCE; there the test still sees that all goes well. */
	assert_int_equal(getrlimit(RLIMIT_NPROC, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NPROC, &none), 0);
	AUTO(str_fini) struct str got = framed(4, 2, LARGE, LARGE, 0, &d);
	assert_int_equal(setrlimit(RLIMIT_NPROC, &before), 0);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.buf, want.buf, got.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes),    cmocka_unit_test(test_cut),
		cmocka_unit_test(test_find),          cmocka_unit_test(test_find_broken),
		cmocka_unit_test(test_unpack_damage), cmocka_unit_test(test_failure),
		cmocka_unit_test(test_abandoned),     cmocka_unit_test(test_little_starts_no_thread),
		cmocka_unit_test(test_no_thread),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
