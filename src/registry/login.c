#include "registry/login.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "registry/reference.h"
#include "registry/secret.h"
#include "credentials_priv.h"
#include "helper_priv.h"

int login_place_parse(const char *text, struct login_place *ret, struct err *e)
{
	AUTO(reference_fini) struct reference r = { 0 };
	const char *bare = str_case_starts(text, "https://") ? text + strlen("https://") : text;
	size_t n = strlen(bare);
	bool slash = n && bare[n - 1] == '/', namespace = strchr(bare, '/') && !slash;
	/* As a reference it obeys the same rules: a registry alone gets a repository to stand before. */
	AUTO(free_drop) char *whole = namespace ? x_strdup(bare) : x_asprintf("%s%sx", bare, slash ? "" : "/");
	if (reference_parse(whole, &r, e) < 0 || r.has_digest || strchr(bare, '@') ||
	    (namespace && strrchr(bare, ':') > strrchr(bare, '/')) ||
	    (!str_eq(r.registry, "docker.io") && !str_case_starts(bare, r.registry)) ||
	    (str_eq(r.registry, "docker.io") && !str_case_starts(bare, "docker.io") &&
	     !str_case_starts(bare, "index.docker.io")))
		return err_set(e, ERR_USAGE, "\"%.200s\" is not a registry: HOST[:PORT] is wanted, such as quay.io", text);
	*ret = (struct login_place){
		.registry = x_strdup(r.registry),
		.key = namespace ? x_asprintf("%s/%s", r.registry, r.repository) : x_strdup(r.registry),
	};
	return 0;
}

void login_place_fini(struct login_place *p)
{
	free(p->registry);
	free(p->key);
	*p = (struct login_place){ 0 };
}

/* ---- the file ---- */

/* The first of those that are ours to write; the others are docker's. */
static char *file_to_write(void)
{
	AUTO(strv_fini) struct strv files = { 0 };
	credential_files(&files);
	return files.n ? x_strdup(files.v[0]) : NULL;
}

static int make_parents(const char *path, struct err *e)
{
	AUTO(free_drop) char *part = x_strdup(path);
	for (char *p = strchr(part + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST && errno != EACCES && errno != EROFS)
			return err_sys(e, "make directory %s", part);
		*p = '/';
	}
	return 0;
}

/* The directory of a file, locked: nobody else who locks it changes the file meanwhile. */
static int lock_directory(const char *path, int *ret_fd, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO(free_drop) char *dir = slash ? x_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : x_strdup(".");
	AUTO(fd_drop) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open directory %s", dir);
	(void)flock(fd, LOCK_EX); /* where there are no locks, the last one wins */
	*ret_fd = fd_take(&fd);
	return 0;
}

static int replace_file(int dir, const char *path, const char *text, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char id[17];
	random_hex(id, 8);
	AUTO(free_drop) char *aside = x_asprintf(".%s.%s", name, id);
	AUTO(fd_drop) int fd = openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "write %s", path);
	int r = fd_write_all(fd, text, strlen(text), path, e);
	if (r == 0 && (fchmod(fd, 0600) < 0 || fd_sync(fd) < 0 || renameat(dir, aside, dir, name) < 0))
		r = err_sys(e, "write %s", path);
	if (r == 0)
		(void)fd_sync(dir);
	else
		unlinkat(dir, aside, 0);
	return r;
}

/* An "auths" object without the entries of this place, and with a new one unless auth is NULL. */
static void write_auths(struct json_out *o, const struct json *auths, const struct login_place *p, const char *auth)
{
	json_put_key(o, "auths");
	json_begin(o, '{');
	for (size_t i = 0; i < json_len(auths); i++) {
		const struct json *entry = json_at(auths, i);
		AUTO(free_drop) char *host = credential_key_host(entry->key);
		if (str_eq(entry->key, p->key) || (host && str_eq(p->key, p->registry) &&
						   credential_same_registry(host, p->registry)))
			continue;
		json_put_key(o, entry->key);
		json_put_raw(o, entry);
	}
	if (auth) {
		json_put_key(o, p->key);
		json_begin(o, '{');
		json_kv_str(o, "auth", auth);
		json_end(o, '}');
	}
	json_end(o, '}');
}

