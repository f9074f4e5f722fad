#include "rootfs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "local_priv.h"
#include "mkpath_priv.h"
#include "newmount_priv.h"
#include "overlay_priv.h"
#include "proc_sys_priv.h"
#include "refuse_priv.h"

/* The merged root: the plan's layers, or an empty one below FROM scratch, since an overlay wants at least one. */
static int prepare_root(struct rootfs *r, const struct sandbox_plan *p, struct err *e)
{
	VEC(int) lower = { 0 };
	AUTO(fd_drop) int work = -1;
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < p->n_lower; i++) {
		int fd = -1;
		ret = local_open(p->lower_fds[i], "layer", &fd, e);
		if (ret == 0)
			vec_push(&lower, fd);
	}
	if (ret == 0 && !lower.n) {
		int scratch_fd;
		ret = scratch_get(&r->scratch, &scratch_fd, e);
		if (ret == 0 && mkdirat(scratch_fd, "nothing", 0755) < 0)
			ret = err_sys(e, "make an empty layer");
		int fd = ret < 0 ? -1 : openat(scratch_fd, "nothing", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			vec_push(&lower, fd);
	}
	if (ret == 0)
		ret = local_open(p->upper_fd, "upper directory", &r->upper_fd, e);
	if (ret == 0)
		ret = local_open(p->work_fd, "work directory", &work, e);
	if (ret == 0) {
		const struct overlay o = { .lower = lower.v, .n_lower = lower.n, .upper = r->upper_fd, .work = work };
		ret = overlay_open(&o, &r->root_fd, e);
	}
	for (size_t i = 0; i < lower.n; i++)
		fd_drop(&lower.v[i]);
	vec_fini(&lower);
	return ret;
}

int rootfs_prepare(struct rootfs *r, const struct sandbox_plan *p, struct err *e)
{
	*r = (struct rootfs){ .root_fd = -1, .upper_fd = -1, .proc_fd = -1, .sys_fd = -1, .scratch = { -1 } };
	/* Nothing we mount may reach the host, and nothing the host mounts may come here. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return refuse_namespace(e, "make mounts private");
	if (dev_prepare(&r->dev, p->tty ? p->stdin_fd : -1, e) < 0 || proc_open(&r->proc_fd, e) < 0 ||
	    sys_open(p->net, p->insecure, &r->sys_fd, e) < 0)
		return -1;
	for (size_t i = 0; i < p->n_mounts; i++) {
		int mnt = -1;
		if (mount_source(&p->mounts[i], i, &r->scratch, &mnt, e) < 0)
			return -1;
		vec_push(&r->sources, mnt);
	}
	return prepare_root(r, p, e);
}

int rootfs_pivot(struct rootfs *r, struct err *e)
{
	/* On top of the old root, so that no directory of the host is needed; then the two change places.
	 * pivot_root(2). */
	if (newmount_attach(r->root_fd, AT_FDCWD, "/") < 0 || fchdir(r->root_fd) < 0 || sys_pivot_root(".", ".") < 0)
		return refuse_namespace(e, "change the root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, "leave the old root");
	return stubs_init(&r->stubs, r->root_fd, r->upper_fd, r->proc_fd, e);
}

static int make_owned(void *ctx, int parent_fd, const char *name, bool directory, struct err *e)
{
	const struct user_ids *ids = ctx;
	if (mkdirat(parent_fd, name, 0755) < 0)
		return err_sys(e, "make the directory %s", name);
	if ((ids->uid || ids->gid) && fchownat(parent_fd, name, ids->uid, ids->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "give the directory %s to %u:%u", name, ids->uid, ids->gid);
	return 0;
}

int rootfs_make_cwd(const struct rootfs *r, const char *cwd, const struct user_ids *ids, struct err *e)
{
	AUTO(free_drop) char *path = path_rooted(cwd);
	AUTO(fd_drop) int fd = -1;
	struct user_ids owner = *ids;
	if (mkpath_open(r->root_fd, path, true, make_owned, &owner, &fd, e) < 0)
		return err_in(e, "working directory %s", path);
	return 0;
}

/*
 * The place for /proc, /dev or /sys: a directory directly in the root. A link there leads our mounts to where the image
 * wants them (runc CVE-2019-19921 and its successors); no image that works elsewhere has one.
 */
static int own_place(int root_fd, const char *name, int *ret_fd, struct err *e)
{
	struct stat st;
	if (mkdirat(root_fd, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make /%s", name);
	AUTO(fd_drop) int fd = openat(root_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open /%s", name);
	if (S_ISLNK(st.st_mode))
		return err_set(e, ERR_BUILD, "the image has /%s as a symbolic link", name);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_BUILD, "the image has a /%s that is not a directory", name);
	*ret_fd = fd_take(&fd);
	return 0;
}

static int mount_own(struct rootfs *r, const struct sandbox_plan *p, struct err *e)
{
	AUTO(fd_drop) int proc = -1;
	AUTO(fd_drop) int dev = -1;
	AUTO(fd_drop) int sys = -1;
	if (own_place(r->root_fd, "proc", &proc, e) < 0 || own_place(r->root_fd, "dev", &dev, e) < 0 ||
	    own_place(r->root_fd, "sys", &sys, e) < 0)
		return -1;
	if (newmount_attach(r->proc_fd, proc, "") < 0 || newmount_attach(r->sys_fd, sys, "") < 0)
		return err_sys(e, "mount /proc and /sys");
	if (dev_attach(&r->dev, dev, p->shm_size, e) < 0)
		return -1;
	return p->insecure ? 0 : proc_protect(r->proc_fd, r->dev.node[0], e);
}

int rootfs_mount(struct rootfs *r, const struct sandbox_plan *p, struct err *e)
{
	if (mount_own(r, p, e) < 0)
		return -1;
	for (size_t i = 0; i < p->n_mounts; i++) {
		struct err why = { 0 };
		if (mount_target(&p->mounts[i], r->sources.v[i], r->root_fd, &r->stubs, &why) < 0 &&
		    (!p->mounts[i].optional || is_fault(&why))) {
			*e = why;
			return -1;
		}
	}
	return stubs_seal(&r->stubs, e);
}
