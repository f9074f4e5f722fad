/*
 * Members in any order, with any names and links, put into a tree beside a canary that must stay as it is (THREATS A).
 * The bytes choose from names that matter, since a tar with its checksums would rarely get this far.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tree.h"
#include "oci/tree_writer.h"

struct input { const uint8_t *p, *end; };

static unsigned take(struct input *in, unsigned below)
{
	return in->p < in->end ? *in->p++ % below : 0;
}

static char *take_path(struct input *in, bool is_target)
{
	static const char *const names[] = { "a", "b", "c", "..", ".", "", "canary", "dir", "file" };
	struct str s = { 0 };
	unsigned n = 1 + take(in, 4);
	if (is_target && take(in, 3) == 0)
		str_addc(&s, '/');
	for (unsigned i = 0; i < n; i++) {
		str_add(&s, i ? "/" : "");
		str_add(&s, names[take(in, ARRAY_LEN(names))]);
	}
	return str_take(&s);
}

static int take_member(struct input *in, struct tree_writer *t)
{
	static const enum tar_type types[] = { TAR_FILE, TAR_DIR, TAR_DIR, TAR_SYMLINK, TAR_SYMLINK, TAR_HARDLINK, TAR_FIFO, TAR_CHAR };
	unsigned kind = take(in, ARRAY_LEN(types) + 2);
	struct err e;
	AUTO(free_drop) char *path = take_path(in, false);
	AUTO(free_drop) char *link = take_path(in, true);
	if (kind == ARRAY_LEN(types))
		return tree_writer_whiteout(t, path, &e);
	if (kind > ARRAY_LEN(types))
		return tree_writer_opaque(t, path, &e);
	struct tar_entry m = { .type = types[kind], .path = path, .link = link, .mode = 04777, .mtime = 1 };
	m.size = types[kind] == TAR_FILE ? 1 : 0;
	if (tree_writer_add(t, &m, &e) < 0)
		return -1;
	return m.size ? tree_writer_data(t, "x", 1, &e) : 0;
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = (ssize_t)strlen(text);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		abort();
	close(fd);
}

/* Before main, since libFuzzer starts threads and a process with threads can not enter a namespace. */
__attribute__((constructor)) static void enter_userns(void)
{
	char uid[32], gid[32];
	snprintf(uid, sizeof uid, "0 %u 1", geteuid());
	snprintf(gid, sizeof gid, "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(77);
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/gid_map", gid);
	put_file("/proc/self/uid_map", uid);
}

/* Everything about the canary that could have been changed. */
static void describe(int dir, const char *name, struct str *out)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		abort();
	str_addf(out, "%s %o %llu %llu %lld %lld.%ld\n", name, st.st_mode, (unsigned long long)st.st_ino,
		 (unsigned long long)st.st_nlink, (long long)st.st_size, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static char *describe_canary(int top)
{
	static const char *const all[] = { "canary", "canary/file", "canary/dir", "canary/dir/file" };
	struct str out = { 0 };
	struct strv names = { 0 };
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		describe(top, all[i], &out);
	if (dir_names(top, &names, &e) < 0)
		abort();
	for (size_t i = 0; i < names.n; i++)
		str_addf(&out, "%s ", names.v[i]);
	strv_fini(&names);
	return str_take(&out);
}

static int open_top(char path[32])
{
	strcpy(path, "/tmp/nacre-fuzz-XXXXXX");
	if (!mkdtemp(path))
		abort();
	int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0 || mkdirat(top, "canary", 0755) < 0 || mkdirat(top, "canary/dir", 0755) < 0 || mkdirat(top, "root", 0755) < 0)
		abort();
	close(openat(top, "canary/file", O_WRONLY | O_CREAT, 0644));
	close(openat(top, "canary/dir/file", O_WRONLY | O_CREAT, 0644));
	return top;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char path[32];
	struct err e;
	struct input in = { bytes, bytes + n };
	AUTO(fd_drop) int top = open_top(path);
	AUTO(free_drop) char *before = describe_canary(top);
	AUTO(fd_drop) int root = openat(top, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tree_writer *t = tree_writer_new(root);
	while (in.p < in.end)
		(void)!take_member(&in, t); /* what is refused must not matter to what follows */
	(void)!tree_writer_finish(t, NULL, &e);
	tree_writer_free(t);
	AUTO(free_drop) char *after = describe_canary(top);
	if (strcmp(before, after) != 0)
		abort();
	if (tree_remove(AT_FDCWD, path) < 0)
		abort();
	return 0;
}
