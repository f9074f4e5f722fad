/*
 * Trees in tests: a user namespace to make them in, members from lines of text, and a tree written down as lines of
 * text. A member or a found file is a line
 *
 *   d MODE UID:GID MTIME PATH        directory; "o" for one that is opaque
 *   f MODE UID:GID MTIME PATH TEXT   file with that content
 *   l - UID:GID MTIME PATH TARGET    symbolic link
 *   h - - - PATH TARGET              hard link; in a listing of a tree, TARGET is the name that sorts first
 *   p MODE UID:GID MTIME PATH        FIFO
 *   c MODE UID:GID MTIME PATH M,N    device
 *   w - - - PATH                     deletion
 *   O - - - PATH                     opaque marker (members only)
 *
 * "-" in a member stands for 755 (directories), 777 (links) or 644, 0:0, and time 7. PATH "" is written as "(empty)".
 */
#ifndef NACRE_TESTS_TREES_H
#define NACRE_TESTS_TREES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive/tar_entry.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tree.h"
#include "oci/tree_writer.h"

/* ---- a user namespace ---- */

static inline void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n) {
		perror(path);
		_exit(1);
	}
	close(fd);
}

/* true when ids 0 to 65535 are there, false when 0 is all. Ends the program with 77 where there are no namespaces. */
static inline bool enter_userns(void)
{
	bool root = geteuid() == 0;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];
	int made[2];
	if (pipe(made) < 0)
		_exit(1);
	/* A range of ids can only be mapped from outside, by one who has them. */
	pid_t outside = root ? fork() : -1;
	if (outside == 0) {
		char path[64], byte;
		close(made[1]);
		if (read(made[0], &byte, 1) != 1)
			_exit(1);
		for (int i = 0; i < 2; i++) {
			snprintf(path, sizeof path, "/proc/%d/%s", (int)getppid(), i ? "gid_map" : "uid_map");
			put_file(path, "0 0 1\n1 1 65535"); /* an extent may not span two of the parent's */
		}
		_exit(0);
	}
	if (unshare(CLONE_NEWUSER) < 0) {
		fprintf(stderr, "no user namespace: %s\n", strerror(errno));
		_exit(77);
	}
	if (root) {
		int status;
		if (write(made[1], "x", 1) != 1 || waitpid(outside, &status, 0) < 0 || status != 0)
			_exit(77);
	} else {
		put_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof map, "0 %u 1", gid);
		put_file("/proc/self/gid_map", map);
		snprintf(map, sizeof map, "0 %u 1", uid);
		put_file("/proc/self/uid_map", map);
	}
	close(made[0]);
	close(made[1]);
	return root;
}

/* From here on openat2 fails as on Linux 5.5, so that the walk that stands in for it is tested too. */
static inline void deny_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_LEN(code), .filter = code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		fail_msg("no seccomp filter: %s", strerror(errno));
}

/* ---- a directory for the test ---- */

struct scratch {
	char path[64];
	int fd;
};

static inline void scratch_open(struct scratch *s)
{
	snprintf(s->path, sizeof s->path, "/var/tmp/nacre-test-XXXXXX");
	assert_non_null(mkdtemp(s->path));
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->fd >= 0);
}

static inline void scratch_close(struct scratch *s)
{
	fd_drop(&s->fd);
	assert_int_equal(tree_remove(AT_FDCWD, s->path), 0);
}

