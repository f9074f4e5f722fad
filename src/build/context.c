/* The build context and named directories: read on demand, filtered by the ignore file (SEMANTICS section 15). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/tree.h"
#include "build_priv.h"
#include "context_fetch_priv.h"
#include "context_scan_priv.h"
#include "stat_index_priv.h"
#include "dockerfile/ignore.h"
#include "oci/listing.h"

int context_spend(struct context *c, size_t entries, uint64_t bytes, struct err *e)
{
	struct context_budget *b = c->budget;
	if (!b)
		return 0;
	if (entries > b->entries || bytes > b->bytes) {
		b->exceeded = true;
		return err_set(e, ERR_LIMIT, "the context %s is too large to be read at once", c->path);
	}
	b->entries -= entries;
	b->bytes -= (size_t)bytes;
	return 0;
}

/* 1 when there is no such file. */
static int read_ignore(struct context *c, int dir, const char *path, const char *shown, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	/* Inside the context, a link may only lead to another file of it (T-E1). */
	AUTO(fd_drop) int fd = dir >= 0 ? root_open(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
					: open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return err_sys(e, "open %s", shown);
	if (fd_check_regular(fd, shown, e) < 0 || fd_read_all(fd, LIMIT_IGNORE_FILE, shown, &text, e) < 0)
		return -1;
	c->ignore_path = dir >= 0 ? x_asprintf("%s/%s", c->path, path) : x_strdup(path);
	return df_ignore_parse(str_text(&text), text.len, shown, &c->ignore, e);
}

static void view_start(struct context *c)
{
	fsview_init(&c->view);
	c->view.load = context_scan;
	c->view.find = context_find;
	c->view.load_ctx = c;
	c->view.root->kids_loaded = false;
}

void context_attach(struct build *b, struct context *c)
{
	AUTO(free_drop) char *real = realpath(c->path, NULL);
	struct stat st;
	c->opened = true;
	c->device = fstat(c->fd, &st) == 0 ? st.st_dev : 0;
	c->index = stat_index_open(b->store, real ? real : c->path);
	view_start(c);
}

void context_forget(struct context *c)
{
	if (c->packed)
		return; /* it cannot change */
	fsview_fini(&c->view);
	view_start(c);
}

int context_attach_packed(struct context *c, const char *listing, size_t n, struct err *e)
{
	struct listing l = { 0 };
	/* The listing of nothing has not even a head. */
	if (n && listing_parse(listing, n, c->path, &l, e) < 0)
		return -1;
	fsview_init(&c->view);
	c->packed = c->opened = true;
	int r = fsview_apply(&c->view, &l, 0, e);
	listing_fini(&l);
	return r;
}

static int open_directory(struct build *b, struct context *c, const char *dockerfile, struct err *e)
{
	c->fd = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0)
		return err_sys(e, "open the build context %s", c->path);
	context_attach(b, c);
	int r = 1;
	if (dockerfile && strcmp(dockerfile, "-") != 0) {
		AUTO(free_drop) char *own = x_asprintf("%s.dockerignore", dockerfile);
		r = read_ignore(c, -1, own, own, e);
	}
	if (r == 1)
		r = read_ignore(c, c->fd, ".dockerignore", ".dockerignore", e);
	return r < 0 ? -1 : 0;
}

int context_open(struct build *b, struct context *c, const char *dockerfile, struct err *e)
{
	if (c->opened)
		return 0;
	if (c->kind == CONTEXT_DIR)
		return open_directory(b, c, dockerfile, e);
	if (!c->job && context_fetch(b, NULL, c, e) < 0)
		return -1;
	return schedule_wait(b, e);
}

void context_fini(struct context *c)
{
	if (c->opened) {
		fd_drop(&c->fd);
		fsview_fini(&c->view);
		stat_index_free(c->index);
		df_ignore_free(c->ignore);
	}
	context_fetch_free(c->fetch);
	free(c->name);
	free(c->path);
	free(c->ignore_path);
	free(c->buffer);
	*c = (struct context){ .fd = -1 };
}

