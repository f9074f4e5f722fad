#include "oci/tree_writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tree.h"
#include "overlay_marks_priv.h"
#include "tree_dirs_priv.h"
#include "tree_meta_priv.h"

struct tree_writer {
	struct tree_dirs dirs;
	bool root_named;        /* a member "." came */
	int file_fd;            /* the FILE whose data is coming; -1 = none. owned */
	struct tar_entry file;  /* its entry */
	uint64_t left;          /* of its data */
	bool ends_in_hole;
};

struct tree_writer *tree_writer_new(int root_fd)
{
	struct tree_writer *t = x_alloc(sizeof *t);
	tree_dirs_init(&t->dirs, root_fd);
	t->file_fd = -1;
	return t;
}

void tree_writer_free(struct tree_writer *t)
{
	if (!t)
		return;
	tree_dirs_fini(&t->dirs);
	fd_drop(&t->file_fd);
	tar_entry_fini(&t->file);
	free(t);
}

/* Where a member goes. */
struct place {
	int dir_fd;       /* borrowed */
	const char *name; /* borrowed from the member's path */
};

/* A later member of the same name replaces an earlier one of this layer. */
static int remove_earlier(struct tree_writer *t, const struct place *at, const char *path, struct err *e)
{
	struct stat st;
	if (fstatat(at->dir_fd, at->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat %s", path);
	if (tree_remove(at->dir_fd, at->name) < 0)
		return err_sys(e, "replace %s", path);
	return S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode);
}

/*
 * remove_earlier for a creation that failed with EEXIST. When paths may now lead elsewhere, the descriptor of the
 * parent is looked up again.
 */
static int make_room(struct tree_writer *t, struct place *at, const char *path, struct err *e)
{
	int r = remove_earlier(t, at, path, e);
	if (r <= 0)
		return r;
	tree_dirs_forget_parent(&t->dirs);
	return tree_dirs_parent(&t->dirs, path, &at->dir_fd, &at->name, e);
}

static int cannot_create(const char *path, struct err *e)
{
	return err_sys(e, "create %s", path);
}

static int finish_file(struct tree_writer *t, struct err *e)
{
	AUTO(fd_drop) int fd = fd_take(&t->file_fd);
	const struct tar_entry *entry = &t->file;
	if (t->ends_in_hole && ftruncate(fd, (off_t)entry->size) < 0)
		return err_sys(e, "write %s", entry->path);
	if (tree_meta_fd(fd, entry, NULL, e) < 0)
		return -1;
	struct timespec time = tree_meta_time(entry);
	if (futimens(fd, (const struct timespec[2]){ time, time }) < 0)
		return err_sys(e, "set times of %s", entry->path);
	return 0;
}

static int add_file(struct tree_writer *t, struct place *at, const struct tar_entry *entry, struct err *e)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	AUTO(fd_drop) int fd = openat(at->dir_fd, at->name, flags, entry->mode & 0777);
	if (fd < 0 && errno == EEXIST) {
		if (make_room(t, at, entry->path, e) < 0)
			return -1;
		fd = openat(at->dir_fd, at->name, flags, entry->mode & 0777);
	}
	if (fd < 0)
		return cannot_create(entry->path, e);
	t->file_fd = fd_take(&fd);
	tar_entry_fini(&t->file);
	tar_entry_copy(&t->file, entry);
	t->left = entry->size;
	t->ends_in_hole = false;
	return t->left ? 0 : finish_file(t, e);
}

