#include "base/cpus.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

enum { FILE_MAX = 64 << 10 };

static bool read_text(int root_fd, const char *path, struct str *out)
{
	struct err ignored;
	str_clear(out);
	return file_read(root_fd, path, FILE_MAX, out, &ignored) == 0;
}

static void lower(unsigned *quota, int64_t time, int64_t period)
{
	if (time <= 0 || period <= 0)
		return;
	int64_t n = time / period + (time % period != 0);
	if (n < 1 << 20 && (!*quota || (unsigned)n < *quota))
		*quota = (unsigned)n;
}

/* cpu.max: "QUOTA PERIOD" or "max PERIOD". */
static void look_v2(int root_fd, const char *group, unsigned *quota)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(free_drop) char *path = x_asprintf("sys/fs/cgroup%s/cpu.max", group);
	char *end;
	if (!read_text(root_fd, path, &text))
		return;
	long long time = strtoll(str_text(&text), &end, 10);
	lower(quota, time, strtoll(end, NULL, 10));
}

/* -1: none. */
static void look_v1(int root_fd, const char *group, unsigned *quota)
{
	AUTO(str_fini) struct str time = { 0 }, period = { 0 };
	AUTO(free_drop) char *one = x_asprintf("sys/fs/cgroup/cpu%s/cpu.cfs_quota_us", group);
	AUTO(free_drop) char *other = x_asprintf("sys/fs/cgroup/cpu%s/cpu.cfs_period_us", group);
	if (read_text(root_fd, one, &time) && read_text(root_fd, other, &period))
		lower(quota, strtoll(str_text(&time), NULL, 10), strtoll(str_text(&period), NULL, 10));
}

/* The group and all above it: each may have a quota. Inside a container its own group may be mounted as the root. */
static void look_up(int root_fd, char *group, void (*look)(int, const char *, unsigned *), unsigned *quota)
{
	for (char *slash; (slash = strrchr(group, '/')); *slash = '\0')
		look(root_fd, strcmp(group, "/") == 0 ? "" : group, quota);
	look(root_fd, "", quota);
}

static bool has_cpu(const char *controllers, size_t n)
{
	for (const char *p = controllers, *end = p + n; p < end;) {
		size_t len = strcspn(p, ",:");
		if (len == 3 && memcmp(p, "cpu", 3) == 0)
			return true;
		p += len + 1;
	}
	return false;
}

unsigned cpus_quota(int root_fd)
{
	AUTO(str_fini) struct str text = { 0 };
	unsigned quota = 0;
	if (!read_text(root_fd, "proc/self/cgroup", &text))
		return 0;
	char *save = NULL;
	/* "0::/group" of version 2, "4:cpu,cpuacct:/group" of version 1. */
	for (char *line = strtok_r(text.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!group)
			continue;
		controllers++;
		size_t n = (size_t)(group - controllers);
		if (!n)
			look_up(root_fd, group + 1, look_v2, &quota);
		else if (has_cpu(controllers, n))
			look_up(root_fd, group + 1, look_v1, &quota);
	}
	return quota;
}

unsigned cpus_usable(void)
{
	cpu_set_t set;
	/* Fails on machines with more processors than the set has room for. */
	unsigned n = sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
	AUTO(fd_drop) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	unsigned quota = root < 0 ? 0 : cpus_quota(root);
	return quota && quota < n ? quota : n;
}
