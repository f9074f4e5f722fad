/* listing: the text of each kind of entry, and texts that must be refused. */
#include "layers.h"

static const char head[] = "nacre-listing 1\n";

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of "abc" */

static const struct {
	struct list_entry entry;
	const char *line;
} lines[] = {
	{ { .tar = { TAR_DIR, ".", .mode = 0755 } }, "d 0755 0 0 0 0 - - ." },
	{ { .tar = { TAR_FILE, "a/b", .mode = 04755, .uid = 1, .gid = 4294967294, .size = 3, .mtime = 7 } },
	  "f 4755 1 4294967294 3 7 - - a/b" },
	{ { .tar = { TAR_FILE, "a", .mtime = -3, .mtime_ns = 250000000 } }, "f 0000 0 0 0 -3.250000000 - - a" },
	{ { .tar = { TAR_FILE, "a", .mtime = INT64_MIN, .size = INT64_MAX } },
	  "f 0000 0 0 9223372036854775807 -9223372036854775808 - - a" },
	{ { .tar = { TAR_SYMLINK, "l", "../x y", .mode = 0777 } }, "l 0777 0 0 0 0 - - l ../x\\040y" },
	{ { .tar = { TAR_HARDLINK, "h", "a=b" } }, "h 0000 0 0 0 0 - - h a\\075b" },
	{ { .tar = { TAR_CHAR, "c", .major = 1, .minor = 3 } }, "c 0000 0 0 0 0 1:3 - c" },
	{ { .tar = { TAR_BLOCK, "b", .major = UINT32_MAX } }, "b 0000 0 0 0 0 4294967295:0 - b" },
	{ { .tar = { TAR_FIFO, "p" } }, "p 0000 0 0 0 0 - - p" },
	{ { .tar = { TAR_FILE, "\n\\\t\x7f\xc3\xb6~!" } }, "f 0000 0 0 0 0 - - \\012\\134\\011\\177\\303\\266~!" },
	{ { .tar = { TAR_FILE, "xattr" } }, "f 0000 0 0 0 0 - - xattr" },
	{ { .tar = { TAR_SYMLINK, "l", "xattr" } }, "l 0000 0 0 0 0 - - l xattr" },
	{ { .kind = LIST_WHITEOUT, .tar = { .path = "d/gone" } }, "w 0000 0 0 0 0 - - d/gone" },
	{ { .kind = LIST_OPAQUE, .tar = { .path = "d" } }, "o 0000 0 0 0 0 - - d" },
};

static void one_line(const char *line, struct str *out)
{
	str_clear(out);
	str_addf(out, "%s%s\n", head, line);
}

static void check_back(const struct list_entry *got, const struct list_entry *want)
{
	const struct tar_entry *a = &got->tar, *b = &want->tar;
	assert_int_equal(got->kind, want->kind);
	assert_int_equal(a->type, b->type);
	assert_string_equal(a->path, b->path);
	assert_true(str_eq(a->link, b->link));
	assert_int_equal(a->mode, b->mode);
	assert_true(a->uid == b->uid && a->gid == b->gid && a->size == b->size);
	assert_true(a->mtime == b->mtime && a->mtime_ns == b->mtime_ns);
	assert_true(a->major == b->major && a->minor == b->minor);
	assert_int_equal(got->has_digest, want->has_digest);
}

static void test_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		AUTO(str_fini) struct str want = { 0 }, text = { 0 };
		AUTO(listing_fini) struct listing l = { 0 };
		struct err e = { 0 };
		one_line(lines[i].line, &want);
		listing_add_text(&text, &lines[i].entry);
		assert_string_equal(str_text(&text), want.buf);
		if (listing_parse(text.buf, text.len, "it", &l, &e) < 0)
			fail_msg("%s", e.msg);
		assert_int_equal(l.n, 1);
		check_back(&l.v[0], &lines[i].entry);
	}
}

static void test_digest_and_xattrs(void **state)
{
	struct list_entry entry = { .tar = { TAR_FILE, "f", .size = 3 }, .has_digest = true };
	AUTO(str_fini) struct str text = { 0 };
	AUTO(listing_fini) struct listing l = { 0 };
	struct err e = { 0 };
	entry.digest = digest_of("abc", 3);
	tar_xattrs_add(&entry.tar.xattrs, "user.b c=d", "", 0);
	tar_xattrs_add(&entry.tar.xattrs, "security.capability", "\1\0\xff", 3);
	listing_add_text(&text, &entry);
	listing_add_text(&text, &entry);
	assert_string_equal(str_text(&text),
			    "nacre-listing 1\n"
			    "f 0000 0 0 3 0 - " HEX " f xattr security.capability=0100ff user.b\\040c\\075d=\n"
			    "f 0000 0 0 3 0 - " HEX " f xattr security.capability=0100ff user.b\\040c\\075d=\n");
	assert_int_equal(listing_parse(text.buf, text.len, "it", &l, &e), 0);
	assert_int_equal(l.n, 2);
	assert_true(l.v[1].has_digest && digest_eq(&l.v[1].digest, &entry.digest));
	assert_int_equal(l.v[1].tar.xattrs.n, 2);
	assert_string_equal(l.v[1].tar.xattrs.v[1].name, "user.b c=d");
	assert_memory_equal(l.v[1].tar.xattrs.v[0].value, "\1\0\xff", 3);
	tar_xattrs_fini(&entry.tar.xattrs);
}

