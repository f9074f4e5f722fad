/* How many processors a control group leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/mem.h"
#include "base/tree.h"

struct file {
	const char *path, *text;
};

/* What is found when these files are below the root. */
static unsigned quota(const struct file *files)
{
	char dir[] = "/var/tmp/nacre-test-XXXXXX";
	assert_non_null(mkdtemp(dir));
	for (; files->path; files++) {
		AUTO(free_drop) char *path = x_asprintf("%s/%s", dir, files->path);
		for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
			*slash = '\0';
			mkdir(path, 0700);
			*slash = '/';
		}
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fputs(files->text, f);
		fclose(f);
	}
	int fd = open(dir, O_PATH | O_DIRECTORY);
	unsigned n = cpus_quota(fd);
	close(fd);
	assert_int_equal(tree_remove(AT_FDCWD, dir), 0);
	return n;
}

static void of_version_2(void **state)
{
	(void)state;
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "0::/a/b\n" },
						{ "sys/fs/cgroup/a/b/cpu.max", "150000 100000\n" },
						{ NULL, NULL } }),
			 2);
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "0::/a/b\n" },
						{ "sys/fs/cgroup/a/b/cpu.max", "max 100000\n" },
						{ "sys/fs/cgroup/a/cpu.max", "300000 100000\n" },
						{ NULL, NULL } }),
			 3);
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "0::/\n" },
						{ "sys/fs/cgroup/cpu.max", "10000 100000\n" },
						{ NULL, NULL } }),
			 1);
}

static void of_version_1(void **state)
{
	(void)state;
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/a\n1:cpuset:/c\n" },
						{ "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "400000\n" },
						{ "sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n" },
						{ NULL, NULL } }),
			 4);
	/* The group of the host is the root of the container. */
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "4:cpuacct,cpu:/docker/0123\n" },
						{ "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n" },
						{ "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n" },
						{ NULL, NULL } }),
			 2);
}

static void none_or_nonsense(void **state)
{
	(void)state;
	assert_int_equal(quota((struct file[]){ { NULL, NULL } }), 0);
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "0::/a\n" }, { NULL, NULL } }), 0);
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "nothing\n0:\n:::\n" }, { NULL, NULL } }), 0);
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "0::/\n" },
						{ "sys/fs/cgroup/cpu.max", "-5 0\n" },
						{ NULL, NULL } }),
			 0);
	assert_int_equal(quota((struct file[]){ { "proc/self/cgroup", "4:cpu:/\n" },
						{ "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n" },
						{ "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n" },
						{ NULL, NULL } }),
			 0);
	assert_true(cpus_usable() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_version_2),
		cmocka_unit_test(of_version_1),
		cmocka_unit_test(none_or_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
