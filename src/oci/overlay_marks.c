#include "overlay_marks_priv.h"

#include <stddef.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define OVERLAY_OPAQUE   "user.overlay.opaque"
#define OVERLAY_WHITEOUT "user.overlay.whiteout"

bool mark_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int mark_whiteout(int dir_fd, const char *name)
{
	/* The one device that needs no CAP_MKNOD in the first user namespace (Linux 5.8). */
	return mknodat(dir_fd, name, S_IFCHR, makedev(0, 0));
}

enum opaque mark_opaque_get(int dir_fd)
{
	char value;
	ssize_t n = fgetxattr(dir_fd, OVERLAY_OPAQUE, &value, 1);
	if (n == 1 && value == 'y')
		return OPAQUE_YES;
	return n == 1 && value == 'x' ? OPAQUE_XWHITEOUTS : OPAQUE_NO;
}

int mark_opaque_set(int dir_fd, const char *path, struct err *e)
{
	if (fsetxattr(dir_fd, OVERLAY_OPAQUE, "y", 1, 0) < 0)
		return err_sys(e, "mark %s as opaque", path);
	return 0;
}

bool mark_is_xwhiteout(int file_fd)
{
	return fgetxattr(file_fd, OVERLAY_WHITEOUT, NULL, 0) >= 0;
}
