#include "cache_mount_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/syscalls.h"
#include "store/claim.h"
#include "store/use.h"

static int open_dir(struct store *s, int mounts_fd, const char *name, int *ret_fd, char **ret_missing, struct err *e)
{
	AUTO(free_drop) char *object = x_asprintf("mount/%s", name);
	store_use(s, object, NULL);
	int fd = openat(mounts_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*ret_missing = x_strdup(name);
		return 1;
	}
	if (fd < 0)
		return err_sys(e, "open cache directory %s", name);
	*ret_fd = fd;
	return 0;
}

int cache_mount_lock(int mounts_fd, const char *name, bool wait, int *ret_lock, struct err *e)
{
	AUTO(free_drop) char *lock = x_asprintf("%s.lock", name);
	return lock_file(mounts_fd, lock, true, wait, ret_lock, e);
}

int cache_mount_open(struct store *s, int mounts_fd, const char *name, enum df_sharing sharing, int *ret_fd, int *ret_lock,
		     char **ret_missing, struct err *e)
{
	/* private: the first free one; locked: only the one (MNT-10). */
	for (unsigned i = 0; sharing != DF_SHARING_SHARED; i++) {
		AUTO(free_drop) char *one = i ? x_asprintf("%s-%u", name, i) : x_strdup(name);
		int r = cache_mount_lock(mounts_fd, one, false, ret_lock, e);
		if (r < 0 || (r == 1 && sharing == DF_SHARING_LOCKED))
			return r;
		if (r == 0)
			return open_dir(s, mounts_fd, one, ret_fd, ret_missing, e);
	}
	return open_dir(s, mounts_fd, name, ret_fd, ret_missing, e);
}

bool cache_new_claim(const struct cache_new *c, struct claim *ret)
{
	AUTO(free_drop) char *name = x_asprintf("mount-%s", c->name);
	claim_take(c->build->store, name, ret);
	return faccessat(c->mounts_fd, c->name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static int publish(const struct cache_new *c, struct err *e)
{
	char made[32];
	snprintf(made, sizeof made, "%u/tree", c->work_id);
	int r = sys_renameat2(c->build->tmp_fd, made, c->mounts_fd, c->name, RENAME_NOREPLACE);
	/* Not on NFS and some FUSE file systems. A directory never replaces one that is in use, which is not empty or
	 * as good as ours. */
	if (r < 0 && (errno == EINVAL || errno == ENOSYS || errno == EPERM))
		r = renameat(c->build->tmp_fd, made, c->mounts_fd, c->name);
	if (r < 0 && errno != EEXIST && errno != ENOTEMPTY)
		return err_sys(e, "make cache directory %s", c->name);
	return 0;
}

int cache_new_publish(const struct cache_new *c, uint32_t uid, uint32_t gid, uint32_t mode, struct err *e)
{
	if (fchown(c->tree_fd, uid, gid) < 0 || fchmod(c->tree_fd, mode & 07777) < 0)
		return err_sys(e, "give a cache directory to %u:%u with mode %o", uid, gid, mode);
	return publish(c, e);
}

int cache_new_publish_copy(const struct cache_new *c, struct err *e)
{
	/* After a power cut it is either whole or not there. */
	if (fd_sync_fs(c->tree_fd) < 0)
		return err_sys(e, "sync the new cache directory mount/%s", c->name);
	return publish(c, e);
}
