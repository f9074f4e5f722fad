#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "layout_priv.h"
#include "store/ref.h"

/* image-spec image-layout.md */
#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define EMPTY_INDEX "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}"

int layout_lock(int dir_fd, int *ret_fd, struct err *e)
{
	for (;;) {
		struct stat mine, there;
		/* Open for writing, without which NFS gives no exclusive lock. */
		const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
		AUTO(fd_drop) int fd = openat(dir_fd, "oci-layout", flags);
		if (fd < 0 || fstat(fd, &mine) < 0)
			return err_sys(e, "open oci-layout");
		if (!S_ISREG(mine.st_mode))
			return err_set(e, ERR_SPEC, "oci-layout is not a regular file");
		if (lock_fd(fd, true, true, "oci-layout", e) < 0)
			return -1;
		/* Two makers of one layout may have replaced each other's file (lock_maker). */
		if (fstatat(dir_fd, "oci-layout", &there, AT_SYMLINK_NOFOLLOW) == 0 && mine.st_ino == there.st_ino) {
			*ret_fd = fd_take(&fd);
			return 0;
		}
	}
}

static int rename_synced(int dir_fd, int fd, const char *aside, const char *name, struct err *e)
{
	if (fd_sync(fd) < 0 || renameat(dir_fd, aside, dir_fd, name) < 0)
		return err_sys(e, "write %s", name);
	return 0;
}

int layout_replace(int dir_fd, const char *name, const char *bytes, size_t n, struct err *e)
{
	/* The same name each time: what a crash leaves is overwritten by the next writer, never collected. */
	AUTO(free_drop) char *aside = x_asprintf("%s.new", name);
	if (unlinkat(dir_fd, aside, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s", aside);
	AUTO(fd_drop) int fd = openat(dir_fd, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "create %s", aside);
	/* Others see it as the umask says; we must be able to read it again whatever the umask says. */
	if ((st.st_mode & 0600) != 0600 && fchmod(fd, (st.st_mode & 07777) | 0600) < 0)
		return err_sys(e, "set the mode of %s", aside);
	if (fd_write_all(fd, bytes, n, name, e) < 0 || rename_synced(dir_fd, fd, aside, name, e) < 0) {
		unlinkat(dir_fd, aside, 0);
		return -1;
	}
	AUTO(fd_drop) int dir = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fd_sync(dir) < 0)
		return err_sys(e, "sync the directory of %s", name);
	return 0;
}

static int check_layout(int dir_fd, bool *ret_missing, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	if (file_read(dir_fd, "oci-layout", 4096, &text, e) < 0) {
		if (e->kind != ERR_SYS || e->sysno != ENOENT)
			return -1;
		*ret_missing = true;
		return 0;
	}
	*ret_missing = false;
	if (json_parse(str_text(&text), text.len, "oci-layout", &j, e) < 0)
		return -1;
	const char *version = json_str(&j, "imageLayoutVersion");
	if (!str_eq(version, "1.0.0"))
		return err_set(e, ERR_SPEC, "oci-layout has imageLayoutVersion \"%s\", only 1.0.0 is known",
			       version ? version : "");
	return 0;
}

static int make_blob_dirs(int dir_fd, struct err *e)
{
	static const char *const dirs[] = { "blobs", "blobs/sha256" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(dir_fd, dirs[i], 0755) < 0 && errno != EEXIST)
			return err_sys(e, "create %s", dirs[i]);
	return 0;
}

/*
 * Until there is an oci-layout the directory is the lock. NFS locks no directories; there the last of two makers wins.
 */
static void lock_maker(int dir_fd, int *ret_fd)
{
	struct err e;
	*ret_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd >= 0 && lock_fd(*ret_fd, true, true, "directory", &e) < 0)
		log_debug("%s", e.msg);
}

static int init(int dir_fd, struct err *e)
{
	bool missing;
	struct stat st;
	AUTO(fd_drop) int lock = -1, maker = -1;
	lock_maker(dir_fd, &maker);
	if (check_layout(dir_fd, &missing, e) < 0 || make_blob_dirs(dir_fd, e) < 0)
		return -1;
	if (missing && layout_replace(dir_fd, "oci-layout", LAYOUT, strlen(LAYOUT), e) < 0)
		return -1;
	if (layout_lock(dir_fd, &lock, e) < 0)
		return -1;
	if (fstatat(dir_fd, "index.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(e, "index.json");
	return layout_replace(dir_fd, "index.json", EMPTY_INDEX, strlen(EMPTY_INDEX), e);
}

int layout_init(int dir_fd, const char *name, struct err *e)
{
	return init(dir_fd, e) < 0 ? err_in(e, "OCI layout %s", name) : 0;
}

int layout_check_marker(int dir_fd, struct err *e)
{
	bool missing;
	if (check_layout(dir_fd, &missing, e) < 0)
		return -1;
	return missing ? err_set(e, ERR_SPEC, "oci-layout is not there") : 0;
}

int layout_remake_marker(int dir_fd, struct err *e)
{
	struct err ignored;
	AUTO(fd_drop) int maker = -1;
	lock_maker(dir_fd, &maker);
	if (layout_check_marker(dir_fd, &ignored) == 0)
		return 1;
	return layout_replace(dir_fd, "oci-layout", LAYOUT, strlen(LAYOUT), e);
}

int layout_remake_index(int dir_fd, struct err *e)
{
	struct err ignored;
	size_t n;
	AUTO(fd_drop) int lock = -1;
	if (layout_lock(dir_fd, &lock, e) < 0)
		return -1;
	if (layout_check_index(dir_fd, &n, &ignored) == 0)
		return 1;
	return layout_replace(dir_fd, "index.json", EMPTY_INDEX, strlen(EMPTY_INDEX), e);
}
