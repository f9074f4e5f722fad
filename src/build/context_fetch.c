/*
 * Contexts that are no directory, made one in a worker: standard input, git repositories, HTTP(S) (CTX-07, CTX-09).
 *
 * The worker's result is a line "git TIME", "archive TIME" or "file TIME" (TIME seconds, or "-" when there is none),
 * and after it, but for git, the listing of what was unpacked.
 */
#include "context_fetch_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "context_unpack_priv.h"
#include "copy_priv.h"
#include "room_priv.h"
#include "store/blob.h"

void context_fetch_free(struct context_fetch *f)
{
	if (!f)
		return;
	git_fini(&f->git);
	free(f->tree_path);
	fd_drop(&f->tree_fd);
	free(f);
}

/* ---- in the worker ---- */

static void add_head(struct str *result, const char *kind, bool has_time, int64_t time)
{
	if (has_time)
		str_addf(result, "%s %" PRId64 "\n", kind, time);
	else
		str_addf(result, "%s -\n", kind);
}

static int fetch_git(struct context_fetch *f, struct str *result, struct err *e)
{
	struct build *b = f->build;
	struct git_access access = { .secrets = &b->secrets, .agent = ssh_find(&b->ssh, "default"), .by_user = true };
	if (git_resolve(&f->git, &access, e) < 0 || git_checkout(&f->git, &access, f->tree_path, e) < 0)
		return -1;
	add_head(result, "git", true, f->git.time);
	return 0;
}

static int unpack(struct context_fetch *f, int fd, const char *name, const struct remote_file *file, struct str *result,
		  struct err *e)
{
	struct unpacked u = { 0 };
	bool dated = file && file->has_mtime;
	if (f->context->time_only && dated) {
		add_head(result, "file", true, file->mtime);
		return 0;
	}
	if (context_unpack(fd, name, f->tree_fd, &u, e) < 0)
		return -1;
	add_head(result, u.archive ? "archive" : "file", dated || u.has_newest, dated ? file->mtime : u.newest);
	str_addn(result, str_text(&u.listing), u.listing.len);
	str_fini(&u.listing);
	return 0;
}

static int fetch_http(struct context_fetch *f, const char *shown, struct worker_report *r, struct str *result,
		      struct err *e)
{
	struct room_fetch way;
	struct remote_file file = { 0 };
	AUTO(fd_drop) int fd = -1;
	room_fetch_init(&way, f->build, r);
	int rc = remote_fetch(f->build, f->context->path, &way.progress, &file, e);
	room_fetch_end(&way, rc == 0);
	if (rc < 0 || blob_open(f->build->store, &file.digest, &fd, e) < 0)
		return -1;
	return unpack(f, fd, shown, &file, result, e);
}

/* What does not begin like an archive is a Dockerfile, and may be no larger than one. */
static int fetch_stdin(struct context_fetch *f, struct str *result, struct err *e)
{
	enum { BUF = 64 << 10 };
	AUTO(fd_drop) int fd = spool_file(f->build, e);
	AUTO(free_drop) char *buf = x_alloc(BUF);
	uint64_t size = 0, limit = LIMIT_LAYER_BYTES;
	size_t have = 0;
	ssize_t n = 1;
	while (fd >= 0 && n > 0) {
		while (have < ARCHIVE_HEAD && (n = fd_read(STDIN_FILENO, buf + have, BUF - have)) > 0)
			have += (size_t)n;
		if (n < 0)
			return err_sys(e, "read standard input");
		if (!size && !archive_head((const unsigned char *)buf, have))
			limit = LIMIT_DOCKERFILE;
		size += have;
		if (size > limit)
			return err_set(e, ERR_LIMIT, "standard input is larger than %" PRIu64 " bytes", limit);
		if (fd_write_all(fd, buf, have, "temporary file", e) < 0)
			return -1;
		have = 0;
	}
	if (fd < 0)
		return -1;
	if (!size)
		return err_set(e, ERR_BUILD, "standard input is empty; a Dockerfile or an archive is wanted");
	return unpack(f, fd, "standard input", NULL, result, e);
}

