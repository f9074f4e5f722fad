#include "proc_sys_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "newmount_priv.h"
#include "refuse_priv.h"

static const unsigned quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

int proc_open(int *ret_mnt, struct err *e)
{
	int mnt = newmount_open("proc", NULL, quiet);
	if (mnt < 0 && errno == EPERM) {
		/* mount_too_revealing(): a user namespace gets a procfs only where it sees one without masks. */
		refuse_sys(e, "E-PROC-MASKED", "mount /proc");
		return err_hint(e, "a container around nacre masks parts of its /proc: start it with --security-opt "
				   "systempaths=unconfined, or hostUsers: false and procMount: Unmasked");
	}
	if (mnt < 0)
		return refuse_namespace(e, "mount /proc");
	*ret_mnt = mnt;
	return 0;
}

/* The runtime-spec's usual lists. Names are those of the kernel's own procfs, so no image can have put a link there. */
static const char *const readonly[] = { "bus", "fs", "irq", "sys", "sysrq-trigger" };
static const char *const masked[] = { "acpi", "asound",        "interrupts", "kcore",
				      "keys", "latency_stats", "scsi",       "timer_list" };

static int make_readonly(int proc_fd, const char *name, struct err *e)
{
	AUTO(fd_drop) int copy = newmount_clone(proc_fd, name);
	if (copy < 0 && errno == ENOENT)
		return 0;
	if (copy < 0 || newmount_restrict(copy, quiet) < 0 || newmount_attach(copy, proc_fd, name) < 0)
		return err_sys(e, "make /proc/%s read-only", name);
	return 0;
}

static int mask(int proc_fd, int null_fd, const char *name, struct err *e)
{
	struct stat st;
	if (fstatat(proc_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at /proc/%s", name);
	AUTO(fd_drop) int cover = -1;
	if (S_ISDIR(st.st_mode))
		cover = newmount_open("tmpfs", NULL, quiet | MOUNT_ATTR_RDONLY);
	else
		cover = newmount_clone(null_fd, "");
	if (cover < 0 || newmount_attach(cover, proc_fd, name) < 0)
		return err_sys(e, "mask /proc/%s", name);
	return 0;
}

int proc_protect(int proc_fd, int null_fd, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(readonly); i++)
		if (make_readonly(proc_fd, readonly[i], e) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(masked); i++)
		if (mask(proc_fd, null_fd, masked[i], e) < 0)
			return -1;
	return 0;
}

int sys_open(enum sandbox_net net, bool writable, int *ret_mnt, struct err *e)
{
	int mnt = -1;
	/* A sysfs shows one network namespace, and only its owner may mount it. */
	if (net == SANDBOX_NET_NONE)
		mnt = newmount_open("sysfs", NULL, quiet | (writable ? 0u : MOUNT_ATTR_RDONLY));
	if (mnt < 0 && net == SANDBOX_NET_NONE && errno != EPERM)
		return refuse_namespace(e, "mount /sys");
	if (mnt < 0) {
		AUTO(fd_drop) int host = newmount_clone(AT_FDCWD, "/sys");
		if (host < 0 || (!writable && newmount_restrict(host, quiet) < 0))
			return refuse_namespace(e, "bind /sys");
		mnt = fd_take(&host);
	}
	*ret_mnt = mnt;
	return 0;
}
