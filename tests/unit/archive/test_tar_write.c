/* tar_write: the bytes of headers, and that what is written reads back as it was. */
#include "tars.h"

#include "base/limits.h"

struct write_case {
	const char *what;
	struct tar_entry entry;
	const char *records; /* of its pax header, each as "LEN KEY=VALUE\n"; NULL: there must be none */
};

#define T100 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define T50 "01234567890123456789012345678901234567890123456789"

static const struct write_case cases[] = {
	{ "plain", { TAR_FILE, "a", .mode = 0644, .mtime = 1 }, NULL },
	{ "all bits", { TAR_FILE, "a", .mode = 07777, .uid = 2097151, .gid = 2097151, .mtime = 8589934592 - 1 }, NULL },
	{ "directory", { TAR_DIR, "a/b", .mode = 0755 }, NULL },
	{ "root", { TAR_DIR, ".", .mode = 0755 }, NULL },
	{ "symlink", { TAR_SYMLINK, "a", "../b", .mode = 0777 }, NULL },
	{ "hard link", { TAR_HARDLINK, "a", "b/c", .mode = 0644 }, NULL },
	{ "char", { TAR_CHAR, "a", .mode = 0600, .major = 4095, .minor = 1048575 }, NULL },
	{ "block", { TAR_BLOCK, "a", .mode = 0600, .major = 8, .minor = 1 }, NULL },
	{ "fifo", { TAR_FIFO, "a", .mode = 0600 }, NULL },
	{ "name of 100", { TAR_FILE, T100, .mode = 0644 }, NULL },
	{ "directory name of 99",
	  { TAR_DIR, "a/" T50 "0123456789012345678901234567890123456789012345", .mode = 0755 },
	  NULL },
	{ "split name", { TAR_FILE, "d/" T100, .mode = 0644 }, NULL },
	{ "longest split name", { TAR_FILE, T100 T50 "01234/" T100, .mode = 0644 }, NULL },
	{ "directory that can be split", { TAR_DIR, T100 "/sub", .mode = 0755 }, NULL },
	{ "name of 101", { TAR_FILE, T100 "x", .mode = 0644 }, "111 path=" T100 "x\n" },
	{ "directory that can not be split", { TAR_DIR, T100, .mode = 0755 }, "111 path=" T100 "/\n" },
	{ "prefix of 156",
	  { TAR_FILE, T100 T50 "012345/" T100, .mode = 0644 },
	  "267 path=" T100 T50 "012345/" T100 "\n" },
	{ "no slash at the right place", { TAR_FILE, T50 "/" T100 "x", .mode = 0644 }, "162 path=" T50 "/" T100 "x\n" },
	{ "not ASCII", { TAR_FILE, "sm\xc3\xb6r", .mode = 0644 }, "14 path=sm\xc3\xb6r\n" },
	{ "not UTF-8", { TAR_FILE, "\xff", .mode = 0644 }, "9 path=\xff\n" },
	{ "newline", { TAR_FILE, "a\nb", .mode = 0644 }, NULL },
	{ "target of 100", { TAR_SYMLINK, "a", T100, .mode = 0777 }, NULL },
	{ "target of 101", { TAR_SYMLINK, "a", T100 "x", .mode = 0777 }, "115 linkpath=" T100 "x\n" },
	{ "target not ASCII", { TAR_HARDLINK, "a", "\xc3\xb6", .mode = 0777 }, "15 linkpath=\xc3\xb6\n" },
	{ "uid", { TAR_FILE, "a", .uid = 2097152 }, "15 uid=2097152\n" },
	{ "gid", { TAR_FILE, "a", .gid = 4294967294 }, "18 gid=4294967294\n" },
	{ "before 1970", { TAR_FILE, "a", .mtime = -1 }, "12 mtime=-1\n" },
	{ "late", { TAR_FILE, "a", .mtime = 8589934592 }, "20 mtime=8589934592\n" },
};

static struct str written(const struct tar_entry *t)
{
	struct str out = { 0 };
	struct err e = { 0 };
	AUTO(sink_drop) struct sink *s = sink_mem(&out);
	if (tar_write_entry(s, t, &e) < 0)
		fail_msg("%s", e.msg);
	return out;
}

static const struct tar_header *header_at(const struct str *tar, size_t block)
{
	assert_true(tar->len >= (block + 1) * TAR_BLOCK_SIZE);
	return (const struct tar_header *)(tar->buf + block * TAR_BLOCK_SIZE);
}

static void check_header(const struct tar_header *h)
{
	assert_true(tar_checksum_is_right(h));
	assert_memory_equal(h->magic, "ustar\00000", 8);
	assert_int_equal(h->uname[0] | h->gname[0], 0);
	assert_int_equal(h->fill[0], 0);
	assert_int_equal(h->chksum[6], 0);
	assert_int_equal(h->chksum[7], ' ');
}

