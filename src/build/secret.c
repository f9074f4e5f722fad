#include "secret_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

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

/* The user's own path: links are followed (Kubernetes mounts secrets as links), but nothing that blocks is read (T-A9).
 */
static int read_file(const char *path, struct str *out, struct err *e)
{
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (!fd_is_regular(fd))
		return err_set(e, ERR_SPEC, "%s is not a regular file", path);
	return fd_read_all(fd, SECRET_MAX, path, out, e);
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
	return read_file(path ? path : id, out, e);
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
			return err_set(e, ERR_USAGE, "--ssh %s: %s is not a socket; keys are taken through an agent",
				       id, path);
		*ret_fd = fd_take(&fd);
		return 0;
	}
	return 1;
}
