/* Lines of /etc/subuid, and the maps made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "src/sandbox/idmap_priv.h"
#include "src/sandbox/subid_priv.h"

static const struct {
	const char *text, *wanted;
} cases[] = {
	{ "me:100000:65536\n", "1-100000x65536" },
	{ "1000:100000:65536", "1-100000x65536" },
	{ "you:100000:65536\nme:200000:10\n", "1-200000x10" },
	{ "me:100000:10\nme:200000:5\n1000:300000:1\n", "1-100000x10 11-200000x5 16-300000x1" },
	{ "", "" },
	{ "\n\n# me:1:2\n", "" },
	{ "me:100000\n", "" },
	{ "me:100000:\n", "" },
	{ "me::65536\n", "" },
	{ "me:100000:0\n", "" },
	{ "me:-1:5\nme:+1:5\nme: 1:5\nme:0x10:5\n", "" },
	{ "me:100000:65536:1\n", "" },
	{ ":100000:65536\n", "" },
	{ "mean:100000:65536\nm:100000:65536\n10000:1:1\n", "" },
	{ "me:4294967295:1\n", "" }, /* the id that means "none" */
	{ "me:4294967294:1\n", "1-4294967294x1" },
	{ "me:4294967294:2\n", "" },
	{ "me:99999999999999999999:1\nme:1:99999999999999999999\n", "" },
	{ "me:100000:65536\nme:165535:10\nme:165536:10\n",
	  "1-100000x65536 65537-165536x10" },                                         /* overlaps are passed over */
	{ "me:1000:10\nme:200000:5", "1-200000x5" },                                  /* our own id is mapped already */
	{ "me:1001:4294966294\nme:0:1000\n", "1-1001x4294966294 4294966295-0x1000" }, /* all ids there are */
};

static void test_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct id_extent map[ID_EXTENTS_MAX] = { { 0, 1000, 1 } };
		size_t n = 1;
		AUTO(str_fini) struct str got = { 0 };
		subid_add(cases[i].text, "me", 1000, 1, map, &n);
		for (size_t k = 1; k < n; k++)
			str_addf(&got, "%s%u-%ux%u", k > 1 ? " " : "", map[k].inside, map[k].outside, map[k].count);
		if (strcmp(str_text(&got), cases[i].wanted) != 0)
			fail_msg("case %zu: %s, wanted %s", i, str_text(&got), cases[i].wanted);
	}
}

static void test_no_name(void **state)
{
	struct id_extent map[ID_EXTENTS_MAX];
	size_t n = 0;
	subid_add("me:100000:65536\n1000:200000:1\n", NULL, 1000, 1, map, &n);
	assert_int_equal(n, 1);
	assert_int_equal(map[0].outside, 200000);
}

/* As many as a map holds; the rest is left out, and nothing written beyond. */
static void test_extent_limit(void **state)
{
	struct {
		struct id_extent map[ID_EXTENTS_MAX];
		uint32_t canary;
	} m = { .canary = 0xfeedbeef };
	size_t n = 1;
	AUTO(str_fini) struct str text = { 0 };
	m.map[0] = (struct id_extent){ 0, 1000, 1 };
	for (unsigned i = 0; i < 2 * ID_EXTENTS_MAX; i++)
		str_addf(&text, "me:%u:5\n", 100000 + i * 10);
	subid_add(text.buf, "me", 1000, 1, m.map, &n);
	assert_int_equal(n, ID_EXTENTS_MAX);
	assert_int_equal(m.canary, 0xfeedbeef);
	assert_int_equal(m.map[ID_EXTENTS_MAX - 1].inside, 1 + 5 * (ID_EXTENTS_MAX - 2));
}

/* One line for each extent of the outer map, inside to inside. */
static void test_nested(void **state)
{
	const struct id_extent map[] = { { 0, 1000, 1 }, { 1, 100000, 65536 }, { 65537, 300000, 10 } };
	AUTO(str_fini) struct str lines = { 0 };
	idmap_nested(map, ARRAY_LEN(map), &lines);
	assert_string_equal(lines.buf, "0 0 1\n1 1 65536\n65537 65537 10\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_extent_limit),
		cmocka_unit_test(test_nested),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
