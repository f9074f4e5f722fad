/* The stat index: what lets a cached rebuild read no file, and when it must not be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/tree.h"
#include "src/build/context_scan_priv.h"
#include "src/build/stat_index_priv.h"
#include "store/record.h"

#include <fcntl.h>

struct fixture {
	char dir[64];
	struct store store;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e;
	strcpy(f.dir, "/var/tmp/nacre-test-XXXXXX");
	if (!mkdtemp(f.dir) || store_open(f.dir, &f.store, &e) < 0)
		return -1;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	store_fini(&f->store);
	return tree_remove(AT_FDCWD, f->dir);
}

static struct stat old_file(void)
{
	struct stat st = { .st_ino = 7, .st_size = 3 };
	st.st_mtim.tv_sec = st.st_ctim.tv_sec = 1500000000;
	st.st_mtim.tv_nsec = st.st_ctim.tv_nsec = 123456789;
	return st;
}

static void survives_a_build(void **state)
{
	struct fixture *f = *state;
	struct err e;
	struct stat st = old_file();
	struct digest d = digest_of("abc", 3), got;
	struct stat_index *x = stat_index_open(&f->store, "/ctx");
	const char *name = "a dir/new\nline\\\xff";
	assert_false(stat_index_find(x, name, &st, &got));
	stat_index_add(x, name, &st, &d);
	assert_int_equal(stat_index_save(x, &e), 0);
	stat_index_free(x);
	x = stat_index_open(&f->store, "/ctx");
	assert_true(stat_index_find(x, name, &st, &got));
	assert_true(digest_eq(&got, &d));
	stat_index_free(x);
	x = stat_index_open(&f->store, "/other");
	assert_false(stat_index_find(x, name, &st, &got));
	stat_index_free(x);
}

static void any_difference_counts(void **state)
{
	struct fixture *f = *state;
	struct stat st = old_file(), other;
	struct digest d = digest_of("abc", 3), got;
	struct stat_index *x = stat_index_open(&f->store, "/ctx2");
	stat_index_add(x, "f", &st, &d);
	assert_true(stat_index_find(x, "f", &st, &got));
	other = st;
	other.st_ino++;
	assert_false(stat_index_find(x, "f", &other, &got));
	other = st;
	other.st_size++;
	assert_false(stat_index_find(x, "f", &other, &got));
	other = st;
	other.st_mtim.tv_nsec++;
	assert_false(stat_index_find(x, "f", &other, &got));
	other = st;
	other.st_ctim.tv_sec++;
	assert_false(stat_index_find(x, "f", &other, &got));
	stat_index_free(x);
}

static void racy_files_are_not_entered(void **state)
{
	struct fixture *f = *state;
	struct stat st = old_file();
	struct digest d = digest_of("abc", 3), got;
	struct stat_index *x = stat_index_open(&f->store, "/ctx3");
	clock_gettime(CLOCK_REALTIME, &st.st_ctim);
	stat_index_add(x, "just-written", &st, &d);
	assert_false(stat_index_find(x, "just-written", &st, &got));
	/* A file system without fractions: the whole second is in doubt. */
	st.st_ctim.tv_sec--;
	st.st_ctim.tv_nsec = 0;
	stat_index_add(x, "no-fractions", &st, &d);
	assert_false(stat_index_find(x, "no-fractions", &st, &got));
	stat_index_free(x);
}

