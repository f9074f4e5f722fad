#include "secret_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"

enum { SECRET_MAX = 500 * 1024 };

/* The value of `name` in "k=v,k=v"; the caller owns it, NULL when absent. */
static char *field(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return x_strndup(p + n + 1, strcspn(p + n + 1, ","));
	return NULL;
}

static int secret_from(const char *spec, const char *id, struct str *out, struct err *e)
{
	AUTO(free_drop) char *src = field(spec, "src");
	AUTO(free_drop) char *source = field(spec, "source");
	AUTO(free_drop) char *env = field(spec, "env");
	AUTO(free_drop) char *type = field(spec, "type");
	const char *path = src ? src : source;
	if (type && strcmp(type, "env") == 0 && path && !env)
		env = x_strdup(path);
	const char *variable = env ? env : path ? NULL : id;
	const char *value = variable ? getenv(variable) : NULL;
	if (value) {
		str_add(out, value);
		return 0;
	}
	if (env)
		return 1;
	return file_read(AT_FDCWD, path ? path : id, SECRET_MAX, out, e);
}

int secret_read(const struct build_options *o, const char *id, struct str *out, struct err *e)
{
	for (size_t i = 0; i < o->secrets.n; i++) {
		AUTO(free_drop) char *have = field(o->secrets.v[i], "id");
		if (!have || strcmp(have, id) != 0)
			continue;
		if (secret_from(o->secrets.v[i], id, out, e) < 0)
			return err_in(e, "secret %s", id);
		return 0;
	}
	return 1;
}

int ssh_socket(const struct build_options *o, const char *id, int *ret_fd, struct err *e)
{
	for (size_t i = 0; i < o->ssh.n; i++) {
		const char *spec = o->ssh.v[i];
		size_t n = strcspn(spec, "=");
		if (n != strlen(id) || strncmp(spec, id, n) != 0)
			continue;
		const char *path = spec[n] ? spec + n + 1 : getenv("SSH_AUTH_SOCK");
		struct stat st;
		if (!path || !*path)
			return err_set(e, ERR_USAGE, "--ssh %s: SSH_AUTH_SOCK is not set and no socket was given", id);
		AUTO(fd_drop) int fd = open(path, O_PATH | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(e, "--ssh %s: open %s", id, path);
		if (!S_ISSOCK(st.st_mode))
			return err_set(e, ERR_USAGE, "--ssh %s: %s is not a socket; keys are taken through an agent", id, path);
		*ret_fd = fd_take(&fd);
		return 0;
	}
	return 1;
}

/* ---- cache directories ---- */

struct cache_make {
	struct build *build;
	int mounts_fd;
	const char *name;
	const struct df_mount *m;
	struct copy_from *seed;
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
	if (fchownat(c->mounts_fd, c->name, c->m->has_uid ? c->m->uid : 0, c->m->has_gid ? c->m->gid : 0, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(c->mounts_fd, c->name, c->m->has_mode ? c->m->mode : 0755, 0) < 0)
		return err_sys(e, "set the owner of a cache directory");
	return 0;
}

static int make_once(struct build *b, int mounts_fd, const char *name, const struct df_mount *m, struct copy_from *seed,
		     int *ret_fd, struct err *e)
{
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(mounts_fd, name, flags);
	if (fd < 0 && errno == ENOENT) {
		struct cache_make c = { .build = b, .mounts_fd = mounts_fd, .name = name, .m = m, .seed = seed };
		struct worker w;
		if (worker_start(&w, "nacre-cache", cache_make_work, &c, e) < 0 || worker_wait(&w, NULL, NULL, NULL, e) < 0)
			return -1;
		fd = openat(mounts_fd, name, flags);
	}
	if (fd < 0)
		return err_sys(e, "open cache directory %s", name);
	*ret_fd = fd;
	return 0;
}

int cache_mount_open(struct build *b, int mounts_fd, const char *name, const struct df_mount *m, struct copy_from *seed,
		     int *ret_fd, int *ret_lock, struct err *e)
{
	if (m->from || m->source)
		return err_set(e, ERR_BUILD, "a cache mount that is seeded with from= or source= is not supported yet");
	/* private: the first free one of name, name-1, name-2, …; locked: waits for the one (MNT-10). */
	for (unsigned i = 0; m->sharing != DF_SHARING_SHARED; i++) {
		AUTO(free_drop) char *one = i ? x_asprintf("%s-%u", name, i) : x_strdup(name);
		AUTO(free_drop) char *lock = x_asprintf("%s.lock", one);
		int r = lock_file(mounts_fd, lock, true, m->sharing == DF_SHARING_LOCKED, ret_lock, e);
		if (r < 0)
			return -1;
		if (r == 0)
			return make_once(b, mounts_fd, one, m, seed, ret_fd, e);
	}
	return make_once(b, mounts_fd, name, m, seed, ret_fd, e);
}
