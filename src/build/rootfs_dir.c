/*
 * A root filesystem as files of this user. First all directories, open to us; then what is not a file; then the files, each
 * layer read once; then further names of files; last the modes and times of directories, from the innermost.
 *
 * What is named by the image is reached from the destination by one open per component that follows no link, so a link that
 * somebody put there, or that the image itself holds, leads nowhere. Files appear whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive/stream.h"
#include "archive/tar_read.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rootfs_priv.h"
#include "store/blob.h"

enum { BUFFER = 256 << 10 };

struct dir_out {
	struct rootfs *rootfs;
	int root;                      /* borrowed */
	const struct fsnode *at;       /* the directory that is open; NULL: none */
	int at_fd;                     /* owned */
	char *buf;                     /* owned */
	size_t skipped;
};

static void dir_out_fini(struct dir_out *d)
{
	fd_drop(&d->at_fd);
	free(d->buf);
}

/* ---- names ---- */

static int failed(const struct fsnode *n, const char *what, struct err *e)
{
	int saved = errno;
	AUTO(free_drop) char *path = fsnode_path(n);
	errno = saved;
	return err_sys(e, "%s %s", what, path);
}

/* The directory of a node, O_PATH; it stays open for the next one. */
static int parent_of(struct dir_out *d, const struct fsnode *n, struct err *e)
{
	VEC(const struct fsnode *) way = { 0 };
	if (d->at == n->parent && d->at_fd >= 0)
		return d->at_fd;
	for (const struct fsnode *p = n->parent; p->parent; p = p->parent)
		vec_push(&way, p);
	AUTO(fd_drop) int fd = openat(d->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && way.n) {
		int next = openat(fd, way.v[--way.n]->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd_drop(&fd);
		fd = next;
	}
	vec_fini(&way);
	if (fd < 0)
		return failed(n->parent, "open the directory", e);
	fd_drop(&d->at_fd);
	d->at = n->parent;
	d->at_fd = fd_take(&fd);
	return d->at_fd;
}

static void new_aside(char aside[32])
{
	char id[17];
	random_hex(id, 8);
	snprintf(aside, 32, ".nacre-%s", id);
}

/* `aside` gets the name, in the place of what has it: anything but a directory. */
static int put_in_place(int dir, const char *aside, const char *name)
{
	int r = renameat(dir, aside, dir, name);
	int saved = errno;
	/* Of two names of one file rename(2) leaves both. */
	if (unlinkat(dir, aside, 0) == 0)
		errno = saved;
	return r;
}

/* ---- directories ---- */

static int make_directory(struct dir_out *d, const struct fsnode *n, struct err *e)
{
	struct stat st;
	int dir = parent_of(d, n, e);
	if (dir < 0)
		return -1;
	if (mkdirat(dir, n->name, 0700) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dir, n->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(n, "create the directory", e);
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(dir, n->name, 0) < 0 || mkdirat(dir, n->name, 0700) < 0)
			return failed(n, "create the directory", e);
		return 0;
	}
	if ((st.st_mode & 0700) == 0700)
		return 0;
	/* As an earlier export left it; one that may not even be read is opened as a place only (O_PATH). */
	AUTO(fd_drop) int fd = openat(dir, n->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		char path[64];
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		(void)chmod(path, (st.st_mode & 07777) | 0700);
	}
	return 0;
}

/* Of the attributes a user may set all; not every file system has them. */
static void set_xattrs(int fd, const struct fsnode *n)
{
	for (size_t i = 0; n->xattrs && i < n->xattrs->n; i++) {
		const struct tar_xattr *x = &n->xattrs->v[i];
		if (str_starts(x->name, "user."))
			(void)fsetxattr(fd, x->name, x->value, x->len, 0);
	}
}

static void times_of(const struct fsnode *n, struct timespec ret[2])
{
	ret[0] = ret[1] = (struct timespec){ .tv_sec = n->mtime, .tv_nsec = n->mtime_ns };
}

