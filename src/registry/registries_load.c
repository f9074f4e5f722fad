#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tree.h"
#include "registries_priv.h"
#include "toml_priv.h"

enum { CONF_MAX_BYTES = 1 << 20, CONF_FILES_MAX = 256 };

/* 1: there is none. These are the user's own files: a link is common, and /dev/null is an empty one. */
static int load_file(struct registries_conf *c, const char *path, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (fd_read_all(fd, CONF_MAX_BYTES, path, &text, e) < 0)
		return -1;
	struct json file;
	if (toml_parse(str_text(&text), text.len, path, &file, e) < 0)
		return -1;
	vec_push(&c->files, file);
	if (json_get(&file, "registries"))
		return err_set(e, ERR_SPEC, "%s is of version 1, which is not known here: see containers-registries.conf(5)",
			       path);
	return 0;
}

static int load_directory(struct registries_conf *c, const char *path, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (dir < 0)
		return err_sys(e, "open %s", path);
	if (dir_names(dir, &names, e) < 0)
		return err_in(e, "%s", path);
	if (names.n > CONF_FILES_MAX)
		return err_set(e, ERR_LIMIT, "%s holds more than %d files", path, CONF_FILES_MAX);
	for (size_t i = 0; i < names.n; i++) {
		AUTO(free_drop) char *file = x_asprintf("%s/%s", path, names.v[i]);
		if (str_ends(names.v[i], ".conf") && load_file(c, file, e) < 0)
			return -1;
	}
	return 0;
}

/* ~/.config/containers, or NULL; the caller owns it. */
static char *home_directory(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (config && config[0] == '/')
		return x_asprintf("%s/containers", config);
	return home && home[0] == '/' ? x_asprintf("%s/.config/containers", home) : NULL;
}

static int load(struct registries_conf *c, struct err *e)
{
	const char *chosen = getenv("CONTAINERS_REGISTRIES_CONF");
	AUTO(free_drop) char *home = home_directory();
	AUTO(free_drop) char *own = home ? x_asprintf("%s/registries.conf", home) : NULL;
	AUTO(free_drop) char *own_directory = home ? x_asprintf("%s/registries.conf.d", home) : NULL;
	if (chosen && chosen[0]) {
		int r = load_file(c, chosen, e);
		return r == 1 ? err_set(e, ERR_SPEC, "$CONTAINERS_REGISTRIES_CONF: there is no %s", chosen) : r;
	}
	int r = own ? load_file(c, own, e) : 1;
	if (r == 1)
		r = load_file(c, "/etc/containers/registries.conf", e);
	if (r < 0 || load_directory(c, "/etc/containers/registries.conf.d", e) < 0)
		return -1;
	return own_directory ? load_directory(c, own_directory, e) : 0;
}

int registries_load(struct registries_conf *ret, struct err *e)
{
	struct registries_conf c = { 0 };
	if (load(&c, e) < 0) {
		registries_conf_fini(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

void registries_conf_fini(struct registries_conf *c)
{
	for (size_t i = 0; i < c->files.n; i++)
		json_fini(&c->files.v[i]);
	vec_fini(&c->files);
}