/* The directory that stands where one is to be made stays, and takes the new metadata. */
static int make_dir(struct tree_writer *t, struct place *at, const struct tar_entry *entry, bool *ret_fresh,
		    bool *ret_hides, struct err *e)
{
	mode_t mode = entry->mode & 0777;
	*ret_fresh = true;
	*ret_hides = false;
	if (mkdirat(at->dir_fd, at->name, mode) == 0)
		return 0;
	struct stat st;
	if (errno != EEXIST || fstatat(at->dir_fd, at->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_create(entry->path, e);
	if (S_ISDIR(st.st_mode)) {
		*ret_fresh = false;
		return 0;
	}
	*ret_hides = mark_is_whiteout(&st);
	if (make_room(t, at, entry->path, e) < 0)
		return -1;
	return mkdirat(at->dir_fd, at->name, mode) < 0 ? cannot_create(entry->path, e) : 0;
}

static int add_dir(struct tree_writer *t, struct place *at, const struct tar_entry *entry, struct err *e)
{
	bool fresh, hides;
	if (make_dir(t, at, entry, &fresh, &hides, e) < 0)
		return -1;
	AUTO(fd_drop) int fd = openat(at->dir_fd, at->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return err_sys(e, "open %s", entry->path);
	if (tree_meta_fd(fd, entry, &st, e) < 0)
		return -1;
	struct tree_dir *dir = tree_dirs_record(&t->dirs, entry->path, &st, fresh);
	dir->time = tree_meta_time(entry);
	dir->implied = false;
	/* The same layer deletes what was there and makes it anew. */
	return hides ? tree_dirs_set_opaque(&t->dirs, entry->path, fd, e) : 0;
}

/* Only a directory can stand for the root, and only its metadata counts (T-A5). */
static int add_root(struct tree_writer *t, const struct tar_entry *entry, struct err *e)
{
	if (entry->type != TAR_DIR)
		return err_set(e, ERR_SPEC, "layer member \".\" is not a directory");
	AUTO(fd_drop) int fd = openat(t->dirs.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return err_sys(e, "open the directory / of a layer's tree");
	if (tree_meta_fd(fd, entry, &st, e) < 0)
		return -1;
	struct tree_dir *dir = tree_dirs_record(&t->dirs, ".", &st, false);
	dir->time = tree_meta_time(entry);
	dir->implied = false;
	t->root_named = true;
	return 0;
}

static int add_symlink(struct tree_writer *t, struct place *at, const struct tar_entry *entry, struct err *e)
{
	int r = symlinkat(entry->link, at->dir_fd, at->name);
	if (r < 0 && errno == EEXIST) {
		if (make_room(t, at, entry->path, e) < 0)
			return -1;
		r = symlinkat(entry->link, at->dir_fd, at->name);
	}
	if (r < 0)
		return cannot_create(entry->path, e);
	return tree_meta_link(at->dir_fd, at->name, entry, e);
}

/*
 * The target is looked up in this layer's tree alone: a link made in a container copies its target up first, so that
 * both are in one layer. A link to a symbolic link is to the link itself (T-A3). The inode's metadata came with the
 * target.
 */
static int open_link_target(struct tree_writer *t, const struct tar_entry *entry, int *ret_dir, const char **ret_name,
			    struct stat *ret_st, struct err *e)
{
	AUTO(fd_drop) int dir = tree_dirs_find_parent(&t->dirs, entry->link, ret_name);
	int r = dir < 0 ? -1 : fstatat(dir, *ret_name, ret_st, AT_SYMLINK_NOFOLLOW);
	if (r < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "hard link %s to %s", entry->path, entry->link);
	if (r < 0 || mark_is_whiteout(ret_st)) {
		err_set(e, ERR_SPEC, "%s is a hard link to %s, which is not in the layer", entry->path, entry->link);
		return err_hint(e, "a target in a layer below does not count");
	}
	if (S_ISDIR(ret_st->st_mode))
		return err_set(e, ERR_SPEC, "%s is a hard link to the directory %s", entry->path, entry->link);
	*ret_dir = fd_take(&dir);
	return 0;
}

static int add_hardlink(struct tree_writer *t, struct place *at, const struct tar_entry *entry, struct err *e)
{
	AUTO(fd_drop) int target_dir = -1;
	const char *target;
	struct stat want, there;
	if (open_link_target(t, entry, &target_dir, &target, &want, e) < 0)
		return -1;
	if (linkat(target_dir, target, at->dir_fd, at->name, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "hard link %s to %s", entry->path, entry->link);
	if (fstatat(at->dir_fd, at->name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_create(entry->path, e);
	if (there.st_ino == want.st_ino && there.st_dev == want.st_dev)
		return 0; /* the same file already, or itself */
	if (make_room(t, at, entry->path, e) < 0)
		return -1;
	/* What was removed may have been on the way to the target. */
	fd_drop(&target_dir);
	if (open_link_target(t, entry, &target_dir, &target, &want, e) < 0)
		return -1;
	if (linkat(target_dir, target, at->dir_fd, at->name, 0) < 0)
		return err_sys(e, "hard link %s to %s", entry->path, entry->link);
	return 0;
}

static int make_node(struct place *at, const struct tar_entry *entry)
{
	mode_t mode = entry->mode & 0777;
	if (entry->type == TAR_FIFO)
		return mknodat(at->dir_fd, at->name, S_IFIFO | mode, 0);
	return mknodat(at->dir_fd, at->name, (entry->type == TAR_CHAR ? S_IFCHR : S_IFBLK) | mode,
		       makedev(entry->major, entry->minor));
}

/* In place of a device that can not be: what the layers below have here must not be seen instead. */
static int hide_device(struct tree_writer *t, struct place *at, const struct tar_entry *entry, struct err *e)
{
	log_debug("%s: device %c %u:%u left out of the tree", entry->path, (char)entry->type, entry->major,
		  entry->minor);
	if (mark_whiteout(at->dir_fd, at->name) == 0)
		return 0;
	if (errno != EEXIST)
		return cannot_create(entry->path, e);
	if (make_room(t, at, entry->path, e) < 0)
		return -1;
	return mark_whiteout(at->dir_fd, at->name) < 0 ? cannot_create(entry->path, e) : 0;
}

static int add_node(struct tree_writer *t, struct place *at, const struct tar_entry *entry, struct err *e)
{
	/* This one would be a whiteout (T-B1). */
	if (entry->type == TAR_CHAR && entry->major == 0 && entry->minor == 0)
		return hide_device(t, at, entry, e);
	int r = make_node(at, entry);
	if (r < 0 && errno == EEXIST) {
		if (make_room(t, at, entry->path, e) < 0)
			return -1;
		r = make_node(at, entry);
	}
	if (r == 0)
		return tree_meta_node(at->dir_fd, at->name, entry, e);
	/* Devices need CAP_MKNOD in the first user namespace. */
	if (errno == EPERM && entry->type != TAR_FIFO)
		return hide_device(t, at, entry, e);
	return cannot_create(entry->path, e);
}

int tree_writer_add(struct tree_writer *t, const struct tar_entry *entry, struct err *e)
{
	struct place at;
	assert(t->file_fd < 0);
	if (str_eq(entry->path, "."))
		return add_root(t, entry, e);
	if (tree_dirs_parent(&t->dirs, entry->path, &at.dir_fd, &at.name, e) < 0)
		return -1;
	switch (entry->type) {
	case TAR_FILE:
		return add_file(t, &at, entry, e);
	case TAR_DIR:
		return add_dir(t, &at, entry, e);
	case TAR_SYMLINK:
		return add_symlink(t, &at, entry, e);
	case TAR_HARDLINK:
		return add_hardlink(t, &at, entry, e);
	case TAR_FIFO:
	case TAR_CHAR:
	case TAR_BLOCK:
		return add_node(t, &at, entry, e);
	}
	return err_set(e, ERR_SPEC, "layer member %s is of an unknown type", entry->path);
}

static bool all_zero(const char *bytes, size_t n)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

int tree_writer_data(struct tree_writer *t, const void *bytes, size_t n, struct err *e)
{
	enum { HOLE_MIN = 32 << 10 }; /* smaller ones cost more than they save */
	if (!n)
		return 0;
	assert(t->file_fd >= 0 && n <= t->left);
	t->ends_in_hole = n >= HOLE_MIN && all_zero(bytes, n);
	if (t->ends_in_hole) {
		if (lseek(t->file_fd, (off_t)n, SEEK_CUR) < 0)
			return err_sys(e, "write %s", t->file.path);
	} else if (fd_write_all(t->file_fd, bytes, n, t->file.path, e) < 0) {
		return -1;
	}
	t->left -= n;
	return t->left ? 0 : finish_file(t, e);
}

int tree_writer_whiteout(struct tree_writer *t, const char *path, struct err *e)
{
	struct place at;
	struct stat st;
	assert(t->file_fd < 0);
	if (tree_dirs_parent(&t->dirs, path, &at.dir_fd, &at.name, e) < 0)
		return -1;
	if (mark_whiteout(at.dir_fd, at.name) == 0)
		return 0;
	if (errno != EEXIST || fstatat(at.dir_fd, at.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "mark %s as deleted", path);
	/* What this layer holds stays, in whatever order the two come; of a directory, what is below it is hidden. */
	if (!S_ISDIR(st.st_mode))
		return 0;
	AUTO(fd_drop) int fd = openat(at.dir_fd, at.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	return tree_dirs_set_opaque(&t->dirs, path, fd, e);
}

int tree_writer_opaque(struct tree_writer *t, const char *dir, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	assert(t->file_fd < 0);
	if (tree_dirs_open(&t->dirs, dir, &fd, e) < 0)
		return -1;
	return tree_dirs_set_opaque(&t->dirs, dir, fd, e);
}

int tree_writer_finish(struct tree_writer *t, struct strv *implied, struct err *e)
{
	static const struct tar_entry unnamed_root = { .type = TAR_DIR, .path = (char *)".", .mode = 0755 };
	assert(t->file_fd < 0);
	if (!t->root_named) {
		if (add_root(t, &unnamed_root, e) < 0)
			return -1;
		if (implied)
			strv_push(implied, ".");
	}
	return tree_dirs_finish(&t->dirs, implied, e);
}
