#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "layer_xattr_priv.h"
#include "oci/layer_apply.h"
#include "overlay_marks_priv.h"

/* What one tree of a stack says about a directory, as overlay would look it up. */
enum found {
	FOUND,         /* it has it: *ret_fd */
	FOUND_NOTHING, /* ask the next one below */
	FOUND_END,     /* whatever those below have is hidden */
};

/*
 * Looks for the directory one name at a time, since a link in a lower tree is not followed by overlay but hides what is
 * below. An opaque directory on the way hides what is below it too: *ret_last.
 */
static int find_in(int tree_fd, const char *path, enum found *ret, int *ret_fd, bool *ret_last, struct err *e)
{
	AUTO(fd_drop) int fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret = FOUND_NOTHING;
	for (const char *p = path; fd >= 0 && *p && strcmp(path, ".") != 0;) {
		size_t len = strcspn(p, "/");
		AUTO(free_drop) char *name = x_strndup(p, len);
		int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && errno == ENOENT)
			return 0;
		if (next < 0 && (errno == ENOTDIR || errno == ELOOP)) {
			*ret = FOUND_END;
			return 0;
		}
		fd_drop(&fd);
		fd = next;
		if (fd >= 0 && p[len] && mark_opaque_get(fd) == OPAQUE_YES)
			*ret_last = true;
		p += len + (p[len] == '/' ? 1 : 0);
	}
	if (fd < 0)
		return err_sys(e, "open %s in a layer", path);
	*ret = FOUND;
	*ret_fd = fd_take(&fd);
	return 0;
}

static int copy_metadata(int from, int to, const char *path, struct err *e)
{
	struct stat st;
	if (fstat(from, &st) < 0)
		return err_sys(e, "stat %s", path);
	if (fchown(to, st.st_uid, st.st_gid) < 0 || fchmod(to, st.st_mode & 07777) < 0)
		return err_sys(e, "change owner and mode of %s", path);
	if (layer_xattrs_copy(from, to, path, e) < 0)
		return -1;
	if (futimens(to, (const struct timespec[2]){ st.st_mtim, st.st_mtim }) < 0)
		return err_sys(e, "set times of %s", path);
	return 0;
}

static int fix_one(int tree_fd, const char *path, const int *lower_fds, size_t n_lower, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	enum found found;
	bool last = false;
	if (find_in(tree_fd, path, &found, &fd, &last, e) < 0)
		return -1;
	if (found != FOUND)
		return err_set(e, ERR_SPEC, "no directory %s in the tree of the layer", path);
	for (size_t i = 0; i < n_lower && !last; i++) {
		AUTO(fd_drop) int lower = -1;
		if (find_in(lower_fds[i], path, &found, &lower, &last, e) < 0)
			return -1;
		if (found == FOUND_END)
			return 0;
		if (found == FOUND)
			return copy_metadata(lower, fd, path, e);
	}
	return 0;
}

int tree_fix_implied(int tree_fd, const struct strv *implied, const int *lower_fds, size_t n_lower, struct err *e)
{
	for (size_t i = 0; i < implied->n; i++)
		if (fix_one(tree_fd, implied->v[i], lower_fds, n_lower, e) < 0)
			return -1;
	return 0;
}