static char *edit(const struct json *file, const struct login_place *p, const char *auth)
{
	struct json_out o;
	bool done = false;
	json_out_init(&o);
	json_begin(&o, '{');
	for (size_t i = 0; i < json_len(file); i++) {
		const struct json *member = json_at(file, i);
		if (str_eq(member->key, "auths")) {
			write_auths(&o, member, p, auth);
			done = true;
			continue;
		}
		json_put_key(&o, member->key);
		json_put_raw(&o, member);
	}
	if (!done)
		write_auths(&o, NULL, p, auth);
	json_end(&o, '}');
	return json_out_take(&o);
}

static bool has_entry(const struct json *file, const struct login_place *p)
{
	const struct json *auths = json_get(file, "auths");
	for (size_t i = 0; i < json_len(auths); i++) {
		const struct json *entry = json_at(auths, i);
		AUTO(free_drop) char *host = credential_key_host(entry->key);
		if (str_eq(entry->key, p->key) || (host && str_eq(p->key, p->registry) &&
						   credential_same_registry(host, p->registry)))
			return true;
	}
	return false;
}

/* ---- keeping ---- */

static char *encode(const char *user, const char *secret)
{
	AUTO(secret_str_fini) struct str plain = { 0 };
	struct str out = { 0 };
	size_t n = strlen(user) + strlen(secret) + 1;
	str_reserve(&plain, n);
	str_addf(&plain, "%s:%s", user, secret);
	str_reserve(&out, 8 + n * 2);
	base64_encode(plain.buf, plain.len, &out);
	return str_take(&out);
}

/* One that we may not read is not replaced. */
static int read_mine(const char *path, struct json *ret, struct err *e)
{
	bool ignored;
	if (credential_file_read(path, ret, &ignored, e) < 0)
		return -1;
	if (ret->type != JSON_OBJECT && access(path, F_OK) == 0 && access(path, R_OK) < 0)
		return err_sys(e, "read %s", path);
	return 0;
}

int login_keep(const struct login_place *p, const char *user, const char *secret, char **ret_where, struct err *e)
{
	AUTO(credentials_wipe) struct json file = { 0 };
	AUTO(free_drop) char *path = file_to_write();
	AUTO(fd_drop) int dir = -1;
	bool general;
	if (!path)
		return err_set(e, ERR_USAGE, "there is no place for a login: set HOME, or give --authfile FILE");
	if (make_parents(path, e) < 0 || lock_directory(path, &dir, e) < 0 || read_mine(path, &file, e) < 0)
		return -1;
	const char *helper = str_eq(p->key, p->registry) ? helper_for(&file, p->registry, &general) : NULL;
	if (helper) {
		if (helper_store(helper, p->registry, user, secret, e) < 0)
			return -1;
		*ret_where = x_asprintf("docker-credential-%s", helper);
		return 0;
	}
	AUTO(secret_drop) char *auth = encode(user, secret);
	AUTO(secret_drop) char *text = edit(&file, p, auth);
	if (replace_file(dir, path, text, e) < 0)
		return -1;
	*ret_where = ptr_take(&path);
	return 0;
}

/* A file, not the one we write, that has a login for the place; NULL when none has. The caller owns it. */
static char *other_file(const struct login_place *p)
{
	AUTO(strv_fini) struct strv files = { 0 };
	credential_files(&files);
	for (size_t i = 1; i < files.n; i++) {
		AUTO(credentials_wipe) struct json file = { 0 };
		struct err why;
		bool ignored;
		if (credential_file_read(files.v[i], &file, &ignored, &why) == 0 && has_entry(&file, p))
			return x_strdup(files.v[i]);
	}
	return NULL;
}

static int forget(const struct login_place *p, int dir, const char *path, const struct json *file, struct err *e)
{
	bool general;
	const char *helper = str_eq(p->key, p->registry) ? helper_for(file, p->registry, &general) : NULL;
	int erased = helper ? helper_erase(helper, p->registry, e) : 1;
	if (erased < 0)
		return -1;
	if (!has_entry(file, p))
		return erased;
	AUTO(secret_drop) char *text = edit(file, p, NULL);
	return replace_file(dir, path, text, e);
}

int login_forget(const struct login_place *p, char **ret_where, struct err *e)
{
	AUTO(credentials_wipe) struct json file = { 0 };
	AUTO(free_drop) char *path = file_to_write();
	AUTO(fd_drop) int dir = -1;
	int r = 1;
	if (path && access(path, F_OK) == 0) {
		if (lock_directory(path, &dir, e) < 0 || read_mine(path, &file, e) < 0)
			return -1;
		r = forget(p, dir, path, &file, e);
	}
	if (r == 0)
		*ret_where = ptr_take(&path);
	else if (r == 1)
		*ret_where = other_file(p);
	return r;
}
