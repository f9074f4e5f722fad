/* A store of its own for each test, below $TMPDIR. */
#ifndef NACRE_TEST_TEMP_STORE_H
#define NACRE_TEST_TEMP_STORE_H

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

#include "base/mem.h"
#include "base/path.h"
#include "base/tree.h"
#include "store/store.h"

struct temp {
	char *dir;  /* owned */
	char *path; /* dir/store; owned */
	struct store s;
};

static inline int temp_setup(void **state)
{
	struct temp *t = x_alloc(sizeof *t);
	struct err e;
	const char *where = getenv("TMPDIR");
	t->dir = x_asprintf("%s/nacre-test-XXXXXX", where && *where ? where : "/var/tmp");
	assert_non_null(mkdtemp(t->dir));
	t->path = x_asprintf("%s/store", t->dir);
	t->s.fd = -1;
	if (store_open(t->path, &t->s, &e) < 0)
		fail_msg("%s", e.msg);
	*state = t;
	return 0;
}

static inline int temp_teardown(void **state)
{
	struct temp *t = *state;
	store_fini(&t->s);
	assert_int_equal(tree_remove(AT_FDCWD, t->dir), 0);
	free(t->dir);
	free(t->path);
	free(t);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_setup, temp_teardown)

/* How many names a directory of the store holds. */
static inline size_t count_in(struct store *s, const char *dir)
{
	AUTO(strv_fini) struct strv names = { 0 };
	struct err e;
	int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	assert_int_equal(dir_names(fd, &names, &e), 0);
	close(fd);
	return names.n;
}

/* Replaces the bytes of a file in the store, as a power cut or a bad disk would. */
static inline void overwrite(struct store *s, const char *name, const void *bytes, size_t n)
{
	int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
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

/* Runs `fn` in a child and gives its exit status. */
static inline int in_child(int (*fn)(struct temp *), struct temp *t)
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(t));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#endif