int context_open_file(struct context *c, const struct fsnode *n, int *ret_fd, struct err *e)
{
	AUTO(free_drop) char *path = fsnode_path(n);
	struct digest_text content = digest_hex(&n->digest);
	AUTO(fd_drop)
	int fd = root_open(c->fd, c->packed ? content.s : path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return err_sys(e, "open %s of the context", path);
	if (!fd_is_regular(fd))
		return err_set(e, ERR_BUILD, "%s of the context changed while it was read", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

/* One with a capability is not entered in the index: of those in it nobody asks for it again. */
static bool may_enter(int fd, const struct stat *st)
{
	return !(st->st_mode & 0111) || fgetxattr(fd, "security.capability", NULL, 0) <= 0;
}

void context_learn(struct context *c, struct fsnode *n, int fd, const struct stat *before, bool settled,
		   const struct digest *d)
{
	AUTO(str_fini) struct str learned = { 0 };
	n->digest = *d;
	n->has_digest = true;
	if (!settled || !may_enter(fd, before))
		return;
	AUTO(free_drop) char *path = fsnode_path(n);
	stat_index_note(path, before, d, &learned);
	stat_index_merge(c->index, learned.buf, learned.len);
}

int context_hash(int fd, struct fsnode *n, const char *path, char *buf, struct str *learned, struct err *e)
{
	struct stat before, after;
	struct sha s;
	if (fstat(fd, &before) < 0)
		return err_sys(e, "stat %s of the context", path);
	if (!S_ISREG(before.st_mode))
		return err_set(e, ERR_BUILD, "%s of the context changed while it was read", path);
	bool settled = stat_index_is_settled(&before);
	sha_init(&s);
	ssize_t got = 1;
	for (off_t left = before.st_size; left > 0 && got > 0; left -= got) {
		got = fd_read(fd, buf, CONTEXT_READ);
		if (got > 0)
			sha_add(&s, buf, (size_t)got);
	}
	if (got < 0) {
		sha_drop(&s);
		return err_sys(e, "read %s of the context", path);
	}
	n->digest = sha_end(&s);
	n->has_digest = true;
	if (settled && may_enter(fd, &before) && fstat(fd, &after) == 0 && after.st_size == before.st_size &&
	    after.st_mtim.tv_sec == before.st_mtim.tv_sec && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec)
		stat_index_note(path, &before, &n->digest, learned);
	return 0;
}

int context_digest(struct context *c, struct fsnode *n, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	AUTO(str_fini) struct str learned = { 0 };
	if (n->has_digest)
		return 0;
	AUTO(free_drop) char *path = fsnode_path(n);
	if (context_open_file(c, n, &fd, e) < 0)
		return -1;
	if (!c->buffer)
		c->buffer = x_realloc(NULL, CONTEXT_READ, 1); /* not zeroed: more than a small file costs */
	if (context_hash(fd, n, path, c->buffer, &learned, e) < 0)
		return -1;
	stat_index_merge(c->index, learned.buf, learned.len);
	return 0;
}

/* ---- from a worker ---- */

size_t context_learned(const struct context *c)
{
	return c && c->index ? stat_index_added(c->index) : 0;
}

void context_report(const struct context *c, size_t known, const struct digest *d, struct str *out)
{
	AUTO(str_fini) struct str learned = { 0 };
	if (c && c->index)
		stat_index_give(c->index, known, &learned);
	str_addf(out, "%s %zu\n", digest_text(d).s, learned.len);
	str_addn(out, learned.buf, learned.len);
}

int context_take(struct context *c, const char **p, const char *end, struct digest *ret, struct err *e)
{
	const char *line = memchr(*p, '\n', (size_t)(end - *p));
	AUTO(free_drop) char *head = x_strndup(*p, line ? (size_t)(line - *p) : 0);
	char *blank = strchr(head, ' ');
	uint64_t n;
	if (!blank || !str_to_u64(blank + 1, (uint64_t)(end - line - 1), &n))
		return err_set(e, ERR_BUILD, "a worker told of files it read in a way nobody understands");
	*blank = '\0';
	if (digest_parse(head, ret, e) < 0)
		return -1;
	if (c && c->index)
		stat_index_merge(c->index, line + 1, n);
	*p = line + 1 + n;
	return 0;
}
