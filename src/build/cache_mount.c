/* Directories of RUN --mount=type=cache: mount/NAME of the store, and mount/NAME.lock beside those that are not shared.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "secret_priv.h"

struct cache_make {
	struct build *build;
	int mounts_fd;
	const char *name;
	const struct df_mount *m;
};

/* In a worker inside the namespace, where the ids exist that the directory may belong to. */
static int cache_make_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct cache_make *c = ctx;
	(void)r;
	(void)result;
	if (userns_join(&c->build->userns, e) < 0)
		return -1;
	if (mkdirat(c->mounts_fd, c->name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "create cache directory");
	if (fchownat(c->mounts_fd, c->name, c->m->has_uid ? c->m->uid : 0, c->m->has_gid ? c->m->gid : 0,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(c->mounts_fd, c->name, c->m->has_mode ? c->m->mode : 0755, 0) < 0)
		return err_sys(e, "set the owner of a cache directory");
	return 0;
}

static int make_once(struct build *b, int mounts_fd, const char *name, const struct df_mount *m, int *ret_fd,
		     struct err *e)
{
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(mounts_fd, name, flags);
	if (fd < 0 && errno == ENOENT) {
		struct cache_make c = { .build = b, .mounts_fd = mounts_fd, .name = name, .m = m };
		struct worker w;
		if (worker_start(&w, "nacre-cache", cache_make_work, &c, e) < 0 ||
		    worker_wait(&w, NULL, NULL, NULL, e) < 0)
			return -1;
		fd = openat(mounts_fd, name, flags);
	}
	if (fd < 0)
		return err_sys(e, "open cache directory %s", name);
	*ret_fd = fd;
	return 0;
}

int cache_mount_lock(int mounts_fd, const char *name, bool wait, int *ret_lock, struct err *e)
{
	AUTO(free_drop) char *lock = x_asprintf("%s.lock", name);
	return lock_file(mounts_fd, lock, true, wait, ret_lock, e);
}

int cache_mount_open(struct build *b, int mounts_fd, const char *name, const struct df_mount *m, int *ret_fd,
		     int *ret_lock, struct err *e)
{
	if (m->from || m->source)
		return err_set(e, ERR_BUILD, "a cache mount that is seeded with from= or source= is not supported yet");
	/* private: the first free one of name, name-1, name-2, …; locked: only the one (MNT-10). */
	for (unsigned i = 0; m->sharing != DF_SHARING_SHARED; i++) {
		AUTO(free_drop) char *one = i ? x_asprintf("%s-%u", name, i) : x_strdup(name);
		int r = cache_mount_lock(mounts_fd, one, false, ret_lock, e);
		if (r < 0 || (r == 1 && m->sharing == DF_SHARING_LOCKED))
			return r;
		if (r == 0)
			return make_once(b, mounts_fd, one, m, ret_fd, e);
	}
	return make_once(b, mounts_fd, name, m, ret_fd, e);
}
