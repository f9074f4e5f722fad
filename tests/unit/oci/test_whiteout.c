/* whiteout_parse: what the names of a layer's members mean (THREATS T-A12). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/listing.h"

#define N50 "01234567890123456789012345678901234567890123456789"
#define N255 N50 N50 N50 N50 N50 "01234"

static const struct {
	const char *path;
	enum list_kind kind;
	const char *means; /* NULL: refused */
	bool skip;
} cases[] = {
	{ "a", LIST_ENTRY, "a" },
	{ ".", LIST_ENTRY, "." },
	{ "a/b.wh.c", LIST_ENTRY, "a/b.wh.c" },
	{ ".wha", LIST_ENTRY, ".wha" },
	{ ".wh", LIST_ENTRY, ".wh" },
	{ ".WH.a", LIST_ENTRY, ".WH.a" },
	{ ".wh.a", LIST_WHITEOUT, "a" },
	{ "d/.wh.a", LIST_WHITEOUT, "d/a" },
	{ "d/e/.wh..a", LIST_WHITEOUT, "d/e/.a" },
	{ ".wh....", LIST_WHITEOUT, "..." },
	{ ".wh.a.wh.b", LIST_WHITEOUT, "a.wh.b" },
	{ ".wh." N255, LIST_WHITEOUT, N255 },
	{ ".wh..wh..opq", LIST_OPAQUE, "." },
	{ "d/.wh..wh..opq", LIST_OPAQUE, "d" },
	{ "d/e/.wh..wh..opq", LIST_OPAQUE, "d/e" },
	{ ".wh..wh.plnk", LIST_ENTRY, ".wh..wh.plnk", true },
	{ ".wh..wh.aufs", LIST_ENTRY, ".wh..wh.aufs", true },
	{ ".wh..wh.orph/x", LIST_ENTRY, ".wh..wh.orph/x", true },
	{ ".wh..wh.plnk/1.2", LIST_ENTRY, ".wh..wh.plnk/1.2", true },
	{ "d/.wh..wh.opq", LIST_ENTRY, "d/.wh..wh.opq", true },
	{ ".wh.", LIST_ENTRY, NULL },
	{ ".wh..", LIST_ENTRY, NULL },
	{ ".wh...", LIST_ENTRY, NULL },
	{ "x/.wh.", LIST_ENTRY, NULL },
	{ "x/.wh..", LIST_ENTRY, NULL },
	{ "x/.wh...", LIST_ENTRY, NULL },
	{ ".wh.a/b", LIST_ENTRY, NULL },
	{ "d/.wh.a/.wh.b", LIST_ENTRY, NULL },
	{ "d/.wh./b", LIST_ENTRY, NULL },
	{ ".wh." N255 "x", LIST_ENTRY, NULL },
};

static void test_names(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(free_drop) char *means = NULL;
		enum list_kind kind = LIST_ENTRY;
		struct err e = { 0 };
		bool skip = false;
		int got = whiteout_parse(cases[i].path, &kind, &means, &skip, &e);
		if (got != (cases[i].means ? 0 : -1))
			fail_msg("%s: %s", cases[i].path, e.msg);
		if (got < 0) {
			assert_int_equal(e.kind, ERR_SPEC);
			continue;
		}
		assert_int_equal(skip, cases[i].skip);
		assert_string_equal(means, cases[i].means);
		assert_int_equal(kind, cases[i].kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
