#include "store/where.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/store.h"
#include "store_priv.h"

/*
 * lock/where  type of the file system about which the user was told, in hex
 */
static const char told[] = "lock/where";

/* statfs(2); linux/magic.h has no FUSE and CIFS before 5.19. */
enum { TYPE_FUSE = 0x65735546 };
static const int64_t type_cifs = 0xff534d42, type_smb2 = 0xfe534d42, type_ramfs = 0x858458f6;

static const char nfs[] = "is on a network file system: it has no locks on directories, so what killed processes leave "
			  "stays, and no files of subordinate ids, so RUN cannot start there";

static const char *consequence(int64_t type)
{
	if (type == TMPFS_MAGIC || type == type_ramfs)
		return "is in memory: images and cache are lost when the machine restarts";
	if (type == OVERLAYFS_SUPER_MAGIC)
		return "is on overlayfs, which cannot hold another overlay: RUN cannot start there "
		       "[E-STORE-ON-OVERLAY]";
	if (type == NFS_SUPER_MAGIC || type == type_cifs || type == type_smb2 || type == V9FS_MAGIC)
		return nfs;
	if (type == TYPE_FUSE)
		return "is on a file system in user space (FUSE): RUN may not start there, and a sync may promise too much";
	return NULL;
}

static int64_t type_of(struct store *s)
{
	struct statfs sf;
	/* Sign-extended on 32-bit machines. */
	return fstatfs(s->fd, &sf) < 0 ? 0 : (int64_t)(uint32_t)sf.f_type;
}

bool store_has_xattrs(struct store *s)
{
	char name[TMP_NAME];
	struct err e;
	AUTO(fd_drop) int fd = -1;
	if (aside_open(s, name, &fd, &e) < 0) {
		log_debug("%s", e.msg);
		return true;
	}
	/* Only this answer says that it never can (tmpfs before Linux 6.6, NFS before 5.9). */
	bool has = fsetxattr(fd, "user.nacre", "", 0, 0) == 0 || errno != ENOTSUP;
	unlinkat(s->fd, name, 0);
	return has;
}

static void add(struct store *s, const char *text, struct strv *ret)
{
	strv_pushf(ret, "the store %s %s", s->path, text);
}

void store_where(struct store *s, struct strv *ret)
{
	const char *text = consequence(type_of(s));
	if (text)
		add(s, text, ret);
	if (!store_has_xattrs(s))
		add(s, "is on a file system without user.* attributes: RUN cannot mark what it deletes, and attributes of "
		       "files are lost",
		    ret);
}

bool store_where_news(struct store *s, struct strv *ret)
{
	char now[24];
	struct err e;
	AUTO(str_fini) struct str before = { 0 };
	int n = snprintf(now, sizeof now, "%llx\n", (unsigned long long)type_of(s));
	if (file_read(s->fd, told, sizeof now, &before, &e) == 0 && str_eq(str_text(&before), now))
		return false;
	if (aside_put(s, told, now, (size_t)n, false, &e) < 0)
		log_debug("%s", e.msg);
	store_where(s, ret);
	return true;
}