/* A directory that is somebody else's stays as it is. */
static int finish_directory(struct dir_out *d, const struct fsnode *n, struct err *e)
{
	struct timespec times[2];
	int dir = parent_of(d, n, e);
	if (dir < 0)
		return -1;
	AUTO(fd_drop) int fd = openat(dir, n->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return failed(n, "open the directory", e);
	times_of(n, times);
	set_xattrs(fd, n);
	if (fchmod(fd, n->mode & 01777) < 0 || (!n->implied && futimens(fd, times) < 0))
		return errno == EPERM ? 0 : failed(n, "set mode and times of", e);
	return 0;
}

/* ---- what is no file ---- */

static int make_special(struct dir_out *d, const struct fsnode *n, struct err *e)
{
	struct timespec times[2];
	char aside[32];
	if (n->type == TAR_CHAR || n->type == TAR_BLOCK) {
		d->skipped++;
		return 0;
	}
	int dir = parent_of(d, n, e);
	if (dir < 0)
		return -1;
	new_aside(aside);
	int r = n->type == TAR_SYMLINK ? symlinkat(n->link, dir, aside) : mkfifoat(dir, aside, n->mode & 0777);
	if (r < 0)
		return failed(n, "create", e);
	times_of(n, times);
	(void)utimensat(dir, aside, times, AT_SYMLINK_NOFOLLOW);
	return put_in_place(dir, aside, n->name) < 0 ? failed(n, "create", e) : 0;
}

/* ---- files ---- */

/* A file without a name; "" in `aside`, or the name it has where that is not possible. */
static int open_new(int dir, char aside[32])
{
	aside[0] = '\0';
	int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	new_aside(aside);
	return openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int give_name(int dir, int fd, char aside[32], const char *name)
{
	char path[64];
	if (*aside)
		return put_in_place(dir, aside, name);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	new_aside(aside);
	if (errno != EEXIST || linkat(AT_FDCWD, path, dir, aside, AT_SYMLINK_FOLLOW) < 0)
		return -1;
	return put_in_place(dir, aside, name);
}

static int fill_file(struct dir_out *d, int fd, const struct fsnode *n, struct tar_reader *in, struct err *e)
{
	struct timespec times[2];
	ssize_t got;
	while ((got = tar_reader_read(in, d->buf, BUFFER, e)) > 0)
		if (fd_write_all(fd, d->buf, (size_t)got, n->name, e) < 0)
			return -1;
	if (got < 0)
		return -1;
	set_xattrs(fd, n);
	times_of(n, times);
	if (fchmod(fd, n->mode & 0777) < 0 || futimens(fd, times) < 0)
		return failed(n, "set mode and times of", e);
	return 0;
}

static int make_file(struct dir_out *d, const struct fsnode *n, struct tar_reader *in, struct err *e)
{
	char aside[32];
	int dir = parent_of(d, n, e);
	if (dir < 0)
		return -1;
	AUTO(fd_drop) int fd = open_new(dir, aside);
	if (fd < 0)
		return failed(n, "create", e);
	int r = fill_file(d, fd, n, in, e);
	if (r < 0 && *aside)
		unlinkat(dir, aside, 0);
	if (r == 0 && give_name(dir, fd, aside, n->name) < 0)
		r = failed(n, "create", e);
	return r;
}

/* Files by the layer that holds them and their path there; names of one file stand together. */
static int by_place(const void *a, const void *b)
{
	const struct fsnode *x = *(struct fsnode *const *)a, *y = *(struct fsnode *const *)b;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return strcmp(x->layer_path, y->layer_path);
}

static int by_path(const void *key, const void *member)
{
	return strcmp(key, (*(struct fsnode *const *)member)->layer_path);
}

static bool same_file(const struct fsnode *a, const struct fsnode *b)
{
	return a->layer == b->layer && str_eq(a->layer_path, b->layer_path);
}

/* The files of one layer, in one pass over it, which also verifies its bytes. */
static int make_files_of(struct dir_out *d, struct fsnode **files, size_t n, struct err *e)
{
	const struct descriptor *blob = &d->rootfs->slots.v[files[0]->layer]->layer.blob;
	AUTO(free_drop) char *name = x_asprintf("layer %s", digest_text(&blob->digest).s);
	AUTO(sha_drop) struct sha sha = { 0 };
	AUTO(fd_drop) int fd = -1;
	const struct tar_entry *t;
	int more;
	if (blob_open(d->rootfs->build.store, &blob->digest, &fd, e) < 0)
		return -1;
	sha_init(&sha);
	AUTO(source_drop) struct source *in = source_limit(
		source_decompress(source_digest(source_fd(fd, name), &sha, NULL), name), LIMIT_LAYER_BYTES, name);
	AUTO(tar_reader_drop) struct tar_reader *tar = tar_reader_new(in, name);
	while ((more = tar_reader_next(tar, &t, e)) == 1) {
		struct fsnode **at = t->type == TAR_FILE ? bsearch(t->path, files, n, sizeof(struct fsnode *), by_path)
							  : NULL;
		while (at && at > files && same_file(at[-1], *at))
			at--;
		if (at && make_file(d, *at, tar, e) < 0)
			return -1;
	}
	if (more < 0 || source_drain(in, e) < 0)
		return -1;
	struct digest got = sha_end(&sha);
	return digest_eq(&got, &blob->digest) ? 0 : err_set(e, ERR_INTEGRITY, "%s of the store is damaged", name);
}

/* A further name of a file that is there. */
static int make_link(struct dir_out *d, const struct fsnode *first, const struct fsnode *n, struct err *e)
{
	char aside[32];
	int from = parent_of(d, first, e);
	AUTO(fd_drop) int from_fd = from < 0 ? -1 : fd_dup(from);
	int dir = from_fd < 0 ? -1 : parent_of(d, n, e);
	if (dir < 0)
		return from < 0 || from_fd >= 0 ? -1 : failed(n, "create the link", e);
	new_aside(aside);
	if (linkat(from_fd, first->name, dir, aside, 0) < 0 || put_in_place(dir, aside, n->name) < 0)
		return failed(n, "create the link", e);
	return 0;
}

static int make_files(struct dir_out *d, struct fsnode **files, size_t n, struct err *e)
{
	size_t from = 0;
	qsort(files, n, sizeof(struct fsnode *), by_place);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && files[i]->layer == files[from]->layer)
			continue;
		if (make_files_of(d, files + from, i - from, e) < 0)
			return -1;
		from = i;
	}
	for (size_t i = 1, first = 0; i < n; i++) {
		if (!same_file(files[i], files[first]))
			first = i;
		else if (make_link(d, files[first], files[i], e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the whole ---- */

int rootfs_to_dir(struct rootfs *r, int dir_fd, size_t *skipped, struct err *e)
{
	AUTO(dir_out_fini) struct dir_out d = { .rootfs = r, .root = dir_fd, .at_fd = -1, .buf = x_alloc(BUFFER) };
	VEC(struct fsnode *) files = { 0 };
	struct fsnode **all = NULL;
	size_t n = 0;
	int result = rootfs_gather(r, &all, &n, e);
	for (size_t i = 0; i < n && result == 0; i++)
		if (all[i]->type == TAR_DIR)
			result = make_directory(&d, all[i], e);
	for (size_t i = 0; i < n && result == 0; i++) {
		if (all[i]->type == TAR_FILE)
			vec_push(&files, all[i]);
		else if (all[i]->type != TAR_DIR)
			result = make_special(&d, all[i], e);
	}
	if (result == 0 && files.n)
		result = make_files(&d, files.v, files.n, e);
	for (size_t i = n; i > 0 && result == 0; i--)
		if (all[i - 1]->type == TAR_DIR)
			result = finish_directory(&d, all[i - 1], e);
	vec_fini(&files);
	free(all);
	*skipped += d.skipped;
	return result;
}
