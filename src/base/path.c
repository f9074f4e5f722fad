#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/syscalls.h"
#include "base/vec.h"

char *path_clean(const char *path)
{
	bool rooted = path[0] == '/';
	char *out = x_alloc(strlen(path) + 2);
	size_t n = 0, floor;
	if (rooted)
		out[n++] = '/';
	floor = n; /* what ".." may not remove: the root, or leading "../.." of a relative path */
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.') {
			if (n > floor) {
				while (n > floor && out[n - 1] != '/')
					n--;
				if (n > floor)
					n--;
			} else if (!rooted) {
				if (n)
					out[n++] = '/';
				out[n++] = '.';
				out[n++] = '.';
				floor = n;
			}
		} else if (len && !(len == 1 && p[0] == '.')) {
			if (n && out[n - 1] != '/')
				out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
		}
		p += len;
		p += strspn(p, "/");
	}
	if (!n)
		out[n++] = '.';
	out[n] = '\0';
	return out;
}

char *path_join(const char *a, const char *b)
{
	AUTO(free_drop) char *both = x_asprintf("%s/%s", a, b);
	return path_clean(*a ? both : both + 1);
}

char *path_rooted(const char *path)
{
	AUTO(free_drop) char *both = x_asprintf("/%s", path);
	return path_clean(both);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

char *path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return x_strdup(".");
	return slash == path ? x_strdup("/") : x_strndup(path, (size_t)(slash - path));
}

bool path_has_dotdot(const char *path)
{
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.')
			return true;
		p += len;
		p += strspn(p, "/");
	}
	return false;
}

/*
 * The walk for kernels without openat2 (before 5.6, or a seccomp filter that answers EPERM), and for paths longer than
 * PATH_MAX, which no system call takes. Nothing but single names is ever handed to the kernel, so ".." and links mean
 * what they mean inside the root, and a concurrent rename can only make us end in another directory of the same tree.
 * The way from the root is kept as names, not as descriptors, of which there may be few; ".." walks it anew.
 */
struct walk {
	int root_fd;       /* borrowed */
	int here;          /* owned; -1: at the root */
	struct strv names; /* the way from the root to here; no links, no dots */
	unsigned links;
	char *spliced; /* owned; what is left to walk after a link was followed */
};

static void walk_fini(struct walk *w)
{
	int saved = errno;
	fd_drop(&w->here);
	strv_fini(&w->names);
	free(w->spliced);
	errno = saved;
}

static int walk_fd(const struct walk *w)
{
	return w->here >= 0 ? w->here : w->root_fd;
}

static void walk_to_root(struct walk *w)
{
	fd_drop(&w->here);
	strv_clear(&w->names);
}

