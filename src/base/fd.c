#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

void fd_drop(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int fd_dup(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

bool fd_is_regular(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int fd_check_regular(int fd, const char *name, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", name);
	return S_ISREG(st.st_mode) ? 0 : err_set(e, ERR_SPEC, "%s is not a regular file", name);
}

ssize_t fd_read(int fd, void *buf, size_t n)
{
	ssize_t got;
	do
		got = read(fd, buf, n);
	while (got < 0 && errno == EINTR);
	return got;
}

int fd_sync(int fd)
{
	int r;
	do
		r = fsync(fd);
	while (r < 0 && errno == EINTR);
	return r;
}

int fd_sync_fs(int fd)
{
	int r;
	do
		r = syncfs(fd);
	while (r < 0 && errno == EINTR);
	return r;
}

int fd_read_all(int fd, size_t limit, const char *name, struct str *out, struct err *e)
{
	struct stat st;
	size_t start = out->len;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size <= limit)
		str_reserve(out, (size_t)st.st_size + 4096); /* and the look for more */
	for (;;) {
		str_reserve(out, 4096);
		ssize_t got = fd_read(fd, out->buf + out->len, out->cap - out->len - 1);
		if (got < 0)
			return err_sys(e, "read %s", name);
		if (got == 0)
			break;
		out->len += (size_t)got;
		if (out->len - start > limit)
			return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", name, limit);
	}
	out->buf[out->len] = '\0';
	return 0;
}

void fd_write_behind(int fd, uint64_t end, uint64_t n)
{
	const uint64_t piece = 8 << 20, from = (end - n) / piece * piece, to = end / piece * piece;
	/* WRITE alone waits for nothing and takes no error away from fsync (sync_file_range(2), Linux 2.6.17). */
	if (to > from)
		(void)sync_file_range(fd, (off_t)from, (off_t)(to - from), SYNC_FILE_RANGE_WRITE);
}

int fd_write_all(int fd, const void *bytes, size_t n, const char *name, struct err *e)
{
	const char *p = bytes;
	while (n) {
		ssize_t put = write(fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_sys(e, "write %s", name);
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static const char *type_in_words(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
		return "a character device";
	case S_IFBLK:
		return "a block device";
	}
	return "no regular file";
}

int fd_open_regular(int dirfd, const char *path, int *ret_fd, struct err *e)
{
	struct stat st;
	/* Asked first, since opening a device or FIFO can already have an effect; asked again on what was opened. */
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_SPEC, "%s is %s, not a regular file", path, type_in_words(st.st_mode));
	int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	/* Access times are set where they mean something (store/use.h); only owners may read without. */
	AUTO(fd_drop) int fd = openat(dirfd, path, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, path, flags);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (fd_check_regular(fd, path, e) < 0)
		return -1;
	*ret_fd = fd_take(&fd);
	return 0;
}

int file_read(int dirfd, const char *path, size_t limit, struct str *out, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (fd_open_regular(dirfd, path, &fd, e) < 0)
		return -1;
	return fd_read_all(fd, limit, path, out, e);
}

int fd_copy(int from, int to, const char *name, struct err *e)
{
	/* FICLONE shares the extents on btrfs, xfs and bcachefs; elsewhere it fails at once with EOPNOTSUPP or EXDEV.
	 */
	if (lseek(from, 0, SEEK_CUR) == 0 && ioctl(to, FICLONE, from) == 0)
		return 0;
	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, 1u << 30, 0);
		if (n == 0)
			return 0;
		if (n > 0 || errno == EINTR)
			continue;
		break; /* EXDEV before Linux 5.3, EINVAL or ENOSYS on odd file systems: offsets are where we stopped */
	}
	AUTO(free_drop) char *buf = x_alloc(1u << 17);
	for (;;) {
		ssize_t n = fd_read(from, buf, 1u << 17);
		if (n < 0)
			return err_sys(e, "read %s", name);
		if (n == 0)
			return 0;
		if (fd_write_all(to, buf, (size_t)n, name, e) < 0)
			return -1;
	}
}
