#include "overlay_priv.h"

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
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/syscalls.h"
#include "newmount_priv.h"
#include "refuse_priv.h"

/*
 * userxattr: whiteouts and opaque marks as user.overlay.*, the only ones a user namespace may write (5.11). It also
 * turns redirect_dir and metacopy off, which layers know nothing of; saying so besides is refused as a conflict.
 * volatile: no fsync of what a step writes (5.10). A step that is cut off is thrown away whole, and a finished one is
 * made durable by the store's one syncfs; package managers call fsync for every file. index=off: hard links across
 * layers are kept apart by no index of inodes, which would outlive the step.
 */
static const char *const flags[] = { "userxattr", "volatile" };

static int set_dir(int fs, const char *key, int fd)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
}

/* Since 6.7 each lower directory is a parameter of its own, so neither a page of options nor escaping limits them. */
static int open_new(const struct overlay *o, int fs)
{
	for (size_t i = 0; i < o->n_lower; i++)
		if (set_dir(fs, "lowerdir+", o->lower[i]) < 0)
			return -1;
	if (o->upper >= 0 && (set_dir(fs, "upperdir", o->upper) < 0 || set_dir(fs, "workdir", o->work) < 0))
		return -1;
	for (size_t i = 0; i < (o->upper >= 0 ? ARRAY_LEN(flags) : 1); i++)
		if (sys_fsconfig(fs, FSCONFIG_SET_FLAG, flags[i], NULL, 0) < 0)
			return -1;
	if (o->upper >= 0 && sys_fsconfig(fs, FSCONFIG_SET_STRING, "index", "off", 0) < 0)
		return -1;
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return sys_fsmount(fs, 0);
}

static void old_options(const struct overlay *o, struct str *options)
{
	for (size_t i = 0; i < o->n_lower; i++)
		str_addf(options, "%s%d", i ? ":" : "lowerdir=", o->lower[i]);
	if (o->upper >= 0)
		str_addf(options, ",upperdir=%d,workdir=%d,volatile,index=off", o->upper, o->work);
	str_add(options, ",userxattr");
}

/*
 * Before 6.7: one option string of at most a page, which names the directories relative to /proc/self/fd to stay short
 * (over 500 layers). mount(2) needs a place, in a tmpfs for the moment: it is not reached through a descriptor's own
 * link in /proc, which leads to what lies below a mount.
 */
static int open_old(const struct overlay *o)
{
	AUTO(str_fini) struct str options = { 0 };
	AUTO(fd_drop) int place = newmount_open("tmpfs", NULL, 0);
	AUTO(fd_drop) int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char target[32];
	old_options(o, &options);
	snprintf(target, sizeof target, "%d/merged", place);
	if (place < 0 || back < 0 || mkdirat(place, "merged", 0700) < 0 || newmount_attach(place, AT_FDCWD, "/dev") < 0)
		return -1;
	int r = chdir("/proc/self/fd") < 0 ? -1 : mount("overlay", target, "overlay", 0, options.buf);
	AUTO(fd_drop) int top = r < 0 ? -1 : sys_open_tree(place, "merged", OPEN_TREE_CLONE);
	int why = errno;
	if (umount2("/dev", MNT_DETACH) < 0 || fchdir(back) < 0)
		return -1;
	errno = why;
	return fd_take(&top);
}

/* What the kernel wrote to the context's log: lines "e overlay: text". */
static void add_log(int fs, struct err *e)
{
	char line[200];
	ssize_t n = read(fs, line, sizeof line - 1);
	if (n <= 2)
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	err_hint(e, "the kernel says: %s", line + 2);
}

static int refuse_overlay(const struct overlay *o, int fs, struct err *e)
{
	struct statfs sf = { 0 };
	int why = errno;
	if (o->upper >= 0 && fstatfs(o->upper, &sf) == 0 && sf.f_type == OVERLAYFS_SUPER_MAGIC) {
		err_set(e, ERR_SANDBOX, "the store is on overlayfs, which cannot hold another overlay");
		err_hint(e, "put it on a volume or another file system with --store");
		e->sysno = why;
		return refuse_as(e, "E-STORE-ON-OVERLAY");
	}
	errno = why;
	if (why == EPERM || why == EACCES)
		refuse_namespace(e, "mount an overlay");
	else
		refuse_sys(e, "E-OVERLAY-REFUSED", "mount an overlay of %zu directories", o->n_lower);
	if (strcmp(e->id, "E-USERNS-DENIED") == 0)
		refuse_as(e, "E-OVERLAY-REFUSED");
	if (fs >= 0)
		add_log(fs, e);
	if (o->upper >= 0)
		err_hint(e, "the file system of the store has type 0x%lx", (unsigned long)sf.f_type);
	return -1;
}

int overlay_open(const struct overlay *o, int *ret_mnt, struct err *e)
{
	AUTO(fd_drop) int fs = sys_fsopen("overlay");
	AUTO(fd_drop) int mnt = fs < 0 ? -1 : open_new(o, fs);
	if (mnt < 0 && fs >= 0 && errno == EINVAL) {
		log_debug("overlay: the new mount interface was refused, trying mount(2)");
		mnt = open_old(o);
	}
	if (mnt < 0)
		return refuse_overlay(o, fs, e);
	*ret_mnt = fd_take(&mnt);
	return 0;
}
