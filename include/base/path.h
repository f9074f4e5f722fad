/*
 * Paths. The first half is text (Go's path rules, on which the Dockerfile language rests); the second half reaches
 * files inside a root by a held directory descriptor: never by joined strings, links resolved inside the root
 * (an absolute link or ".." can not leave it), never through magic links of /proc.
 */
#ifndef NACRE_BASE_PATH_H
#define NACRE_BASE_PATH_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct err;

/* Lexical cleaning as Go's path.Clean: "" gives ".", no trailing slash but for "/". The caller owns the result. */
char *path_clean(const char *path);
/* Clean of a + "/" + b; when b is absolute, still below a. */
char *path_join(const char *a, const char *b);
/* Clean of "/" + path: absolute, ".." clamped at the root. */
char *path_rooted(const char *path);
/* What follows the last slash; borrowed from path. */
const char *path_base(const char *path);
/* Everything before the last slash of a cleaned path, "." or "/" as path.Dir. */
char *path_dir(const char *path);
/* True if the components of `path` contain "..". */
bool path_has_dotdot(const char *path);

/*
 * Opens `path` below root_fd, following links inside the root. flags as open(2); O_CLOEXEC is added. openat2 with
 * RESOLVE_IN_ROOT (Linux 5.6), or where that is missing a walk that opens one component at a time with
 * O_PATH|O_NOFOLLOW. -1 and errno, ELOOP after 40 links.
 */
int root_open(int root_fd, const char *path, int flags, mode_t mode);

/*
 * Opens the directory that holds `path` below root_fd (following links, inside the root); *ret_name is the last
 * component, borrowed from path, and is not resolved. For creating, removing, renaming. -1 and errno;
 * EINVAL when path has no last component ("/", "", "..").
 */
int root_open_parent(int root_fd, const char *path, const char **ret_name);

/* fstat of what path names inside the root, last link followed. -1 and errno. */
int root_stat(int root_fd, const char *path, struct stat *st);

/* mkdir -p inside the root: missing directories get `mode`; what is there must be (a link to) a directory. -1, errno.
 */
int root_mkdirs(int root_fd, const char *path, mode_t mode);

#endif
