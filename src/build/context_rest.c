/* What of a context no instruction reads: hidden by the ignore file, or simply never named. */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "context_reads_priv.h"
#include "dockerfile/ignore.h"

/* A directory as it is, and as the build sees it. */
struct dir_pair { struct fsnode *raw, *kept; };

struct search {
	struct context *c;
	struct context raw;      /* the same directory without its ignore file */
	struct context_rest *rest;
	VEC(struct dir_pair) todo;
};

void context_rest_fini(struct context_rest *r)
{
	for (size_t i = 0; i < r->drops.n; i++)
		free(r->drops.v[i].path);
	vec_fini(&r->drops);
}

static void count(struct file_count *to, const struct fsnode *n)
{
	to->files++;
	to->size += n->size;
}

/* Everything below a directory. What cannot be read does not stop us: the build never looks there. */
static void count_below(struct search *s, struct fsnode *top, struct context_drop *d)
{
	VEC(struct fsnode *) todo = { 0 };
	vec_push(&todo, top);
	while (todo.n) {
		struct fsnode *dir = todo.v[--todo.n];
		struct err why;
		if (fsview_kids(&s->raw.view, dir, &why) < 0) {
			log_debug("size of %s: %s", d->path, why.msg);
			d->incomplete = true;
		}
		for (size_t i = 0; i < dir->n_kids; i++) {
			if (dir->kids[i]->type == TAR_DIR)
				vec_push(&todo, dir->kids[i]);
			else
				count(&d->count, dir->kids[i]);
		}
	}
	vec_fini(&todo);
}

static void add_drop(struct search *s, struct fsnode *raw)
{
	AUTO(free_drop) char *path = fsnode_path(raw);
	int line = 0;
	/* Without a rule it has only just appeared, or is gone. */
	if (!df_ignored(s->c->ignore, path, &line) || !line)
		return;
	struct context_drop *d = vec_add(&s->rest->drops);
	d->path = ptr_take(&path);
	d->line = line;
	d->is_dir = raw->type == TAR_DIR;
	if (d->is_dir)
		count_below(s, raw, d);
	else
		count(&d->count, raw);
	s->rest->dropped.files += d->count.files;
	s->rest->dropped.size += d->count.size;
}

static int search_dir(struct search *s, struct dir_pair at, struct err *e)
{
	if (fsview_kids(&s->raw.view, at.raw, e) < 0 || fsview_kids(&s->c->view, at.kept, e) < 0)
		return -1;
	for (size_t i = 0; i < at.raw->n_kids; i++) {
		struct fsnode *raw = at.raw->kids[i], *kept;
		if (fsview_child(&s->c->view, at.kept, raw->name, &kept, e) < 0)
			return -1;
		if (!kept)
			add_drop(s, raw);
		else if (kept->type == TAR_DIR && raw->type == TAR_DIR)
			vec_push(&s->todo, ((struct dir_pair){ raw, kept }));
	}
	return 0;
}

/* What the ignore file hides is what the directory has and the build does not see. */
static int find_drops(struct build *b, struct context *c, struct context_rest *ret, struct err *e)
{
	struct search s = { .c = c, .rest = ret, .raw = { .path = x_strdup(c->path), .fd = fd_dup(c->fd) } };
	if (s.raw.fd < 0) {
		free(s.raw.path);
		return err_sys(e, "open the context again");
	}
	context_attach(b, &s.raw);
	vec_push(&s.todo, ((struct dir_pair){ s.raw.view.root, c->view.root }));
	int r = 0;
	while (r == 0 && s.todo.n) {
		struct dir_pair at = s.todo.v[--s.todo.n];
		r = search_dir(&s, at, e);
	}
	vec_fini(&s.todo);
	context_fini(&s.raw);
	return r;
}

static int count_unread(struct context *c, struct file_count *unread, struct err *e)
{
	VEC(struct fsnode *) todo = { 0 };
	int r = 0;
	vec_push(&todo, c->view.root);
	while (todo.n && r == 0) {
		struct fsnode *dir = todo.v[--todo.n];
		r = fsview_kids(&c->view, dir, e);
		for (size_t i = 0; i < dir->n_kids && r == 0; i++) {
			if (dir->kids[i]->type == TAR_DIR)
				vec_push(&todo, dir->kids[i]);
			else if (!dir->kids[i]->mark)
				count(unread, dir->kids[i]);
		}
	}
	vec_fini(&todo);
	return r;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct context_drop *)a)->path, ((const struct context_drop *)b)->path);
}

int context_rest_find(struct build *b, struct context *c, struct context_rest *ret, struct err *e)
{
	if (c->ignore && find_drops(b, c, ret, e) < 0)
		return -1;
	if (ret->drops.n)
		qsort(ret->drops.v, ret->drops.n, sizeof *ret->drops.v, by_path);
	return count_unread(c, &ret->unread, e);
}
