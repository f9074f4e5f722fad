/* What the tests of base share: cmocka and its headers, a directory that is removed again. */
#ifndef NACRE_TESTS_UNIT_H
#define NACRE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/tree.h"

struct temp {
	char *path; /* owned */
	int fd;
};

static inline int temp_setup(void **state)
{
	struct temp *t = x_alloc(sizeof *t);
	const char *where = getenv("TMPDIR");
	t->path = x_asprintf("%s/nacre-test-XXXXXX", where && *where ? where : "/var/tmp");
	assert_non_null(mkdtemp(t->path));
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->fd >= 0);
	*state = t;
	return 0;
}

static inline int temp_teardown(void **state)
{
	struct temp *t = *state;
	close(t->fd);
	assert_int_equal(tree_remove(AT_FDCWD, t->path), 0);
	free(t->path);
	free(t);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_setup, temp_teardown)

static inline void make_file(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Whether this process may take on other ids: root of a namespace that has more than one. */
static inline bool may_change_ids(void)
{
	unsigned inside, outside, count = 0;
	FILE *map = fopen("/proc/self/uid_map", "re");
	if (map) {
		if (fscanf(map, "%u %u %u", &inside, &outside, &count) != 3)
			count = 0;
		fclose(map);
	}
	return geteuid() == 0 && count > 65534;
}

static inline size_t open_fds(void)
{
	AUTO(strv_fini) struct strv names = { 0 };
	struct err e;
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(dir_names(fd, &names, &e), 0);
	close(fd);
	return names.n;
}

#endif
