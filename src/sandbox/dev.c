#include "dev_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "local_priv.h"
#include "newmount_priv.h"
#include "refuse_priv.h"

static const struct {
	const char *name, *path;
	unsigned major, minor;
} nodes[DEV_NODES] = {
	{ "null", "/dev/null", 1, 3 },     { "zero", "/dev/zero", 1, 5 },       { "full", "/dev/full", 1, 7 },
	{ "random", "/dev/random", 1, 8 }, { "urandom", "/dev/urandom", 1, 9 }, { "tty", "/dev/tty", 5, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },         { "core", "/proc/kcore" },
};

/*
 * A copy of the mount of one device node, read-only: that stops no read or write of the device, but a chmod or chown of
 * what is still the host's own node, which root may do even from inside when root of the host is mapped.
 */
static int clone_node(int dirfd, const char *path)
{
	AUTO(fd_drop) int mnt = newmount_clone(dirfd, path);
	return mnt < 0 || newmount_restrict(mnt, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC) < 0 ? -1 : fd_take(&mnt);
}

int dev_prepare(struct dev *d, int tty_fd, struct err *e)
{
	static const struct mount_option options[] = { { "mode", "0755" }, { "size", "64m" }, { 0 } };
	d->console = -1;
	for (size_t i = 0; i < DEV_NODES; i++) {
		struct stat st;
		/* A device node can not be made in a user namespace, nor opened on a file system mounted there. */
		d->node[i] = clone_node(AT_FDCWD, nodes[i].path);
		if (d->node[i] < 0 || fstat(d->node[i], &st) < 0)
			return refuse_namespace(e, nodes[i].path);
		if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(nodes[i].major, nodes[i].minor))
			return err_set(e, ERR_SANDBOX, "%s of this machine is not device %u:%u", nodes[i].path,
				       nodes[i].major, nodes[i].minor);
	}
	if (tty_fd >= 0) {
		struct err ignored;
		AUTO(fd_drop) int here = -1;
		/* A terminal of another devpts has no name here; /dev/console is a nicety then left out. */
		if (local_open(tty_fd, "terminal", &here, &ignored) == 0)
			d->console = clone_node(here, "");
	}
	d->tmpfs = newmount_open("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
	return d->tmpfs < 0 ? refuse_namespace(e, "mount a tmpfs for /dev") : 0;
}

static int put_node(const struct dev *d, int mnt, const char *name, struct err *e)
{
	if (mknodat(d->tmpfs, name, S_IFREG | 0666, 0) < 0 || newmount_attach(mnt, d->tmpfs, name) < 0)
		return err_sys(e, "make /dev/%s", name);
	return 0;
}

static int put_mount(const struct dev *d, const char *name, const char *fstype, const struct mount_option *options,
		     struct err *e)
{
	const unsigned quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	AUTO(fd_drop) int mnt = newmount_open(fstype, options, quiet);
	if (mnt < 0)
		return refuse_namespace(e, fstype);
	if (mkdirat(d->tmpfs, name, 0755) < 0 || newmount_attach(mnt, d->tmpfs, name) < 0)
		return err_sys(e, "make /dev/%s", name);
	return 0;
}

static int put_pts(const struct dev *d, struct err *e)
{
	/* Each devpts mount is an instance of its own since 4.7. gid 5 is tty everywhere; glibc's grantpt wants it. */
	static const struct mount_option options[] = {
		{ "ptmxmode", "0666" }, { "mode", "0620" }, { "gid", "5" }, { 0 }
	};
	static const struct mount_option without_gid[] = { { "ptmxmode", "0666" }, { "mode", "0620" }, { 0 } };
	AUTO(fd_drop) int mnt = newmount_open("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	/* Where gid 5 is not mapped. */
	if (mnt < 0 && errno == EINVAL)
		mnt = newmount_open("devpts", without_gid, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return refuse_namespace(e, "mount devpts");
	if (mkdirat(d->tmpfs, "pts", 0755) < 0 || newmount_attach(mnt, d->tmpfs, "pts") < 0)
		return err_sys(e, "make /dev/pts");
	return 0;
}

int dev_attach(struct dev *d, int target_fd, uint64_t shm_size, struct err *e)
{
	char size[24];
	const struct mount_option shm[] = { { "mode", "1777" }, { "size", size }, { 0 } };
	snprintf(size, sizeof size, "%llu", (unsigned long long)(shm_size ? shm_size : 64u << 20));
	if (newmount_attach(d->tmpfs, target_fd, "") < 0)
		return err_sys(e, "mount /dev");
	for (size_t i = 0; i < DEV_NODES; i++)
		if (put_node(d, d->node[i], nodes[i].name, e) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].target, d->tmpfs, links[i].name) < 0)
			return err_sys(e, "make /dev/%s", links[i].name);
	if (put_pts(d, e) < 0 || put_mount(d, "shm", "tmpfs", shm, e) < 0 ||
	    put_mount(d, "mqueue", "mqueue", NULL, e) < 0)
		return -1;
	return d->console < 0 ? 0 : put_node(d, d->console, "console", e);
}
