#include "tree_meta_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "layer_xattr_priv.h"

struct timespec tree_meta_time(const struct tar_entry *entry)
{
	return (struct timespec){ .tv_sec = entry->mtime,
				  .tv_nsec = entry->mtime_ns < 1000000000 ? entry->mtime_ns : 0 };
}

static int owner_refused(const struct tar_entry *entry, struct err *e)
{
	if (errno != EINVAL)
		return err_sys(e, "change the owner of %s to %u:%u", entry->path, entry->uid, entry->gid);
	err_set(e, ERR_SANDBOX, "%s belongs to %u:%u, which this user namespace does not map", entry->path, entry->uid,
		entry->gid);
	snprintf(e->id, sizeof e->id, "E-ID-UNMAPPED");
	return err_hint(e, "give the user more subordinate ids in /etc/subuid and /etc/subgid");
}

static bool owner_differs(const struct stat *st, const struct tar_entry *entry)
{
	return st->st_uid != entry->uid || st->st_gid != entry->gid;
}

int tree_meta_fd(int fd, const struct tar_entry *entry, struct stat *ret_st, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", entry->path);
	bool chown = owner_differs(&st, entry);
	if (chown && fchown(fd, entry->uid, entry->gid) < 0)
		return owner_refused(entry, e);
	/* chown clears set-id bits. */
	if (((st.st_mode & 07777) != entry->mode || (chown && (entry->mode & 07000))) &&
	    fchmod(fd, entry->mode & 07777) < 0)
		return err_sys(e, "change the mode of %s", entry->path);
	if (entry->xattrs.n && layer_xattrs_set(fd, &entry->xattrs, entry->path, e) < 0)
		return -1;
	if (ret_st)
		*ret_st = st;
	return 0;
}

static int set_times(int dir_fd, const char *name, const struct tar_entry *entry, struct err *e)
{
	struct timespec t = tree_meta_time(entry);
	if (utimensat(dir_fd, name, (const struct timespec[2]){ t, t }, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set times of %s", entry->path);
	return 0;
}

int tree_meta_link(int dir_fd, const char *name, const struct tar_entry *entry, struct err *e)
{
	struct stat st;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat %s", entry->path);
	if (owner_differs(&st, entry) && fchownat(dir_fd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return owner_refused(entry, e);
	return set_times(dir_fd, name, entry, e);
}

/* There is no fchmod for O_PATH descriptors before fchmodat2 (Linux 6.6); /proc names the file without a path. */
static int chmod_node(int fd, mode_t mode)
{
	char proc[32];
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
	return chmod(proc, mode & 07777);
}

int tree_meta_node(int dir_fd, const char *name, const struct tar_entry *entry, struct err *e)
{
	AUTO(fd_drop) int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", entry->path);
	bool chown = owner_differs(&st, entry);
	if (chown && fchownat(fd, "", entry->uid, entry->gid, AT_EMPTY_PATH) < 0)
		return owner_refused(entry, e);
	if ((chown || (st.st_mode & 07777) != entry->mode) && chmod_node(fd, entry->mode) < 0)
		return err_sys(e, "change the mode of %s", entry->path);
	return set_times(dir_fd, name, entry, e);
}
