/* Where the Dockerfile is read: a file of the user's, the context of whatever kind, or standard input (LEX-15, CTX-10). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "build_priv.h"
#include "copy_priv.h"

static const char upper[] = "Dockerfile", lower[] = "dockerfile";
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* dir: where else to look for what other builders take, or -1 */
static int cannot_open(int dir, const char *path, struct err *e)
{
	bool missing = errno == ENOENT || errno == ENOTDIR;
	err_sys(e, "open the Dockerfile %s", path);
	if (missing) {
		e->kind = ERR_NOTFOUND;
		if (dir >= 0 && faccessat(dir, "Containerfile", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			err_hint(e, "there is a Containerfile: name it with -f");
		else
			err_hint(e, "name another with -f");
	}
	return -1;
}

/* Opens PATH, below dir when it is not -1, or the same in lower case when its name is Dockerfile and there is none. */
static int open_either_case(int dir, const char *path, bool *ret_lower)
{
	int fd = dir >= 0 ? root_open(dir, path, OPEN_FLAGS, 0) : open(path, OPEN_FLAGS);
	*ret_lower = false;
	if (fd >= 0 || errno != ENOENT || strcmp(path_base(path), upper) != 0)
		return fd;
	AUTO(free_drop) char *other = x_strdup(path);
	memcpy(other + strlen(other) - strlen(lower), lower, strlen(lower));
	fd = dir >= 0 ? root_open(dir, other, OPEN_FLAGS, 0) : open(other, OPEN_FLAGS);
	*ret_lower = fd >= 0;
	if (fd < 0)
		errno = ENOENT;
	return fd;
}

static int read_fd(struct build *b, int fd, struct str *text, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", b->file_path);
	if (strcmp(b->file_path, "-") != 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_SPEC, "the Dockerfile %s is not a regular file", b->file_path);
	b->made_time = S_ISREG(st.st_mode) ? st.st_mtim.tv_sec : 0;
	return fd_read_all(fd, LIMIT_DOCKERFILE, b->file_path, text, e);
}

/*
 * -f, else Dockerfile in the context. What stands in the context may be a link, but only to another file of the
 * context: an error shows lines of the file (T-E1).
 */
static int read_local(struct build *b, const char *file, struct str *text, struct err *e)
{
	bool lower_case;
	AUTO(fd_drop) int dir = -1;
	AUTO(fd_drop) int fd = -1;
	b->file_path = file ? x_strdup(file) : x_asprintf("%s/%s", b->context.path, upper);
	if (file && strcmp(file, "-") == 0) {
		fd = fd_dup(STDIN_FILENO);
		lower_case = false;
	} else {
		dir = file ? -1 : open(b->context.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (!file && dir < 0)
			return cannot_open(-1, b->file_path, e);
		fd = open_either_case(dir, file ? file : upper, &lower_case);
	}
	if (fd < 0)
		return cannot_open(dir, b->file_path, e);
	b->file_is_local = strcmp(b->file_path, "-") != 0;
	if (lower_case)
		memcpy(b->file_path + strlen(b->file_path) - strlen(lower), lower, strlen(lower));
	return read_fd(b, fd, text, e);
}

/* ---- in a context that is no directory of the user's ---- */

static int read_node(struct context *c, struct fsnode *n, const char *name, struct str *text, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (n->type != TAR_FILE)
		return err_set(e, ERR_SPEC, "%s of the context is not a regular file", name);
	if (context_open_file(c, n, &fd, e) < 0)
		return -1;
	return fd_read_all(fd, LIMIT_DOCKERFILE, name, text, e);
}

/* *ret_path (may be NULL) is the path under which it was found or not; owned by the caller. */
static int find_file(struct context *c, const char *name, struct fsnode **ret, char **ret_path, struct err *e)
{
	AUTO(free_drop) char *path = path_rooted(name);
	if (fsview_lookup(&c->view, path, true, ret, NULL, e) < 0)
		return -1;
	if (!*ret && strcmp(path_base(path), upper) == 0) {
		AUTO(free_drop) char *other = x_strdup(path);
		memcpy(other + strlen(other) - strlen(lower), lower, strlen(lower));
		if (fsview_lookup(&c->view, other, true, ret, NULL, e) < 0)
			return -1;
		if (*ret)
			strcpy(path, other);
	}
	if (ret_path)
		*ret_path = x_strdup(path + 1);
	return 0;
}

/* A context that is one file, and that file the Dockerfile. */
static int read_single(struct build *b, struct str *text, struct err *e)
{
	struct context *c = &b->context;
	struct fsnode *n;
	bool from_stdin = c->kind == CONTEXT_STDIN;
	if (from_stdin && b->options->file)
		return err_set(e, ERR_USAGE,
			       "standard input is no archive and so a Dockerfile, yet -f %s names another",
			       b->options->file);
	b->file_path = x_strdup(from_stdin ? "-" : context_file_name);
	b->made_time = c->has_time ? c->time : 0;
	if (find_file(c, context_file_name, &n, NULL, e) < 0 || read_node(c, n, context_file_name, text, e) < 0)
		return -1;
	if (memchr(str_text(text), '\0', text->len))
		return err_set(e, ERR_BUILD, "%s is neither an archive nor a Dockerfile",
			       from_stdin ? "standard input" : c->path);
	/* From standard input there is no context beside it. */
	if (from_stdin)
		fsview_detach(&c->view, n);
	return 0;
}

static int read_inside(struct build *b, struct str *text, struct err *e)
{
	struct context *c = &b->context;
	struct fsnode *n;
	const char *name = b->options->file ? b->options->file : upper;
	if (context_open(b, c, NULL, e) < 0)
		return -1;
	if (c->is_dockerfile)
		return read_single(b, text, e);
	if (find_file(c, name, &n, &b->file_path, e) < 0)
		return -1;
	if (!n) {
		err_set(e, ERR_NOTFOUND, "the build context has no file %s", b->file_path);
		return err_hint(e, "name another with -f");
	}
	b->made_time = c->kind == CONTEXT_GIT ? c->time : n->mtime;
	return read_node(c, n, b->file_path, text, e);
}

/* -f URL */
static int read_url(struct build *b, const char *url, struct str *text, struct err *e)
{
	struct context c = { .kind = CONTEXT_HTTP, .name = x_strdup(upper), .path = x_strdup(url), .fd = -1 };
	struct fsnode *n = NULL;
	int r = context_open(b, &c, NULL, e);
	if (r == 0)
		r = find_file(&c, context_file_name, &n, NULL, e);
	if (r == 0 && !n)
		r = err_set(e, ERR_BUILD, "%s is not a Dockerfile", url);
	if (r == 0)
		r = read_node(&c, n, upper, text, e);
	b->file_path = x_strdup(upper);
	b->made_time = c.has_time ? c.time : 0;
	context_fini(&c);
	return r;
}

int dockerfile_read(struct build *b, struct str *text, struct err *e)
{
	const char *file = b->options->file;
	enum context_kind kind = b->context.kind;
	bool is_local = kind == CONTEXT_DIR || (file && strcmp(file, "-") == 0) ||
			(file && file[0] == '/' && kind != CONTEXT_STDIN);
	int r;
	if (file && remote_is_url(file))
		r = read_url(b, file, text, e);
	else
		r = is_local ? read_local(b, file, text, e) : read_inside(b, text, e);
	if (r == 0)
		b->file_name = x_strdup(path_base(b->file_path));
	return r;
}