static void test_headers(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(str_fini) struct str tar = written(&cases[i].entry), want = { 0 }, text = { 0 };
		struct err e = { 0 };
		check_header(header_at(&tar, 0));
		if (cases[i].records) {
			size_t n = strlen(cases[i].records);
			assert_int_equal(header_at(&tar, 0)->type, 'x');
			assert_memory_equal(tar.buf + TAR_BLOCK_SIZE, cases[i].records, n);
			assert_int_equal(tar.buf[TAR_BLOCK_SIZE + n], 0);
			check_header(header_at(&tar, 1 + (n + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE));
		} else {
			assert_int_equal(tar.len, TAR_BLOCK_SIZE);
		}
		add_entry_text(&want, &cases[i].entry);
		str_addc(&want, '\n');
		assert_int_equal(read_tar(tar.buf, tar.len, 0, &text, &e), 0);
		assert_string_equal(str_text(&text), str_text(&want));
	}
}

static void test_large_file(void **state)
{
	const struct tar_entry fits = { TAR_FILE, "a", .size = 8589934591 },
			       large = { TAR_FILE, "a", .size = 8589934592 };
	AUTO(str_fini) struct str one = written(&fits), two = written(&large);
	assert_int_equal(one.len, TAR_BLOCK_SIZE);
	assert_memory_equal(header_at(&one, 0)->size, "77777777777", 12);
	assert_memory_equal(two.buf + TAR_BLOCK_SIZE, "19 size=8589934592\n", 20);
	assert_memory_equal(header_at(&two, 2)->size, "00000000000", 12);
}

static void test_fractions(void **state)
{
	const struct tar_entry with = { TAR_FILE, "a", .mtime = 5, .mtime_ns = 999999999 },
			       without = { TAR_FILE, "a", .mtime = 5 };
	AUTO(str_fini) struct str one = written(&with), two = written(&without);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.buf, two.buf, one.len);
}

static void test_xattrs(void **state)
{
	struct tar_entry t = { TAR_FILE, "a", .mode = 0644, .mtime = 7 };
	AUTO(str_fini) struct str text = { 0 };
	struct err e = { 0 };
	tar_xattrs_add(&t.xattrs, "user.z", "1", 1);
	tar_xattrs_add(&t.xattrs, "security.capability", "\1\0\0\2", 4);
	tar_xattrs_add(&t.xattrs, "user.empty", "", 0);
	tar_xattrs_add(&t.xattrs, "user.z", "a\nb=c", 5);
	AUTO(str_fini) struct str tar = written(&t);
	assert_int_equal(read_tar(tar.buf, tar.len, 0, &text, &e), 0);
	assert_string_equal(
		str_text(&text),
		"f 644 0:0 0 7 a {security.capability=\\x01\\x00\\x00\\x02} {user.empty=} {user.z=a\\x0ab=c}\n");
	tar_xattrs_fini(&t.xattrs);
}

static void refuse(const struct tar_entry *t, enum err_kind kind)
{
	AUTO(sink_drop) struct sink *s = sink_null();
	struct err e = { 0 };
	assert_int_equal(tar_write_entry(s, t, &e), -1);
	assert_int_equal(e.kind, kind);
}

static void test_refused(void **state)
{
	refuse(&(struct tar_entry){ TAR_CHAR, "a", .major = 2097152 }, ERR_SPEC);
	refuse(&(struct tar_entry){ TAR_BLOCK, "a", .minor = UINT32_MAX }, ERR_SPEC);
	refuse(&(struct tar_entry){ TAR_FILE, "a", .size = UINT64_MAX }, ERR_LIMIT);

	struct tar_entry t = { TAR_FILE, "a" };
	tar_xattrs_add(&t.xattrs, "user.a=b", "1", 1);
	refuse(&t, ERR_SPEC);
	tar_xattrs_fini(&t.xattrs);

	AUTO(free_drop) char *value = x_alloc(LIMIT_XATTR_VALUE);
	for (int i = 0; i < 65; i++) {
		AUTO(free_drop) char *name = x_asprintf("user.%d", i);
		tar_xattrs_add(&t.xattrs, name, value, LIMIT_XATTR_VALUE);
	}
	refuse(&t, ERR_LIMIT);
	tar_xattrs_fini(&t.xattrs);
}

static void test_whole_archive(void **state)
{
	AUTO(str_fini) struct str tar = { 0 }, text = { 0 };
	AUTO(sink_drop) struct sink *s = sink_mem(&tar);
	struct err e = { 0 };
	assert_int_equal(tar_write_entry(s, &(struct tar_entry){ TAR_FILE, "a", .mode = 0600, .size = 3 }, &e), 0);
	assert_int_equal(sink_write(s, "abc", 3, &e), 0);
	assert_int_equal(tar_write_pad(s, 3, &e), 0);
	assert_int_equal(tar_write_entry(s, &(struct tar_entry){ TAR_FILE, "b", .mode = 0600, .size = 512 }, &e), 0);
	for (int i = 0; i < 512; i++)
		assert_int_equal(sink_write(s, "b", 1, &e), 0);
	assert_int_equal(tar_write_pad(s, 512, &e), 0);
	assert_int_equal(tar_write_end(s, &e), 0);
	assert_int_equal(tar.len, 512 * (1 + 1 + 1 + 1 + 2));
	assert_int_equal(read_tar(tar.buf, tar.len, 100, &text, &e), 0);
	assert_true(str_starts(str_text(&text), "f 600 0:0 3 0 a abc\nf 600 0:0 512 0 b bbb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers), cmocka_unit_test(test_large_file), cmocka_unit_test(test_fractions),
		cmocka_unit_test(test_xattrs),  cmocka_unit_test(test_refused),    cmocka_unit_test(test_whole_archive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
