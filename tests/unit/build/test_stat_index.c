/* The stat index: what lets a cached rebuild read no file, and when it must not be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/tree.h"
#include "src/build/stat_index_priv.h"

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
	struct stat_index *x = stat_index_load(&f->store, "/ctx");
	const char *name = "a dir/new\nline\\\xff";
	assert_false(stat_index_find(x, name, &st, &got));
	stat_index_add(x, name, &st, &d);
	assert_int_equal(stat_index_save(&f->store, x, &e), 0);
	stat_index_free(x);
	x = stat_index_load(&f->store, "/ctx");
	assert_true(stat_index_find(x, name, &st, &got));
	assert_true(digest_eq(&got, &d));
	stat_index_free(x);
	x = stat_index_load(&f->store, "/other");
	assert_false(stat_index_find(x, name, &st, &got));
	stat_index_free(x);
}

static void any_difference_counts(void **state)
{
	struct fixture *f = *state;
	struct stat st = old_file(), other;
	struct digest d = digest_of("abc", 3), got;
	struct stat_index *x = stat_index_load(&f->store, "/ctx2");
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
	struct stat_index *x = stat_index_load(&f->store, "/ctx3");
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

static void damage_means_reading_again(void **state)
{
	struct fixture *f = *state;
	struct stat st = old_file();
	struct digest d = digest_of("abc", 3), got;
	struct stat_index *x = stat_index_load(&f->store, "/ctx4");
	stat_index_merge(x, "garbage\n7 3 x y z\n7 3 1 2 0123 short-digest\n");
	assert_false(stat_index_find(x, "short-digest", &st, &got));
	stat_index_add(x, "f", &st, &d);
	assert_true(stat_index_find(x, "f", &st, &got));
	stat_index_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_a_build),
		cmocka_unit_test(any_difference_counts),
		cmocka_unit_test(racy_files_are_not_entered),
		cmocka_unit_test(damage_means_reading_again),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