static int fetch_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct context_fetch *f = ctx;
	const struct context *c = f->context;
	AUTO(free_drop) char *shown = git_url_shown(c->path);
	AUTO(free_drop)
	char *line = x_asprintf("load %s%s from %s", c->name ? "context " : "the build context", c->name ? c->name : "",
				c->kind == CONTEXT_STDIN ? "standard input" : shown);
	worker_line(r, line);
	switch (c->kind) {
	case CONTEXT_GIT:
		return fetch_git(f, result, e);
	case CONTEXT_HTTP:
		return fetch_http(f, shown, r, result, e);
	case CONTEXT_STDIN:
		return fetch_stdin(f, result, e);
	case CONTEXT_DIR:
	case CONTEXT_IMAGE:
		break;
	}
	return err_set(e, ERR_USAGE, "%s is not fetched", shown);
}

/* ---- in the builder ---- */

static int open_checkout(struct build *b, struct context_fetch *f, struct err *e)
{
	if (git_open_subdir(f->tree_fd, f->git.subdir, &f->context->fd, e) < 0)
		return -1;
	context_attach(b, f->context);
	return 0;
}

static int open_fetched(struct build *b, struct context_fetch *f, const struct str *result, struct err *e)
{
	struct context *c = f->context;
	char kind[16], time[32];
	const char *rest = memchr(str_text(result), '\n', result->len);
	if (!rest || sscanf(result->buf, "%15s %31s", kind, time) != 2)
		return err_set(e, ERR_SYS, "a worker sent a broken report");
	rest++;
	c->has_time = strcmp(time, "-") != 0;
	c->time = strtoll(time, NULL, 10);
	if (strcmp(kind, "git") == 0)
		return open_checkout(b, f, e);
	c->is_dockerfile = strcmp(kind, "file") == 0;
	c->fd = fd_take(&f->tree_fd);
	return context_attach_packed(c, rest, result->len - (size_t)(rest - result->buf), e);
}

static int fetch_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct context_fetch *f = j->ctx;
	int r;
	f->context->job = NULL;
	if (failed) {
		*e = *failed;
		r = -1;
	} else {
		r = open_fetched(b, f, result, e);
	}
	if (r < 0 && j->step && !e->line) {
		e->line = j->step->in->line;
		e->line_end = j->step->in->line_end;
	}
	return r;
}

/* true: yes; false: no, or not said. As Go's strconv.ParseBool. */
static bool arg_is_true(const char *value)
{
	return value && (strcmp(value, "1") == 0 || str_case_eq(value, "true") || str_case_eq(value, "t"));
}

/* What build arguments say about checkouts. */
static void adjust_git(const struct build *b, const struct context *c, struct git_source *g)
{
	const char *epoch = env_get(&b->build_args, "SOURCE_DATE_EPOCH");
	if (c == &b->context && arg_is_true(env_get(&b->build_args, "BUILDKIT_CONTEXT_KEEP_GIT_DIR")))
		g->keep_git_dir = true; /* CTX-08 */
	/* Who asks for reproducible times wants none of the checkout's. */
	if (epoch && *epoch && !g->has_mtime)
		g->commit_times = true;
}

int context_fetch(struct build *b, struct step *step, struct context *c, struct err *e)
{
	struct context_fetch *f = x_alloc(sizeof *f);
	context_fetch_free(c->fetch);
	c->fetch = f;
	*f = (struct context_fetch){ .build = b, .context = c, .tree_fd = -1 };
	if (c->kind == CONTEXT_GIT) {
		if (git_parse(c->path, &f->git, e) < 0)
			return -1;
		adjust_git(b, c, &f->git);
	}
	if (work_dir(b, &c->work_id, &f->tree_fd, NULL, e) < 0)
		return -1;
	f->tree_path = work_path(b, c->work_id, e);
	if (!f->tree_path)
		return -1;
	if (step)
		progress_step_start(b->progress, step);
	c->job = job_worker(b, step, "nacre-context", fetch_work, f, e);
	if (!c->job)
		return -1;
	c->job->done = fetch_done;
	c->job->ctx = f;
	return 0;
}

int context_need(struct build *b, struct step *step, struct context *c, const char *dockerfile, struct err *e)
{
	if (c->opened || c->kind == CONTEXT_DIR)
		return context_open(b, c, dockerfile, e);
	if (c->job)
		return 1;
	return context_fetch(b, step, c, e) < 0 ? -1 : 1;
}