static int walk_up(struct walk *w)
{
	if (!w->names.n)
		return 0;
	free(w->names.v[--w->names.n]);
	fd_drop(&w->here);
	for (size_t i = 0; i < w->names.n; i++) {
		int fd = openat(walk_fd(w), w->names.v[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd_drop(&w->here);
		w->here = fd;
		if (fd < 0)
			return -1;
	}
	return 0;
}

/* Goes down into what `fd` has open. */
static int walk_down(struct walk *w, const char *name, int *fd /* taken */)
{
	struct stat st;
	if (fstat(*fd, &st) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	fd_drop(&w->here);
	w->here = fd_take(fd);
	strv_push(&w->names, name);
	return 0;
}

/* Puts the target of a link in front of what is left to walk. */
static int follow_link(struct walk *w, int link_fd, const char **rest)
{
	char target[LIMIT_LINK_TARGET + 1];
	ssize_t n = readlinkat(link_fd, "", target, sizeof target);
	if (n < 0)
		return -1;
	if (++w->links > LIMIT_SYMLINKS) {
		errno = ELOOP;
		return -1;
	}
	char *joined = x_asprintf("%.*s%s", (int)n, target, *rest);
	free(w->spliced);
	w->spliced = joined;
	*rest = joined;
	if (joined[0] == '/')
		walk_to_root(w);
	return 0;
}

static bool is_link(int fd)
{
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* The last name of a path, which is no link that is to be followed. */
static int open_last(const struct walk *w, const char *name, bool slash, int flags, mode_t mode)
{
	if (slash && (flags & O_CREAT)) {
		errno = EISDIR;
		return -1;
	}
	return openat(walk_fd(w), name, flags | (slash ? O_DIRECTORY : 0) | O_NOFOLLOW | O_CLOEXEC, mode);
}

static int walk_open(struct walk *w, const char *path, int flags, mode_t mode)
{
	bool last_is_kept = (flags & O_NOFOLLOW) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	for (const char *rest = path;;) {
		char name[LIMIT_NAME + 1];
		rest += strspn(rest, "/");
		size_t len = strcspn(rest, "/");
		if (len > LIMIT_NAME) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, rest, len);
		name[len] = '\0';
		rest += len;
		bool slash = *rest == '/', last = !rest[strspn(rest, "/")];
		if (!len || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			if (len == 2 && walk_up(w) < 0)
				return -1;
			if (last)
				return openat(walk_fd(w), ".", (flags & ~(O_CREAT | O_EXCL)) | O_CLOEXEC);
			continue;
		}
		AUTO(fd_drop) int fd = openat(walk_fd(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (is_link(fd) && !(last && !slash && last_is_kept)) {
			if (follow_link(w, fd, &rest) < 0)
				return -1;
			continue;
		}
		if (last)
			return open_last(w, name, slash, flags, mode);
		if (fd < 0 || walk_down(w, name, &fd) < 0)
			return -1;
	}
}

/* false when the kernel or a filter does not let us ask it. */
static bool try_openat2(int root_fd, const char *path, int flags, mode_t mode, int *ret_fd)
{
	static bool missing;
	if (missing || strlen(path) >= PATH_MAX)
		return false;
	/* EAGAIN: a rename somewhere raced with a ".."; openat2(2) asks to try again. */
	for (int tries = 0; tries < 64; tries++) {
		*ret_fd = sys_openat2(root_fd, path[0] ? path : ".", flags, mode,
				      SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
		if (*ret_fd >= 0 || errno != EAGAIN)
			break;
	}
	/* Old seccomp profiles answer EPERM for calls they do not know; openat2 itself hardly ever does. */
	if (*ret_fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return true;
	missing = true;
	return false;
}

int root_open(int root_fd, const char *path, int flags, mode_t mode)
{
	int fd;
	if (try_openat2(root_fd, path, flags, mode, &fd))
		return fd;
	AUTO(walk_fini) struct walk w = { .root_fd = root_fd, .here = -1 };
	return walk_open(&w, path, flags, mode);
}

int root_open_parent(int root_fd, const char *path, const char **ret_name)
{
	const char *name = path_base(path);
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	AUTO(free_drop) char *dir = x_strndup(path, (size_t)(name - path));
	int fd = root_open(root_fd, *dir ? dir : ".", O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

int root_stat(int root_fd, const char *path, struct stat *st)
{
	AUTO(fd_drop) int fd = root_open(root_fd, path, O_PATH, 0);
	return fd < 0 ? -1 : fstat(fd, st);
}

int root_mkdirs(int root_fd, const char *path, mode_t mode)
{
	AUTO(free_drop) char *clean = path_rooted(path);
	for (char *p = clean + 1;; p++) {
		if (*p && *p != '/')
			continue;
		char end = *p;
		*p = '\0';
		AUTO(fd_drop) int there = root_open(root_fd, clean, O_PATH | O_DIRECTORY, 0);
		if (there < 0 && errno == ENOENT) {
			const char *name;
			AUTO(fd_drop) int parent = root_open_parent(root_fd, clean, &name);
			if (parent < 0 || (mkdirat(parent, name, mode) < 0 && errno != EEXIST))
				return -1;
		} else if (there < 0) {
			return -1;
		}
		*p = end;
		if (!end)
			return 0;
	}
}
