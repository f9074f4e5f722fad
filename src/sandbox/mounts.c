#include "mounts_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "local_priv.h"
#include "mkpath_priv.h"
#include "newmount_priv.h"
#include "overlay_priv.h"
#include "refuse_priv.h"
#include "stubs_priv.h"

int scratch_get(struct scratch *s, int *ret_fd, struct err *e)
{
	static const struct mount_option options[] = { { "mode", "0700" }, { 0 } };
	if (s->fd < 0) {
		/* It must be part of our mount namespace to be bound from and to carry an overlay. The host's /dev has
		 * served its purpose by now, and both are gone after the pivot. */
		AUTO(fd_drop) int fd = newmount_open("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
		if (fd < 0 || newmount_attach(fd, AT_FDCWD, "/dev") < 0)
			return refuse_namespace(e, "mount a tmpfs");
		s->fd = fd_take(&fd);
	}
	*ret_fd = s->fd;
	return 0;
}

static int bind_source(const struct sandbox_mount *m, int *ret_mnt, struct err *e)
{
	AUTO(fd_drop) int here = -1;
	if (local_open(m->source_fd, m->target, &here, e) < 0)
		return -1;
	if ((m->uid || m->gid) && fchownat(here, "", m->uid, m->gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "give %s to %u:%u", m->target, m->uid, m->gid);
	AUTO(fd_drop) int mnt = newmount_clone(here, "");
	if (mnt < 0 || (m->readonly && newmount_restrict(mnt, 0) < 0))
		return err_sys(e, "bind for %s", m->target);
	*ret_mnt = fd_take(&mnt);
	return 0;
}

static int tmpfs_source(const struct sandbox_mount *m, int *ret_mnt, struct err *e)
{
	char size[24], mode[16], uid[16], gid[16];
	struct mount_option options[] = {
		{ "mode", mode }, { "uid", uid }, { "gid", gid }, { m->size ? "size" : NULL, size }, { 0 }
	};
	snprintf(size, sizeof size, "%llu", (unsigned long long)m->size);
	snprintf(mode, sizeof mode, "0%o", m->mode & 07777);
	snprintf(uid, sizeof uid, "%u", m->uid);
	snprintf(gid, sizeof gid, "%u", m->gid);
	int mnt = newmount_open("tmpfs", options,
				MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (m->readonly ? MOUNT_ATTR_RDONLY : 0u));
	if (mnt < 0)
		return err_sys(e, "mount a tmpfs for %s", m->target);
	*ret_mnt = mnt;
	return 0;
}

static int file_source(const struct sandbox_mount *m, size_t n, struct scratch *s, int *ret_mnt, struct err *e)
{
	int dir;
	char name[24];
	snprintf(name, sizeof name, "file%zu", n);
	if (scratch_get(s, &dir, e) < 0)
		return -1;
	AUTO(fd_drop) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make the file for %s", m->target);
	if (fd_write_all(fd, m->content, m->content_len, m->target, e) < 0)
		return -1;
	if (((m->uid || m->gid) && fchown(fd, m->uid, m->gid) < 0) || fchmod(fd, m->mode & 07777) < 0)
		return err_sys(e, "set owner and mode of %s", m->target);
	AUTO(fd_drop) int mnt = newmount_clone(dir, name);
	if (mnt < 0 || (m->readonly && newmount_restrict(mnt, m->exec ? 0 : MOUNT_ATTR_NOEXEC) < 0))
		return err_sys(e, "bind %s", m->target);
	*ret_mnt = fd_take(&mnt);
	return 0;
}

static int scratch_dir(int scratch_fd, const char *kind, size_t n, int *ret_fd, struct err *e)
{
	char name[32];
	snprintf(name, sizeof name, "%s%zu", kind, n);
	if (mkdirat(scratch_fd, name, 0755) < 0 ||
	    (*ret_fd = openat(scratch_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, "make a scratch directory");
	return 0;
}

/* The root of a merged tree has the owner and mode of its upper directory. */
static int dress_upper(int upper_fd, int lower_fd, struct err *e)
{
	struct stat st;
	if (fstat(lower_fd, &st) < 0 || fchownat(upper_fd, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "copy the owner of a tree");
	char self[32];
	snprintf(self, sizeof self, "/proc/self/fd/%d", upper_fd);
	return chmod(self, st.st_mode & 07777) < 0 ? err_sys(e, "copy the mode of a tree") : 0;
}

/* An overlay of `lower` whose writes go to the scratch tmpfs. It needs user.* attributes, there since Linux 6.6. */
static int merge_lowers(const struct sandbox_mount *m, const int *lower, size_t n, int scratch_fd, int *ret_mnt,
			struct err *e)
{
	struct overlay o = { .lower = lower, .n_lower = m->n_lower, .upper = -1, .work = -1 };
	AUTO(fd_drop) int upper = -1;
	AUTO(fd_drop) int work = -1;
	if (!m->readonly) {
		if (scratch_dir(scratch_fd, "upper", n, &upper, e) < 0 ||
		    scratch_dir(scratch_fd, "work", n, &work, e) < 0 || dress_upper(upper, lower[0], e) < 0)
			return -1;
		o.upper = upper;
		o.work = work;
	}
	return overlay_open(&o, ret_mnt, e);
}

/* A copy of what `subpath` names inside the tree; a link there is followed inside the tree (T-C1). */
static int clone_within(int tree_fd, const struct sandbox_mount *m, int *ret_mnt, struct err *e)
{
	AUTO(fd_drop) int part = root_open(tree_fd, m->subpath ? m->subpath : ".", O_PATH, 0);
	if (part < 0)
		return err_sys(e, "open %s for the mount at %s", m->subpath ? m->subpath : "/", m->target);
	AUTO(fd_drop) int mnt = newmount_clone(part, "");
	if (mnt < 0 || (m->readonly && newmount_restrict(mnt, 0) < 0))
		return err_sys(e, "bind for %s", m->target);
	*ret_mnt = fd_take(&mnt);
	return 0;
}

static int tree_of(const struct sandbox_mount *m, const int *lower, size_t n, struct scratch *s, int *ret_mnt,
		   struct err *e)
{
	int scratch_fd;
	/* One layer to read from needs no merging. */
	if (m->readonly && m->n_lower == 1)
		return clone_within(lower[0], m, ret_mnt, e);
	if (scratch_get(s, &scratch_fd, e) < 0)
		return -1;
	AUTO(fd_drop) int mnt = -1;
	if (merge_lowers(m, lower, n, scratch_fd, &mnt, e) < 0)
		return -1;
	if (m->subpath) {
		/* Only what is attached can be bound from. */
		AUTO(fd_drop) int place = -1;
		if (scratch_dir(scratch_fd, "tree", n, &place, e) < 0)
			return -1;
		if (newmount_attach(mnt, place, "") < 0)
			return err_sys(e, "attach a tree");
		return clone_within(mnt, m, ret_mnt, e);
	}
	*ret_mnt = fd_take(&mnt);
	return 0;
}

static int tree_source(const struct sandbox_mount *m, size_t n, struct scratch *s, int *ret_mnt, struct err *e)
{
	VEC(int) lower = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < m->n_lower; i++) {
		int fd = -1;
		r = local_open(m->lower_fds[i], m->target, &fd, e);
		if (r == 0)
			vec_push(&lower, fd);
	}
	if (r == 0 && !lower.n) {
		/* FROM scratch: an empty tree. */
		int scratch_fd, fd;
		r = scratch_get(s, &scratch_fd, e) < 0 ? -1 : scratch_dir(scratch_fd, "empty", n, &fd, e);
		if (r == 0)
			vec_push(&lower, fd);
	}
	struct sandbox_mount with = *m;
	with.n_lower = lower.n;
	if (r == 0)
		r = tree_of(&with, lower.v, n, s, ret_mnt, e);
	for (size_t i = 0; i < lower.n; i++)
		fd_drop(&lower.v[i]);
	vec_fini(&lower);
	return r;
}

int mount_source(const struct sandbox_mount *m, size_t n, struct scratch *s, int *ret_mnt, struct err *e)
{
	switch (m->kind) {
	case SANDBOX_MOUNT_BIND:
		return bind_source(m, ret_mnt, e);
	case SANDBOX_MOUNT_TREE:
		return tree_source(m, n, s, ret_mnt, e);
	case SANDBOX_MOUNT_TMPFS:
		return tmpfs_source(m, ret_mnt, e);
	case SANDBOX_MOUNT_FILE:
		return file_source(m, n, s, ret_mnt, e);
	}
	return err_set(e, ERR_SANDBOX, "unknown kind of mount %d for %s", (int)m->kind, m->target);
}

/* What our own set-up stands on must not be covered (T-C7). */
static bool is_reserved(int root_fd, int target_fd)
{
	static const char *const whole[] = { ".", "dev", "sys" };
	struct stat st, target;
	struct statfs sf;
	if (fstat(target_fd, &target) < 0 || fstatfs(target_fd, &sf) < 0 || sf.f_type == PROC_SUPER_MAGIC)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (fstatat(root_fd, whole[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == target.st_dev &&
		    st.st_ino == target.st_ino)
			return true;
	return false;
}

int mount_target(const struct sandbox_mount *m, int mnt_fd, int root_fd, struct stubs *stubs, struct err *e)
{
	struct stat source, target;
	if (fstat(mnt_fd, &source) < 0)
		return err_sys(e, "stat the mount for %s", m->target);
	bool directory = S_ISDIR(source.st_mode);
	AUTO(fd_drop) int fd = -1;
	if (mkpath_open(root_fd, m->target, directory, stubs_make, stubs, &fd, e) < 0)
		return err_in(e, "mount target %s", m->target);
	if (fstat(fd, &target) < 0)
		return err_sys(e, "stat mount target %s", m->target);
	if (S_ISDIR(target.st_mode) != directory)
		return err_set(e, ERR_BUILD, "mount target %s is %sa directory", m->target, directory ? "not " : "");
	if (is_reserved(root_fd, fd))
		return err_set(e, ERR_BUILD, "nothing can be mounted on %s", m->target);
	return newmount_attach(mnt_fd, fd, "") < 0 ? err_sys(e, "mount on %s", m->target) : 0;
}