static const char *const refused[] = {
	"",
	"f",
	"x 0644 0 0 0 0 - - a",
	"ff 0644 0 0 0 0 - - a",
	"f 0648 0 0 0 0 - - a",
	"f 10000 0 0 0 0 - - a",
	"f 0644 -1 0 0 0 - - a",
	"f 0644 0 4294967296 0 0 - - a",
	"f 0644 0 0 -1 0 - - a",
	"f 0644 0 0 9223372036854775808 0 - - a",
	"f 0644 0 0 0 9223372036854775808 - - a",
	"f 0644 0 0 0 -9223372036854775809 - - a",
	"f 0644 0 0 0 0.5 - - a",
	"f 0644 0 0 0 0.5000000000 - - a",
	"f 0644 0 0 0 . - - a",
	"f 0644 0 0 0 0 1:3 - a",
	"c 0644 0 0 0 0 - - a",
	"c 0644 0 0 0 0 1 - a",
	"f 0644 0 0 0 0 - sha256:" HEX " a",
	"f 0644 0 0 0 0 - BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD a",
	"f 0644 0 0 0 0 - ba78 a",
	"f 0644 0 0 0 0 - -",
	"f 0644 0 0 0 0 - - ",
	"f 0644 0 0 0 0 - - a ",
	"f 0644 0 0 0 0 - -  a",
	"f 0644 0 0 0 0 - - a link",
	"f 0644 0 0 0 0 - - ../a",
	"f 0644 0 0 0 0 - - a/\\056./b",
	"f 0644 0 0 0 0 - - /a",
	"f 0644 0 0 0 0 - - a\\000b",
	"f 0644 0 0 0 0 - - a\\01",
	"f 0644 0 0 0 0 - - a\\777",
	"f 0644 0 0 0 0 - - a\\142",
	"f 0644 0 0 0 0 - - a\\",
	"l 0777 0 0 0 0 - - a",
	"f 0644 0 0 0 0 - - a xattr",
	"f 0644 0 0 0 0 - - a xattr ",
	"f 0644 0 0 0 0 - - a xattr user.a",
	"f 0644 0 0 0 0 - - a xattr =00",
	"f 0644 0 0 0 0 - - a xattr user.a=0",
	"f 0644 0 0 0 0 - - a xattr user.a=0g",
	"f 0644 0 0 0 0 - - a xattr user.a=FF",
};

static void refuse(const char *bytes, size_t n)
{
	struct listing l = { 0 };
	struct err e = { 0 };
	if (listing_parse(bytes, n, "it", &l, &e) == 0)
		fail_msg("accepted: %s", bytes);
	assert_int_equal(e.kind, ERR_SPEC);
	assert_int_equal(l.n, 0);
}

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		AUTO(str_fini) struct str text = { 0 };
		one_line(refused[i], &text);
		refuse(text.buf, text.len);
	}
	refuse("", 0);
	refuse("nacre-listing 2\n", 16);
	refuse("nacre-listing 1", 15);
	refuse("nacre-listing 1\nf 0644 0 0 0 0 - - a", 36);
	refuse("nacre-listing 1\nf 0644 0 0 0 0 - - \0\n", 37);

	struct listing l = { 0 };
	struct err e = { 0 };
	assert_int_equal(listing_parse(head, sizeof head - 1, "it", &l, &e), 0);
	assert_int_equal(l.n, 0);
}

static void test_store(void **state)
{
	struct bench b;
	struct diffid d = { digest_of("a layer", 7) };
	AUTO(listing_fini) struct listing l = { 0 };
	AUTO(str_fini) struct str text = { 0 }, empty = { 0 };
	struct err e = { 0 };
	bench_open(&b);
	assert_int_equal(listing_load(&b.store, &d, &l, &e), 1);
	listing_add_text(&text, &lines[0].entry);
	listing_add_text(&text, &lines[1].entry);
	assert_int_equal(listing_save(&b.store, &d, &text, &e), 0);
	assert_int_equal(listing_load(&b.store, &d, &l, &e), 0);
	assert_int_equal(l.n, 2);
	listing_fini(&l);
	assert_int_equal(listing_save(&b.store, &d, &empty, &e), 0);
	assert_int_equal(listing_load(&b.store, &d, &l, &e), 0);
	assert_int_equal(l.n, 0);
	/* What can not be read can be made again. */
	AUTO(free_drop) char *name = x_asprintf("list/%s", digest_hex(&d.d).s);
	assert_int_equal(store_file_put(&b.store, name, "nacre-listing 1\nrubbish\n", 24, &e), 0);
	assert_int_equal(listing_load(&b.store, &d, &l, &e), 1);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_digest_and_xattrs),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
