#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
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
 * The walk for kernels without openat2 (before 5.6, or a seccomp filter that answers EPERM): a stack of directory
 * descriptors from the root down. Nothing but single names is ever handed to the kernel, so ".." and links mean what
 * they mean inside the root, and a concurrent rename can only make us end in another directory of the same tree.
 */
struct walk {
	int root_fd;       /* borrowed */
	VEC(int) dirs;     /* owned; the way from the root to here, without the root */
	unsigned links;
};

static int walk_here(const struct walk *w)
{
	return w->dirs.n ? w->dirs.v[w->dirs.n - 1] : w->root_fd;
}

static void walk_up(struct walk *w)
{
	if (w->dirs.n)
		fd_drop(&w->dirs.v[--w->dirs.n]);
}

static void walk_fini(struct walk *w)
{
	int saved = errno;
	while (w->dirs.n)
		walk_up(w);
	vec_fini(&w->dirs);
	errno = saved;
}

/* Puts the target of a link in front of what is left to walk. */
static int splice_link(struct walk *w, int link_fd, char **rest)
{
	char target[LIMIT_LINK_TARGET + 1];
	ssize_t n = readlinkat(link_fd, "", target, sizeof target);
	if (n < 0)
		return -1;
	if (++w->links > LIMIT_SYMLINKS) {
		errno = ELOOP;
		return -1;
	}
	char *joined = x_asprintf("%.*s/%s", (int)n, target, *rest);
	free(*rest);
	*rest = joined;
	if (joined[0] == '/')
		while (w->dirs.n)
			walk_up(w);
	return 0;
}

static int walk_open(struct walk *w, const char *path, int flags, mode_t mode)
{
	AUTO(free_drop) char *rest = x_strdup(path);
	for (;;) {
		char *p = rest + strspn(rest, "/");
		size_t len = strcspn(p, "/");
		bool last = p[len + strspn(p + len, "/")] == '\0';
		bool slash = p[len] == '/';
		AUTO(free_drop) char *name = x_strndup(p, len);
		if (!len || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			if (strcmp(name, "..") == 0)
				walk_up(w);
			if (last)
				return openat(walk_here(w), ".", (flags & ~(O_CREAT | O_EXCL)) | O_CLOEXEC);
		} else {
			AUTO(fd_drop) int fd = openat(walk_here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			struct stat st = { 0 };
			if (fd >= 0 && fstat(fd, &st) < 0)
				return -1;
			if (fd >= 0 && S_ISLNK(st.st_mode) && !(last && !slash && (flags & O_NOFOLLOW))) {
				char *left = x_strdup(p + len);
				if (splice_link(w, fd, &left) < 0) {
					free(left);
					return -1;
				}
				free(rest);
				rest = left;
				continue;
			}
			if (last)
				return openat(walk_here(w), name, flags | (slash ? O_DIRECTORY : 0) | O_NOFOLLOW | O_CLOEXEC, mode);
			if (fd < 0)
				return -1;
			if (!S_ISDIR(st.st_mode)) {
				errno = ENOTDIR;
				return -1;
			}
			vec_push(&w->dirs, fd_take(&fd));
		}
		char *left = x_strdup(p + len);
		free(rest);
		rest = left;
	}
}

int root_open(int root_fd, const char *path, int flags, mode_t mode)
{
	static bool no_openat2;
	if (!no_openat2) {
		int fd = -1;
		/* EAGAIN: a rename somewhere raced with a ".."; openat2(2) asks to try again. */
		for (int tries = 0; tries < 64; tries++) {
			fd = sys_openat2(root_fd, path[0] ? path : ".", flags, mode,
					 SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
			if (fd >= 0 || errno != EAGAIN)
				break;
		}
		/* Old seccomp profiles answer EPERM for calls they do not know; openat2 itself has no such answer here. */
		if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
			return fd;
		no_openat2 = true;
	}
	AUTO(walk_fini) struct walk w = { .root_fd = root_fd };
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
