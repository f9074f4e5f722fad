#include "certs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/tree.h"
#include "base/vec.h"

enum { PEM_MAX_BYTES = 1 << 20, CERT_FILES_MAX = 256 };

/* Each stands before the next; the home's is for users who may not write to /etc. */
static void directories(struct strv *out)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (config && config[0] == '/')
		strv_pushf(out, "%s/containers/certs.d", config);
	else if (home && home[0] == '/')
		strv_pushf(out, "%s/.config/containers/certs.d", home);
	strv_push(out, "/etc/containers/certs.d");
	strv_push(out, "/etc/docker/certs.d");
}

static int load_authority(int dir, const char *name, const char *dir_path, struct host_certs *c, struct err *e)
{
	/* These are the user's own files: links into /etc/ssl are common. */
	AUTO(fd_drop) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "open %s/%s", dir_path, name);
	if (fd_read_all(fd, PEM_MAX_BYTES, name, &c->authorities, e) < 0)
		return -1;
	str_addc(&c->authorities, '\n');
	return 0;
}

static int load_client(const char *name, const char *dir_path, const struct strv *names, struct host_certs *c,
		       struct err *e)
{
	AUTO(free_drop) char *key = x_asprintf("%.*s.key", (int)(strlen(name) - strlen(".cert")), name);
	if (!strv_has(names, key))
		return err_set(e, ERR_SPEC, "%s/%s has no %s beside it", dir_path, name, key);
	if (c->cert)
		return 0;
	c->cert = x_asprintf("%s/%s", dir_path, name);
	c->key = x_asprintf("%s/%s", dir_path, key);
	return 0;
}

static int load_directory(int dir, const char *path, struct host_certs *c, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	if (dir_names(dir, &names, e) < 0)
		return err_in(e, "%s", path);
	if (names.n > CERT_FILES_MAX)
		return err_set(e, ERR_LIMIT, "%s holds more than %d files", path, CERT_FILES_MAX);
	for (size_t i = 0; i < names.n; i++) {
		if (str_ends(names.v[i], ".crt") && load_authority(dir, names.v[i], path, c, e) < 0)
			return -1;
		if (str_ends(names.v[i], ".cert") && load_client(names.v[i], path, &names, c, e) < 0)
			return -1;
	}
	return 0;
}

int host_certs_load(const char *authority, struct host_certs *ret, struct err *e)
{
	AUTO(strv_fini) struct strv dirs = { 0 };
	AUTO(host_certs_fini) struct host_certs c = { 0 };
	directories(&dirs);
	for (size_t i = 0; i < dirs.n; i++) {
		AUTO(free_drop) char *path = x_asprintf("%s/%s", dirs.v[i], authority);
		AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
			continue;
		if (dir < 0)
			return err_sys(e, "open %s", path);
		if (load_directory(dir, path, &c, e) < 0)
			return -1;
		break;
	}
	*ret = c;
	c = (struct host_certs){ 0 };
	return 0;
}

void host_certs_fini(struct host_certs *c)
{
	str_fini(&c->authorities);
	free(c->cert);
	free(c->key);
	*c = (struct host_certs){ 0 };
}
