#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tree.h"
#include "base/vec.h"
#include "store/ref.h"
#include "store_priv.h"

#define VERSION "nacre-store 1"

/* "lock" comes first: a directory without `version` that holds it is a store whose maker was killed. */
static const char *const dirs[] = {
	"lock",  "tmp",  "trash", "blobs",   "blobs/sha256", "snap", "list",
	"layer", "step", "mount", "context", "log",          "sync",
};

static bool is_our_name(const char *name)
{
	static const char *const files[] = { "oci-layout", "oci-layout.new", "index.json", "index.json.new",
					     "version" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (str_eq(name, dirs[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (str_eq(name, files[i]))
			return true;
	return false;
}

/* A directory without a version becomes a store only if it is empty or a half-made store. */
static int check_unused(int fd, const char *path, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	if (dir_names(fd, &names, e) < 0)
		return err_in(e, "store %s", path);
	if (names.n && !strv_has(&names, "lock"))
		return err_set(e, ERR_SPEC, "%s is not a store: it holds \"%s\"; name an empty directory or a new one",
			       path, names.v[0]);
	for (size_t i = 0; i < names.n; i++)
		if (!is_our_name(names.v[i]))
			return err_set(e, ERR_SPEC, "%s is not a store: it holds \"%s\"", path, names.v[i]);
	return 0;
}

/* *ret_new: there is no version yet. */
static int check_version(int fd, const char *path, bool *ret_new, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	if (file_read(fd, "version", 64, &text, e) < 0) {
		if (e->kind != ERR_SYS || e->sysno != ENOENT)
			return err_in(e, "store %s", path);
		*ret_new = true;
		return check_unused(fd, path, e);
	}
	*ret_new = false;
	if (str_eq(str_text(&text), VERSION "\n"))
		return 0;
	text.buf[strcspn(text.buf, "\n")] = '\0';
	return err_set(e, ERR_SPEC, "store %s is of version \"%s\", this program reads \"%s\"; use another --store",
		       path, text.buf, VERSION);
}

/* mkdir -p; XDG Base Directory Specification: "created with permission 0700". */
static int make_path(const char *path)
{
	AUTO(free_drop) char *p = x_strdup(path);
	for (char *at = p + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(p, 0700) < 0 && errno != EEXIST)
			return -1;
		*at = '/';
	}
	return dir_make(AT_FDCWD, p);
}

static int fill(struct store *s, bool new_store, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (dir_make(s->fd, dirs[i]) < 0)
			return err_sys(e, "create %s/%s", s->path, dirs[i]);
		/* The name that tells a half-made store is on disk before the others, whatever a power cut takes. */
		if (new_store && i == 0 && fd_sync(s->fd) < 0)
			return err_sys(e, "sync %s", s->path);
	}
	if (!new_store)
		return 0;
	if (layout_init(s->fd, s->path, e) < 0)
		return -1;
	return aside_put(s, "version", VERSION "\n", strlen(VERSION "\n"), true, e);
}

static int open_at(const char *path, bool follow, struct store *ret, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	struct stat st;
	bool new_store = false;
	if (make_path(path) < 0)
		return err_sys(e, "create store %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open store %s", path);
	if (st.st_uid != geteuid()) {
		err_set(e, ERR_SPEC, "store %s belongs to user %u, we are %u", path, st.st_uid, geteuid());
		return err_hint(e, "name a directory of your own with --store");
	}
	if (check_version(fd, path, &new_store, e) < 0)
		return -1;
	/* Others must not reach set-user-id programs of images through it (THREATS T-A10). */
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return err_sys(e, "make store %s private", path);
	struct store s = { .fd = fd, .path = (char *)path };
	if (fill(&s, new_store, e) < 0)
		return -1;
	*ret = (struct store){ .fd = fd_take(&fd), .path = x_strdup(path) };
	if (live_begin(ret, e) < 0) {
		store_fini(ret);
		return -1;
	}
	ret->left = store_recover(ret);
	return 0;
}

/* Tries one default place; true when the search ends here, with success or not (*r). */
static bool try_default(char *path /* taken */, bool follow, struct store *ret, struct str *tried, int *r,
			struct err *e)
{
	AUTO(free_drop) char *p = path;
	struct err why;
	*r = open_at(p, follow, ret, &why);
	if (*r == 0)
		return true;
	/*
	 * What cannot be made here may be made elsewhere; a store we do not understand is the user's to decide about.
	 */
	*e = why;
	if (why.kind != ERR_SYS)
		return true;
	str_addf(tried, "%s%s", tried->len ? "; " : "", why.msg);
	return false;
}

/* The place that the user named; NULL: none. */
static const char *named_place(const char *path)
{
	const char *env = getenv("NACRE_STORE");
	return path ? path : env && *env ? env : NULL;
}

int store_open_there(const char *path, struct store *ret, struct err *e)
{
	const char *named = named_place(path);
	if (!named || access(named, F_OK) == 0 || errno != ENOENT)
		return store_open(path, ret, e);
	err_set(e, ERR_NOTFOUND, "there is no store %s", named);
	return err_hint(e, "`nacre build`, `pull` and `load` make one");
}

int store_open(const char *path, struct store *ret, struct err *e)
{
	AUTO(str_fini) struct str tried = { 0 };
	const char *named = named_place(path);
	if (named)
		return open_at(named, true, ret, e);
	int r;
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (data && data[0] == '/' && try_default(x_asprintf("%s/nacre", data), true, ret, &tried, &r, e))
		return r;
	if (home && home[0] == '/' && home[1] &&
	    try_default(x_asprintf("%s/.local/share/nacre", home), true, ret, &tried, &r, e))
		return r;
	/* Anybody can put a link there. */
	if (try_default(x_asprintf("/var/tmp/nacre-%u", geteuid()), false, ret, &tried, &r, e))
		return r;
	err_set(e, ERR_SYS, "no place for a store: %s", str_text(&tried));
	return err_hint(e, "name one with --store");
}

void store_fini(struct store *s)
{
	if (!s->path)
		return;
	fd_drop(&s->fd);
	fd_drop(&s->live_fd);
	free_drop(&s->path);
}