static inline int scratch_dir(struct scratch *s, const char *name)
{
	assert_int_equal(mkdirat(s->fd, name, 0755), 0);
	int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* ---- members from text ---- */

static inline void unescape(char *s)
{
	char *to = s;
	for (; *s; s++) {
		bool coded = s[0] == '\\' && (s[1] == 'n' || s[1] == 's');
		if (coded)
			s++;
		*to++ = !coded ? *s : *s == 'n' ? '\n' : ' ';
	}
	*to = '\0';
}

/* One line; *content (owned by the caller) is what follows the path of a file. */
static inline void member_parse(const char *line, size_t len, struct tar_entry *ret, char *kind, char **content)
{
	char mode[16], ids[32], time[32], path[1024], arg[1024] = "";
	char *text = x_strndup(line, len);
	int n = sscanf(text, "%c %15s %31s %31s %1023s %1023s", kind, mode, ids, time, path, arg);
	if (n < 5)
		fail_msg("no member: %s", text);
	unescape(path);
	unescape(arg);
	*ret = (struct tar_entry){ .type = (enum tar_type)*kind, .path = x_strdup(str_eq(path, "(empty)") ? "" : path) };
	ret->mode = *kind == 'd' ? 0755 : *kind == 'l' ? 0777 : 0644;
	ret->mtime = 7;
	if (mode[0] != '-')
		ret->mode = (mode_t)strtoul(mode, NULL, 8);
	if (ids[0] != '-')
		assert_int_equal(sscanf(ids, "%u:%u", &ret->uid, &ret->gid), 2);
	if (!str_eq(time, "-"))
		ret->mtime = strtoll(time, NULL, 10);
	if (*kind == 'l' || *kind == 'h')
		ret->link = x_strdup(arg);
	if (*kind == 'c' || *kind == 'b')
		assert_int_equal(sscanf(arg, "%u,%u", &ret->major, &ret->minor), 2);
	*content = x_strdup(*kind == 'f' ? arg : "");
	ret->size = strlen(*content);
	free(text);
}

static inline int member_write(struct tree_writer *t, char kind, const struct tar_entry *m, const char *content, struct err *e)
{
	if (kind == 'w')
		return tree_writer_whiteout(t, m->path, e);
	if (kind == 'O')
		return tree_writer_opaque(t, m->path, e);
	if (tree_writer_add(t, m, e) < 0)
		return -1;
	return kind == 'f' ? tree_writer_data(t, content, m->size, e) : 0;
}

/* All lines into the tree. Not finished when it fails. */
static inline int members_write(struct tree_writer *t, const char *lines, struct strv *implied, struct err *e)
{
	for (const char *p = lines; *p;) {
		size_t len = strcspn(p, "\n");
		struct tar_entry m;
		char kind, *content;
		member_parse(p, len, &m, &kind, &content);
		int r = member_write(t, kind, &m, content, e);
		tar_entry_fini(&m);
		free(content);
		if (r < 0)
			return -1;
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	return tree_writer_finish(t, implied, e);
}

static inline int tree_from(int dir_fd, const char *lines, struct strv *implied, struct err *e)
{
	struct tree_writer *t = tree_writer_new(dir_fd);
	int r = members_write(t, lines, implied, e);
	tree_writer_free(t);
	return r;
}

/* ---- a tree as text ---- */

struct seen { ino_t ino; char *path; };

struct dump {
	VEC(struct seen) seen;
	struct str out;
	bool identity; /* inode numbers, link counts and nanoseconds too */
};

static inline void dump_xattrs(struct dump *d, int fd)
{
	char names[1024], value[256];
	ssize_t n = flistxattr(fd, names, sizeof names);
	struct strv sorted = { 0 };
	for (ssize_t at = 0; n > 0 && at < n; at += (ssize_t)strlen(names + at) + 1)
		if (strcmp(names + at, "user.overlay.opaque") != 0)
			strv_push(&sorted, names + at);
	for (size_t i = 0; i < sorted.n; i++) {
		ssize_t len = fgetxattr(fd, sorted.v[i], value, sizeof value);
		str_addf(&d->out, " %s=", sorted.v[i]);
		str_add_printable(&d->out, value, len > 0 ? (size_t)len : 0);
	}
	strv_fini(&sorted);
}

static inline const char *dump_seen(struct dump *d, const struct stat *st, const char *path)
{
	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return NULL;
	for (size_t i = 0; i < d->seen.n; i++)
		if (d->seen.v[i].ino == st->st_ino)
			return d->seen.v[i].path;
	vec_push(&d->seen, ((struct seen){ st->st_ino, x_strdup(path) }));
	return NULL;
}

static inline void dump_dir(struct dump *d, int fd, const char *path);

static inline void dump_one(struct dump *d, int dir_fd, const char *name, const char *path)
{
	struct stat st;
	assert_int_equal(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	const char *first = S_ISCHR(st.st_mode) ? NULL : dump_seen(d, &st, path);
	if (first) {
		str_addf(&d->out, "h - - - %s %s\n", path, first);
		return;
	}
	if (S_ISCHR(st.st_mode) && st.st_rdev == 0) {
		str_addf(&d->out, "w - - - %s\n", path);
		return;
	}
	int fd = -1;
	char kind = S_ISLNK(st.st_mode) ? 'l' : S_ISFIFO(st.st_mode) ? 'p' : S_ISCHR(st.st_mode) ? 'c' :
		S_ISBLK(st.st_mode) ? 'b' : S_ISDIR(st.st_mode) ? 'd' : 'f';
	if (kind == 'd' || kind == 'f') {
		fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		assert_true(fd >= 0);
		char y;
		if (kind == 'd' && fgetxattr(fd, "user.overlay.opaque", &y, 1) == 1)
			kind = 'o';
	}
	char mode[16] = "-";
	if (kind != 'l')
		snprintf(mode, sizeof mode, "%o", st.st_mode & 07777);
	str_addf(&d->out, "%c %s %u:%u %lld %s", kind, mode, st.st_uid, st.st_gid, (long long)st.st_mtim.tv_sec, path);
	if (kind == 'l') {
		char target[4096];
		ssize_t n = readlinkat(dir_fd, name, target, sizeof target);
		str_addf(&d->out, " %.*s", (int)n, target);
	} else if (kind == 'f') {
		char text[256];
		ssize_t n = read(fd, text, sizeof text);
		if (n > 0)
			str_addf(&d->out, " %.*s", (int)n, text);
	}
	if (fd >= 0)
		dump_xattrs(d, fd);
	if (d->identity)
		str_addf(&d->out, " ino %llu nlink %llu ns %ld size %lld", (unsigned long long)st.st_ino,
			 (unsigned long long)st.st_nlink, st.st_mtim.tv_nsec, (long long)st.st_size);
	str_addc(&d->out, '\n');
	if (kind == 'd' || kind == 'o')
		dump_dir(d, fd, path);
	fd_drop(&fd);
}

static inline void dump_dir(struct dump *d, int fd, const char *path)
{
	struct strv names = { 0 };
	struct err e;
	assert_int_equal(dir_names(fd, &names, &e), 0);
	for (size_t i = 0; i < names.n; i++) {
		char *below = *path ? x_asprintf("%s/%s", path, names.v[i]) : x_strdup(names.v[i]);
		dump_one(d, fd, names.v[i], below);
		free(below);
	}
	strv_fini(&names);
}

/* What is in the directory, sorted; the caller owns the text. */
static inline char *tree_text_of(int dir_fd, bool identity)
{
	struct dump d = { .identity = identity };
	dump_dir(&d, dir_fd, "");
	for (size_t i = 0; i < d.seen.n; i++)
		free(d.seen.v[i].path);
	vec_fini(&d.seen);
	return str_take(&d.out);
}

#endif
