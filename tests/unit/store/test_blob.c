/* Blobs: what is written is found under its digest, once, whole, and nothing else is (THREATS H4, H8, A10). */
#include "temp_store.h"

#include "base/digest.h"
#include "base/fd.h"
#include "store/blob.h"

static struct digest put(struct temp *t, const char *text)
{
	struct digest d;
	struct err e;
	if (blob_put(&t->s, text, strlen(text), &d, &e) < 0)
		fail_msg("%s", e.msg);
	return d;
}

static char *blob_path(const struct digest *d)
{
	return x_asprintf("blobs/sha256/%s", digest_hex(d).s);
}

static void test_put_and_read(void **state)
{
	struct temp *t = *state;
	static const char *const texts[] = { "", "{}", "hello\n" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(str_fini) struct str got = { 0 };
		struct err e;
		uint64_t size = 99;
		struct digest want = digest_of(texts[i], strlen(texts[i]));
		assert_false(blob_exists(&t->s, &want, &size));
		assert_int_equal(blob_read(&t->s, &want, 100, &got, &e), -1);
		assert_int_equal(e.kind, ERR_NOTFOUND);
		struct digest d = put(t, texts[i]);
		assert_true(digest_eq(&d, &want));
		assert_true(blob_exists(&t->s, &d, &size));
		assert_int_equal(size, strlen(texts[i]));
		assert_int_equal(blob_read(&t->s, &d, 100, &got, &e), 0);
		assert_string_equal(str_text(&got), texts[i]);
	}
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

static void test_limit(void **state)
{
	struct temp *t = *state;
	struct digest d = put(t, "0123456789");
	for (size_t limit = 9; limit <= 11; limit++) {
		AUTO(str_fini) struct str got = { 0 };
		struct err e;
		int r = blob_read(&t->s, &d, limit, &got, &e);
		assert_int_equal(r, limit < 10 ? -1 : 0);
		if (r < 0)
			assert_int_equal(e.kind, ERR_LIMIT);
	}
}

/* What a power cut may leave: an empty file, a short one, one with other bytes. */
static void test_damaged_is_replaced(void **state)
{
	struct temp *t = *state;
	static const char *const damages[] = { "", "hel", "jello\n", "hello\nworld\n" };
	struct digest d = put(t, "hello\n");
	AUTO(free_drop) char *path = blob_path(&d);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		AUTO(str_fini) struct str got = { 0 };
		struct err e;
		overwrite(&t->s, path, damages[i], strlen(damages[i]));
		assert_int_equal(blob_read(&t->s, &d, 100, &got, &e), -1);
		assert_int_equal(e.kind, ERR_INTEGRITY);
		assert_int_equal(got.len, 0);
		put(t, "hello\n");
		assert_int_equal(blob_read(&t->s, &d, 100, &got, &e), 0);
		assert_string_equal(got.buf, "hello\n");
	}
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

static void test_not_a_file(void **state)
{
	struct temp *t = *state;
	struct digest d = digest_of("x", 1);
	AUTO(free_drop) char *path = blob_path(&d);
	int fd = -1;
	struct err e;

	assert_int_equal(symlinkat("/etc/passwd", t->s.fd, path), 0);
	assert_false(blob_exists(&t->s, &d, NULL));
	assert_int_equal(blob_open(&t->s, &d, &fd, &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
	assert_int_equal(unlinkat(t->s.fd, path, 0), 0);

	assert_int_equal(mkfifoat(t->s.fd, path, 0600), 0); /* opening it would wait for a writer */
	assert_false(blob_exists(&t->s, &d, NULL));
	assert_int_equal(blob_open(&t->s, &d, &fd, &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
	assert_int_equal(unlinkat(t->s.fd, path, 0), 0);

	assert_int_equal(mkdirat(t->s.fd, path, 0700), 0);
	assert_false(blob_exists(&t->s, &d, NULL));
	assert_int_equal(blob_open(&t->s, &d, &fd, &e), -1);
	assert_int_equal(fd, -1);
}

static void open_and_fill(struct temp *t, struct blob_writer *w, const char *text)
{
	struct err e;
	if (blob_writer_open(&t->s, w, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fd_write_all(w->fd, text, strlen(text), "blob", &e), 0);
}

static void test_writer(void **state)
{
	struct temp *t = *state;
	AUTO(blob_writer_drop) struct blob_writer w = { 0 };
	struct digest d = digest_of("layer", 5);
	struct err e;
	open_and_fill(t, &w, "layer");
	assert_int_equal(count_in(&t->s, "tmp"), 1);
	assert_false(blob_exists(&t->s, &d, NULL));
	assert_int_equal(blob_writer_commit(&w, &d, &e), 0);
	assert_true(blob_exists(&t->s, &d, NULL));
	assert_int_equal(count_in(&t->s, "tmp"), 0);
	blob_writer_drop(&w); /* closed: nothing happens */
	assert_true(blob_exists(&t->s, &d, NULL));
}

static void test_writer_dropped(void **state)
{
	struct temp *t = *state;
	struct blob_writer w = { 0 };
	open_and_fill(t, &w, "layer");
	errno = 77;
	blob_writer_drop(&w);
	assert_int_equal(errno, 77);
	assert_int_equal(count_in(&t->s, "tmp"), 0);
	assert_int_equal(count_in(&t->s, "blobs/sha256"), 0);
}

/* The inode of the blob: that it stays the same shows that the second writer's file was not put over the first's. */
static ino_t inode_of(struct temp *t, const struct digest *d)
{
	struct stat st;
	AUTO(free_drop) char *path = blob_path(d);
	assert_int_equal(fstatat(t->s.fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

static void test_first_writer_wins(void **state)
{
	struct temp *t = *state;
	struct blob_writer a, b;
	struct digest d = digest_of("layer", 5);
	struct err e;
	open_and_fill(t, &a, "layer");
	open_and_fill(t, &b, "layer");
	assert_int_equal(blob_writer_commit(&a, &d, &e), 0);
	ino_t first = inode_of(t, &d);
	assert_int_equal(blob_writer_commit(&b, &d, &e), 0);
	assert_int_equal(inode_of(t, &d), first);
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

static void test_writer_replaces_short_blob(void **state)
{
	struct temp *t = *state;
	struct blob_writer w;
	struct digest d = digest_of("layer", 5);
	struct err e;
	AUTO(free_drop) char *path = blob_path(&d);
	AUTO(str_fini) struct str got = { 0 };
	overwrite(&t->s, path, "la", 2);
	open_and_fill(t, &w, "layer");
	assert_int_equal(blob_writer_commit(&w, &d, &e), 0);
	assert_int_equal(blob_read(&t->s, &d, 100, &got, &e), 0);
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

enum { WRITERS = 8, ROUNDS = 20 };

/* Every child commits the same blobs in the same order; each must succeed and find them whole. */
static int commit_all(struct temp *t)
{
	for (int i = 0; i < ROUNDS; i++) {
		char text[32];
		int n = snprintf(text, sizeof text, "blob %d", i);
		struct digest d = digest_of(text, (size_t)n);
		struct blob_writer w;
		AUTO(str_fini) struct str got = { 0 };
		struct err e;
		if (blob_writer_open(&t->s, &w, &e) < 0 || fd_write_all(w.fd, text, (size_t)n, "blob", &e) < 0 ||
		    blob_writer_commit(&w, &d, &e) < 0 || blob_read(&t->s, &d, 100, &got, &e) < 0)
			return 1;
	}
	return 0;
}

static void test_commit_race(void **state)
{
	struct temp *t = *state;
	pid_t pids[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(commit_all(t));
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_in(&t->s, "blobs/sha256"), ROUNDS);
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

static void test_mode_whatever_the_umask(void **state)
{
	struct temp *t = *state;
	static const mode_t masks[] = { 000, 022, 077, 0777 };
	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		char text[32];
		struct stat st;
		snprintf(text, sizeof text, "umask %o", masks[i]);
		mode_t old = umask(masks[i]);
		struct digest d = put(t, text);
		umask(old);
		AUTO(free_drop) char *path = blob_path(&d);
		assert_int_equal(fstatat(t->s.fd, path, &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0644);
	}
}

/* A directory of tmp/ with a file in it, whose name the caller owns. */
static char *file_in_tmp(struct temp *t, const char *text, int *ret_dir)
{
	char id[33];
	struct err e;
	assert_int_equal(store_tmp_new(&t->s, id, ret_dir, &e), 0);
	assert_int_equal(file_put(*ret_dir, "0", text, strlen(text), false, &e), 0);
	return x_asprintf("tmp/%s/0", id);
}

static void test_adopt(void **state)
{
	struct temp *t = *state;
	struct digest d = digest_of("adopted", 7);
	AUTO(str_fini) struct str got = { 0 };
	struct err e;
	for (size_t i = 0; i < 2; i++) { /* the second one finds the first */
		AUTO(fd_drop) int dir = -1;
		AUTO(free_drop) char *file = file_in_tmp(t, "adopted", &dir);
		assert_int_equal(blob_adopt(&t->s, file, &d, &e), 0);
		assert_int_equal(faccessat(t->s.fd, file, F_OK, 0), -1);
		assert_int_equal(blob_adopt(&t->s, file, &d, &e), -1);
		assert_int_equal(e.sysno, ENOENT);
	}
	assert_int_equal(blob_read(&t->s, &d, 100, &got, &e), 0);
	assert_string_equal(str_text(&got), "adopted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_put_and_read),
		TEST(test_limit),
		TEST(test_damaged_is_replaced),
		TEST(test_not_a_file),
		TEST(test_writer),
		TEST(test_writer_dropped),
		TEST(test_first_writer_wins),
		TEST(test_writer_replaces_short_blob),
		TEST(test_commit_race),
		TEST(test_mode_whatever_the_umask),
		TEST(test_adopt),
	};
	return cmocka_run_group_tests_name("store/blob", tests, NULL, NULL);
}
