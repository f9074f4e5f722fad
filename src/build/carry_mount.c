/* Cache mounts as archives: their trees belong to the ids that RUN sees, so both ways are gone inside the namespace. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar_read.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/syscalls.h"
#include "cache_mount_priv.h"
#include "carry_priv.h"
#include "oci/layer_diff.h"
#include "oci/tree_writer.h"
#include "store/use.h"

enum { BUFFER = 256 << 10 };

static int open_mounts(struct store *s, int *ret_fd, struct err *e)
{
	*ret_fd = openat(s->fd, "mount", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, "open %s/mount", s->path) : 0;
}

/* Owner and mode of the directory itself, which layer_diff leaves out. */
static int pack_root(struct layer_writer *w, int tree_fd, struct err *e)
{
	struct stat st;
	if (fstat(tree_fd, &st) < 0)
		return err_sys(e, "stat a cache mount");
	struct tar_entry root = {
		.type = TAR_DIR, .path = (char *)(uintptr_t)".", .mode = st.st_mode & 07777, .uid = st.st_uid,
		.gid = st.st_gid, .mtime = st.st_mtim.tv_sec,
	};
	return layer_writer_add(w, &root, e);
}

/* Who shares a cache mount takes no lock, so what vanishes or shrinks while it is read says that there is somebody. */
static bool is_in_use(const struct err *e)
{
	return e->kind == ERR_BUILD || (e->kind == ERR_SYS && (e->sysno == ENOENT || e->sysno == ENOTDIR));
}

int carry_mount_pack(struct store *s, const struct digest *id, int out_fd, struct err *e)
{
	struct digest_text name = digest_hex(id);
	AUTO(fd_drop) int mounts = -1;
	AUTO(lock_drop) int lock = -1;
	if (open_mounts(s, &mounts, e) < 0)
		return -1;
	int r = cache_mount_lock(mounts, name.s, false, &lock, e);
	if (r != 0)
		return r;
	AUTO(fd_drop) int tree = openat(mounts, name.s, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree < 0)
		return err_sys(e, "open %s/mount/%s", s->path, name.s);
	struct sink *out = sink_compress(COMPRESSION_ZSTD, 0, 1, sink_fd(out_fd, "cache mount"));
	AUTO(layer_writer_drop) struct layer_writer *w = layer_writer_for_tar(out);
	if (pack_root(w, tree, e) == 0 && layer_diff(tree, w, NULL, e) == 0 && layer_writer_end(w, e) == 0)
		return 0;
	return is_in_use(e) ? 1 : err_in(e, "cache mount %s", name.s);
}

static int unpack(struct source *in, int tree_fd, struct err *e)
{
	AUTO(free_drop) char *buf = x_alloc(BUFFER);
	AUTO(tar_reader_drop) struct tar_reader *tar = tar_reader_new(in, "cache mount");
	struct tree_writer *tree = tree_writer_new(tree_fd);
	const struct tar_entry *entry;
	int r;
	while ((r = tar_reader_next(tar, &entry, e)) > 0) {
		ssize_t n = 0;
		r = tree_writer_add(tree, entry, e);
		while (r == 0 && entry->type == TAR_FILE && (n = tar_reader_read(tar, buf, BUFFER, e)) > 0)
			r = tree_writer_data(tree, buf, (size_t)n, e);
		if (r < 0 || n < 0) {
			r = -1;
			break;
		}
	}
	if (r == 0)
		r = tree_writer_finish(tree, NULL, e);
	tree_writer_free(tree);
	/* To its end, where the checksum of the compression is. */
	return r == 0 ? source_drain(in, e) : -1;
}

/* 0, 1 somebody was faster. */
static int publish(int from_fd, int mounts_fd, const char *name, struct err *e)
{
	int r = sys_renameat2(from_fd, "tree", mounts_fd, name, RENAME_NOREPLACE);
	/* Not on NFS and some FUSE file systems. */
	if (r < 0 && (errno == EINVAL || errno == ENOSYS || errno == EPERM))
		r = renameat(from_fd, "tree", mounts_fd, name);
	if (r == 0)
		return 0;
	return errno == EEXIST || errno == ENOTEMPTY ? 1 : err_sys(e, "make cache directory %s", name);
}

/* 0: nothing stands in the way. 1: something does that has to stay. */
static int make_way(struct store *s, int mounts_fd, const struct digest *id, bool replace, struct err *e)
{
	struct object old = { .kind = OBJECT_MOUNT };
	struct digest_text name = digest_hex(id);
	int64_t since;
	if (faccessat(mounts_fd, name.s, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at cache mount %s", name.s);
	if (!replace)
		return 1;
	AUTO(free_drop) char *path = x_asprintf("mount/%s", name.s);
	old.name = path;
	return store_use_since(s, false, &since, e) < 0 ? -1 : object_remove(s, &old, since, e);
}

static int fill(struct store *s, int work_fd, int mounts_fd, const struct digest *id, struct source *in, bool replace,
		struct err *e)
{
	if (mkdirat(work_fd, "tree", 0755) < 0)
		return err_sys(e, "make a directory in %s/tmp", s->path);
	AUTO(fd_drop) int tree = openat(work_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0)
		return err_sys(e, "open a directory in %s/tmp", s->path);
	if (unpack(in, tree, e) < 0)
		return -1;
	/* After a power cut it is either whole or not there. */
	if (fd_sync_fs(tree) < 0)
		return err_sys(e, "sync cache mount %s", digest_hex(id).s);
	int r = make_way(s, mounts_fd, id, replace, e);
	return r ? r : publish(work_fd, mounts_fd, digest_hex(id).s, e);
}

int carry_mount_unpack(struct store *s, const struct digest *id, struct source *in, bool replace, struct err *e)
{
	AUTO(fd_drop) int mounts = -1;
	AUTO(fd_drop) int work = -1;
	char tmp[33];
	if (open_mounts(s, &mounts, e) < 0)
		return -1;
	if (!replace) {
		int r = make_way(s, mounts, id, false, e);
		if (r)
			return r;
	}
	if (store_tmp_new(s, tmp, &work, e) < 0)
		return -1;
	int r = fill(s, work, mounts, id, in, replace, e);
	store_tmp_discard(s, tmp);
	return r;
}
