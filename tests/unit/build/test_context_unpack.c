/* A context that comes as one file: what counts as an archive, and what is kept of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/tar_write.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/tree.h"
#include "oci/fsview.h"
#include "src/build/context_unpack_priv.h"

struct fixture { char dir[64]; int contents, file; };

static int set_up(void **state)
{
	static struct fixture f;
	strcpy(f.dir, "/var/tmp/nacre-test-XXXXXX");
	if (!mkdtemp(f.dir))
		return -1;
	f.contents = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f.file = memfd_create("context", MFD_CLOEXEC);
	*state = &f;
	return f.contents < 0 || f.file < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	fd_drop(&f->contents);
	fd_drop(&f->file);
	return tree_remove(AT_FDCWD, f->dir);
}

static void what_begins_an_archive(void **state)
{
	unsigned char head[ARCHIVE_HEAD] = { 0 };
	struct str tar = { 0 };
	struct err e;
	struct tar_entry dir = { .type = TAR_DIR, .path = (char *)"d", .mode = 0755 };
	struct sink *out = sink_mem(&tar);
	(void)state;
	assert_true(archive_head((const unsigned char *)"\x1f\x8b\x08", 3));
	assert_false(archive_head((const unsigned char *)"\x1f\x8b", 2));
	assert_true(archive_head((const unsigned char *)"BZh9", 4));
	assert_true(archive_head((const unsigned char *)"\xfd" "7zXZ\0", 6));
	assert_true(archive_head((const unsigned char *)"\x28\xb5\x2f\xfd", 4));
	assert_true(archive_head(head, sizeof head)); /* the end of an archive of nothing */
	assert_false(archive_head(head, sizeof head - 1));
	assert_false(archive_head(NULL, 0));
	memset(head, 'F', sizeof head);
	assert_false(archive_head(head, sizeof head));
	assert_int_equal(tar_write_entry(out, &dir, &e), 0);
	assert_int_equal(sink_finish(out, &e), 0);
	sink_free(out);
	memcpy(head, tar.buf, sizeof head);
	assert_true(archive_head(head, sizeof head));
	head[0]++;
	assert_false(archive_head(head, sizeof head));
	str_fini(&tar);
}

static void add(struct sink *out, const char *path, enum tar_type type, const char *text, mode_t mode, int64_t time)
{
	struct err e;
	struct tar_entry t = {
		.type = type, .path = (char *)path, .mode = mode, .mtime = time, .uid = 12345, .major = 1, .minor = 3,
		.link = type == TAR_FILE ? NULL : (char *)text, .size = type == TAR_FILE ? strlen(text) : 0,
	};
	assert_int_equal(tar_write_entry(out, &t, &e), 0);
	if (type == TAR_FILE) {
		assert_int_equal(sink_write(out, text, t.size, &e), 0);
		assert_int_equal(tar_write_pad(out, t.size, &e), 0);
	}
}

static void contents_go_under_their_digests(void **state)
{
	struct fixture *f = *state;
	struct err e;
	struct unpacked u = { 0 };
	struct strv names = { 0 };
	struct listing l = { 0 };
	struct sink *out = sink_fd(f->file, "archive");
	add(out, "d", TAR_DIR, NULL, 0, 900);
	add(out, "d/a", TAR_FILE, "same", 0, 500);
	add(out, "b", TAR_FILE, "same", 04711, 300);
	add(out, "null", TAR_CHAR, NULL, 0666, 800);
	add(out, "link", TAR_SYMLINK, "/etc/passwd", 0777, 700);
	assert_int_equal(tar_write_end(out, &e), 0);
	assert_int_equal(sink_finish(out, &e), 0);
	sink_free(out);
	assert_int_equal(context_unpack(f->file, "it", f->contents, &u, &e), 0);
	assert_true(u.archive && u.has_newest);
	assert_int_equal(u.newest, 500); /* of regular files */
	assert_int_equal(dir_names(f->contents, &names, &e), 0);
	struct digest same = digest_of("same", 4);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.v[0], digest_hex(&same).s);
	assert_int_equal(listing_parse(u.listing.buf, u.listing.len, "it", &l, &e), 0);
	assert_int_equal(l.n, 5);
	assert_int_equal(l.v[2].tar.mode, 04711);
	assert_true(l.v[2].has_digest && digest_eq(&l.v[2].digest, &same));
	assert_int_equal(l.v[3].tar.type, TAR_CHAR);
	assert_string_equal(l.v[4].tar.link, "/etc/passwd");
	listing_fini(&l);
	strv_fini(&names);
	str_fini(&u.listing);
}

static void anything_else_is_one_file(void **state)
{
	struct fixture *f = *state;
	struct err e;
	struct unpacked u = { 0 };
	struct listing l = { 0 };
	assert_int_equal(fd_write_all(f->file, "FROM scratch\n", 13, "file", &e), 0);
	assert_int_equal(context_unpack(f->file, "it", f->contents, &u, &e), 0);
	assert_false(u.archive || u.has_newest);
	assert_int_equal(listing_parse(u.listing.buf, u.listing.len, "it", &l, &e), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].tar.path, "context");
	assert_int_equal(l.v[0].tar.size, 13);
	listing_fini(&l);
	str_fini(&u.listing);
}

static void broken_archives(void **state)
{
	struct fixture *f = *state;
	struct err e;
	struct unpacked u = { 0 };
	assert_int_equal(fd_write_all(f->file, "\x1f\x8b\x08 no more", 11, "file", &e), 0);
	assert_int_equal(context_unpack(f->file, "it", f->contents, &u, &e), -1);
	assert_non_null(strstr(e.msg, "unpack it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_begins_an_archive),
		cmocka_unit_test_setup_teardown(contents_go_under_their_digests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(anything_else_is_one_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(broken_archives, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
