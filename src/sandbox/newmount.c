#include "newmount_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/syscalls.h"

int newmount_open(const char *fstype, const struct mount_option *options, unsigned attr)
{
	AUTO(fd_drop) int fs = sys_fsopen(fstype);
	if (fs < 0)
		return -1;
	for (const struct mount_option *o = options; o && o->key; o++)
		if (sys_fsconfig(fs, o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, o->key, o->value, 0) < 0)
			return -1;
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return sys_fsmount(fs, attr);
}

int newmount_clone(int dirfd, const char *path)
{
	/* Recursive: the kernel refuses a copy that would uncover what is locked below mounts of the host. */
	return sys_open_tree(dirfd, path,
			     OPEN_TREE_CLONE | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH));
}

int newmount_restrict(int mnt_fd, unsigned attr)
{
	return sys_mount_setattr(mnt_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, MOUNT_ATTR_RDONLY | attr, 0, 0);
}

int newmount_attach(int mnt_fd, int target_fd, const char *name)
{
	return sys_move_mount(mnt_fd, "", target_fd, name,
			      MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH));
}
