/* tar_reader: where an archive ends, or should not, and the limits of limits.h (THREATS T-A11, T-A15). */
#include "tar_cases.h"

#include "base/limits.h"

static void test_end(void **state)
{
	static const struct {
		const char *name;
		int zero_blocks;
		const char *after;
		bool refuse;
	} cases[] = {
		{ "two blocks", 2, "", false },
		{ "one block", 1, "", false },
		{ "none", 0, "", false },
		{ "padding", 20, "", false },
		{ "junk after the end", 2, "junk", false },
		{ "refuse-member-after-one", 1, "member", true },
		{ "refuse-half-block", 0, "half", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(str_fini) struct str tar = { 0 }, text = { 0 };
		struct err e = { 0 };
		raw_add(&tar, &(struct raw){ .name = "a", .body = B("x") });
		for (int z = 0; z < cases[i].zero_blocks * TAR_BLOCK_SIZE; z++)
			str_addc(&tar, '\0');
		if (str_eq(cases[i].after, "member"))
			raw_add(&tar, &(struct raw){ .name = "b" });
		else
			str_add(&tar, cases[i].after);
		if (read_tar(tar.buf, tar.len, 512, &text, &e) != (cases[i].refuse ? -1 : 0))
			fail_msg("%s: %s", cases[i].name, e.msg);
		assert_string_equal(str_text(&text), "f 644 0:0 1 7 a x\n");
	}
	struct err e = { 0 };
	AUTO(str_fini) struct str text = { 0 };
	assert_int_equal(read_tar("", 0, 512, &text, &e), 0);
}

/* Cut anywhere, an archive is refused, but for the places between members. */
static void test_truncated(void **state)
{
	AUTO(str_fini) struct str tar = { 0 };
	raw_add(&tar, &(struct raw){ .type = 'x', .pax = "path=long\nSCHILY.xattr.user.a=1\n" });
	raw_add(&tar, &(struct raw){ .name = "a", .body = B("abc") });
	raw_add(&tar, &(struct raw){ .type = '5', .name = "d" });
	for (size_t n = 0; n < tar.len; n++) {
		AUTO(str_fini) struct str text = { 0 };
		struct err e = { 0 };
		/* An allocation of its own, so that AddressSanitizer sees a read past the end. */
		AUTO(free_drop) char *part = x_memdup(tar.buf, n);
		bool whole = n == 0 || n == tar.len - TAR_BLOCK_SIZE;
		if (read_tar(part, n, 100, &text, &e) != (whole ? 0 : -1))
			fail_msg("cut at %zu: %s", n, e.msg);
		text.len = 0;
		(void)read_tar(part, n, 0, &text, &e); /* contents skipped instead */
	}
}

static void add_long(struct str *out, const char *key, size_t n)
{
	AUTO(str_fini) struct str record = { 0 };
	str_addf(&record, "%s=", key);
	for (size_t i = 0; i < n; i++)
		str_addc(&record, 'v');
	str_addc(&record, '\n');
	add_pax_record(out, record.buf, record.len);
}

static int read_with_records(const struct str *body, const struct raw *member)
{
	AUTO(str_fini) struct str tar = { 0 }, text = { 0 };
	struct err e = { 0 };
	raw_add(&tar, &(struct raw){ .type = 'x', .body = { body->buf, body->len } });
	raw_add(&tar, member);
	tar_end(&tar);
	int got = read_tar(tar.buf, tar.len, 0, &text, &e);
	if (got < 0)
		assert_int_equal(e.kind, ERR_LIMIT);
	return got;
}

static void test_limits(void **state)
{
	const struct raw file = { .name = "a" }, link = { .type = '2', .name = "a", .link = "b" };
	/* "1048576 comment=" and the newline */
	enum { AROUND = 7 + 1 + 8 + 1 };
	static const struct {
		const char *key;
		size_t limit;
	} values[] = {
		{ "path", LIMIT_TAR_PATH },
		{ "SCHILY.xattr.user.a", LIMIT_XATTR_VALUE },
		{ "comment", LIMIT_PAX_RECORD - AROUND },
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		for (size_t n = values[i].limit - 1; n <= values[i].limit + 1; n++) {
			AUTO(str_fini) struct str body = { 0 };
			add_long(&body, values[i].key, n);
			if (read_with_records(&body, &file) != (n > values[i].limit ? -1 : 0))
				fail_msg("%s of %zu bytes", values[i].key, n);
		}
	for (size_t n = LIMIT_LINK_TARGET - 1; n <= LIMIT_LINK_TARGET + 1; n++) {
		AUTO(str_fini) struct str body = { 0 };
		add_long(&body, "linkpath", n);
		assert_int_equal(read_with_records(&body, &link), n > LIMIT_LINK_TARGET ? -1 : 0);
	}
	for (size_t n = LIMIT_XATTRS - 1; n <= LIMIT_XATTRS + 1; n++) {
		AUTO(str_fini) struct str body = { 0 };
		for (size_t i = 0; i < n; i++) {
			AUTO(free_drop) char *key = x_asprintf("SCHILY.xattr.user.%zu", i);
			add_long(&body, key, 1);
		}
		assert_int_equal(read_with_records(&body, &file), n > LIMIT_XATTRS ? -1 : 0);
	}
}

static void test_limit_of_gnu_name(void **state)
{
	for (size_t n = LIMIT_TAR_PATH - 1; n <= LIMIT_TAR_PATH + 1; n++) {
		AUTO(str_fini) struct str name = { 0 }, tar = { 0 }, text = { 0 };
		struct err e = { 0 };
		while (name.len < n)
			str_addc(&name, 'n');
		raw_add(&tar, &(struct raw){ .type = 'L', .body = { name.buf, n + 1 } });
		raw_add(&tar, &(struct raw){ .name = "a" });
		assert_int_equal(read_tar(tar.buf, tar.len, 0, &text, &e), n > LIMIT_TAR_PATH ? -1 : 0);
	}
}

static void test_limit_of_entry(void **state)
{
	const struct raw file = { .name = "a" };
	for (size_t n = LIMIT_PAX_ENTRY - 1; n <= LIMIT_PAX_ENTRY + 1; n++) {
		AUTO(str_fini) struct str body = { 0 };
		for (size_t i = 0; i < 4; i++)
			add_long(&body, "comment", 1000000);
		add_long(&body, "comment", n - body.len - 6 - 1 - 8 - 1);
		assert_int_equal(body.len, n);
		assert_int_equal(read_with_records(&body, &file), n > LIMIT_PAX_ENTRY ? -1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limit_of_gnu_name),
		cmocka_unit_test(test_limit_of_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
