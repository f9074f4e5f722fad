/* Where frames end: sizes stay within bounds, and a change moves only what is near it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "archive/frames.h"
#include "base/mem.h"
#include "base/vec.h"
#include "oci/frame_cut.h"

struct entry {
	unsigned name;
	uint64_t bytes;
};
struct entries { struct entry *v; size_t n, cap; };

/* The first entries of frames. */
struct firsts { unsigned *v; size_t n, cap; };

static struct firsts cut(const struct entries *l)
{
	struct frame_cut c = { 0 };
	struct firsts f = { 0 };
	uint64_t held = 0;
	for (size_t i = 0; i < l->n; i++) {
		char path[32];
		snprintf(path, sizeof path, "dir/file-%u", l->v[i].name);
		if (frame_cut_before(&c, path, l->v[i].bytes)) {
			vec_push(&f, l->v[i].name);
			held = 0;
		}
		bool first = held == 0;
		held += l->v[i].bytes;
		assert_true(first || held <= FRAME_MAX);
	}
	return f;
}

static struct entries many(size_t n, uint64_t bytes)
{
	struct entries l = { 0 };
	for (unsigned i = 0; i < n; i++)
		vec_push(&l, ((struct entry){ i, bytes }));
	return l;
}

static size_t differ(const struct firsts *a, const struct firsts *b)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n; i++) {
		bool there = false;
		for (size_t k = 0; k < b->n; k++)
			there |= b->v[k] == a->v[i];
		n += !there;
	}
	return n;
}

static void test_rule(void **state)
{
	struct frame_cut c = { 0 };
	/* Never before the first, whatever it is. */
	assert_false(frame_cut_before(&c, "a", 3 * (uint64_t)FRAME_MAX));
	assert_true(frame_cut_before(&c, "b", 512));           /* after what has frames of its own */
	assert_false(frame_cut_before(&c, "c", 512));
	assert_true(frame_cut_before(&c, "d", FRAME_ALONE));   /* before it */
	assert_true(frame_cut_before(&c, "e", FRAME_ALONE - 512));
	/* From FRAME_SPREAD on every name says so, once the frame holds enough. */
	assert_true(frame_cut_before(&c, "f", FRAME_SPREAD));
	assert_false(frame_cut_before(&c, "g", FRAME_SPREAD));
	assert_true(frame_cut_before(&c, "h", FRAME_SPREAD));
	c = (struct frame_cut){ 0 };
	assert_false(frame_cut_before(&c, "a", FRAME_SMALLEST - 1));
	assert_false(frame_cut_before(&c, "b", FRAME_ALONE - 1));
	assert_true(frame_cut_before(&c, "c", FRAME_MAX - FRAME_SMALLEST - FRAME_ALONE + 3));
}

/* This is in the digests of layers. */
static void test_is_as_it_was(void **state)
{
	static const unsigned want[] = { 133, 248, 365, 630, 804, 931 };
	struct entries l = many(1000, 4608);
	struct firsts f = cut(&l);
	assert_int_equal(f.n, ARRAY_LEN(want));
	for (size_t i = 0; i < f.n; i++)
		assert_int_equal(f.v[i], want[i]);
	vec_fini(&l);
	vec_fini(&f);
}

static void test_size(void **state)
{
	static const uint64_t sizes[] = { 1024, 4608, 70000, 200000 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct entries l = many((400u << 20) / sizes[i], sizes[i]);
		struct firsts f = cut(&l);
		uint64_t mean = l.n * sizes[i] / (f.n + 1);
		assert_in_range(mean, 640 << 10, 1 << 20);
		vec_fini(&l);
		vec_fini(&f);
	}
}

static void test_change_is_local(void **state)
{
	static const uint64_t sizes[] = { 1024, 4608, 70000, 200000 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t at = 100; at < 1000; at += 90) {
			struct entries l = many((400u << 20) / sizes[i], sizes[i]);
			struct firsts before = cut(&l);
			l.v[at].bytes += 300 << 10; /* grown */
			l.v[at + 1].name += 1000000; /* renamed */
			l.n -= at % 7;               /* some deleted */
			struct firsts after = cut(&l);
			assert_in_range(differ(&before, &after), 0, 12);
			assert_in_range(differ(&after, &before), 0, 12);
			vec_fini(&l);
			vec_fini(&before);
			vec_fini(&after);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_is_as_it_was),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_change_is_local),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