/* What was read while another write could still leave the same times is in doubt however long the reading took. */
static void reading_slowly_settles_nothing(void **state)
{
	struct fixture *f = *state;
	enum { SIZE = 128 << 20 }; /* a hole; longer to hash than any clock's granularity */
	struct err e;
	struct fsnode n = { 0 };
	AUTO(str_fini) struct str learned = { 0 };
	AUTO(free_drop) char *buf = x_alloc(CONTEXT_READ), *path = x_asprintf("%s/slow", f->dir);
	AUTO(fd_drop) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(context_hash(fd, &n, "slow", buf, &learned, &e), 0);
	assert_true(n.has_digest);
	assert_int_equal(learned.len, 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(context_hash(fd, &n, "slow", buf, &learned, &e), 0);
	assert_true(learned.len > 0);
	assert_int_equal(unlink(path), 0);
}

static void damage_means_reading_again(void **state)
{
	struct fixture *f = *state;
	struct stat st = old_file();
	struct digest d = digest_of("abc", 3), got;
	struct err e;
	struct stat_index *x = stat_index_open(&f->store, "/ctx4");
	struct digest id = digest_of("/ctx4", 5);
	AUTO(free_drop) char *name = x_asprintf("context/%s", digest_hex(&id).s);
	stat_index_add(x, "f", &st, &d);
	assert_true(stat_index_find(x, "f", &st, &got));
	assert_int_equal(stat_index_save(x, &e), 0);
	stat_index_free(x);
	/* Any one byte that is another. */
	AUTO(fd_drop) int fd = openat(f->store.fd, name, O_RDWR);
	char was, is;
	for (off_t at = 0; pread(fd, &was, 1, at) == 1; at++) {
		is = (char)(was ^ 1);
		assert_int_equal(pwrite(fd, &is, 1, at), 1);
		x = stat_index_open(&f->store, "/ctx4");
		assert_false(stat_index_find(x, "f", &st, &got));
		stat_index_free(x);
		assert_int_equal(pwrite(fd, &was, 1, at), 1);
	}
	/* A piece of an entry at the end. */
	assert_int_equal(store_file_put(&f->store, name, "nacre-context 3\nshort", 21, &e), 0);
	x = stat_index_open(&f->store, "/ctx4");
	assert_false(stat_index_find(x, "f", &st, &got));
	stat_index_free(x);
}

static void learns_from_another_process(void **state)
{
	struct fixture *f = *state;
	struct err e;
	struct stat st = old_file(), changed = st;
	struct digest d = digest_of("abc", 3), new = digest_of("xyz", 3), got;
	AUTO(str_fini) struct str given = { 0 };
	struct stat_index *x = stat_index_open(&f->store, "/ctx5"), *worker = stat_index_open(&f->store, "/ctx5");
	stat_index_add(x, "f", &st, &d);
	stat_index_add(worker, "earlier", &st, &d);
	size_t known = stat_index_added(worker);
	changed.st_mtim.tv_sec++;
	stat_index_add(worker, "f", &changed, &new);
	stat_index_add(worker, "g", &st, &d);
	stat_index_give(worker, known, &given);
	stat_index_merge(x, given.buf, given.len);
	assert_false(stat_index_find(x, "earlier", &st, &got));
	assert_true(stat_index_find(x, "g", &st, &got));
	assert_true(stat_index_find(x, "f", &changed, &got));
	assert_true(digest_eq(&got, &new));
	/* Only the later of two is written. */
	assert_int_equal(stat_index_save(x, &e), 0);
	stat_index_free(x);
	x = stat_index_open(&f->store, "/ctx5");
	assert_true(stat_index_find(x, "f", &changed, &got));
	assert_false(stat_index_find(x, "f", &st, &got));
	stat_index_free(x);
	stat_index_free(worker);
}

static void holds_many(void **state)
{
	struct fixture *f = *state;
	struct err e;
	struct stat st = old_file();
	struct digest d = digest_of("abc", 3), got;
	char name[32];
	struct stat_index *x = stat_index_open(&f->store, "/ctx6");
	assert_false(stat_index_is_large(x));
	for (st.st_ino = 1; st.st_ino <= 20000; st.st_ino++) {
		snprintf(name, sizeof name, "dir/%u", (unsigned)st.st_ino);
		stat_index_add(x, name, &st, &d);
	}
	assert_int_equal(stat_index_save(x, &e), 0);
	stat_index_free(x);
	x = stat_index_open(&f->store, "/ctx6");
	assert_true(stat_index_is_large(x));
	for (st.st_ino = 1; st.st_ino <= 20000; st.st_ino++) {
		snprintf(name, sizeof name, "dir/%u", (unsigned)st.st_ino);
		assert_true(stat_index_find(x, name, &st, &got));
	}
	stat_index_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_a_build),
		cmocka_unit_test(any_difference_counts),
		cmocka_unit_test(racy_files_are_not_entered),
		cmocka_unit_test(reading_slowly_settles_nothing),
		cmocka_unit_test(damage_means_reading_again),
		cmocka_unit_test(learns_from_another_process),
		cmocka_unit_test(holds_many),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
