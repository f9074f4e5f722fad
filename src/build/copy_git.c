/* ADD of git repositories: resolved in a job of its own, so that a cached step fetches nothing; checked out where it is
 * copied. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "copy_priv.h"
#include "stat_index_priv.h"

struct git_tree {
	unsigned work_id;       /* where it is checked out */
	int tree_fd;
	struct context dir;     /* the checkout, or what is asked of it */
	struct copy_from from;
};

struct resolve_job {
	struct build *build;
	struct copy_spec *spec;
};

static struct git_access access_of(const struct build *b)
{
	return (struct git_access){ .secrets = &b->secrets, .agent = ssh_find(&b->ssh, "default") };
}

/* The result: a commit a line. */
static int resolve_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct resolve_job *j = ctx;
	struct copy_spec *spec = j->spec;
	struct git_access access = access_of(j->build);
	(void)r;
	for (size_t i = 0; i < spec->git.n; i++) {
		if (git_resolve(&spec->git.v[i], &access, e) < 0)
			return -1;
		str_addf(result, "%s\n", spec->git.v[i].commit);
	}
	return 0;
}

struct job *git_resolve_start(struct build *b, struct step *step, struct copy_spec *spec, struct err *e)
{
	struct resolve_job ctx = { .build = b, .spec = spec };
	return job_worker(b, step, "nacre-git", resolve_work, &ctx, e);
}

int git_commits_read(struct copy_spec *spec, const struct str *result, struct err *e)
{
	const char *p = str_text(result);
	for (size_t i = 0; i < spec->git.n; i++) {
		size_t n = strcspn(p, "\n");
		if (n == 0 || n >= sizeof spec->git.v[i].commit)
			return err_set(e, ERR_SYS, "a worker sent a broken report");
		memcpy(spec->git.v[i].commit, p, n);
		spec->git.v[i].commit[n] = '\0';
		p += n + 1;
	}
	return 0;
}

void git_key(const struct git_source *g, struct cache_key *k)
{
	json_begin(&k->fields, '{');
	key_str(k, "commit", g->commit);
	key_str(k, "subdir", g->subdir);
	if (g->keep_git_dir) {
		AUTO(free_drop) char *url = git_url_shown(g->url);
		json_kv_bool(&k->fields, "git-dir", true);
		key_str(k, "url", url); /* .git/config names it */
	}
	if (g->no_submodules)
		json_kv_bool(&k->fields, "submodules", false);
	if (g->commit_times)
		key_str(k, "mtime", "commit");
	json_end(&k->fields, '}');
}

int git_trees_new(struct build *b, const struct copy_spec *spec, struct git_tree **ret, struct err *e)
{
	struct git_tree *trees = x_alloc((spec->git.n + 1) * sizeof *trees);
	for (size_t i = 0; i < spec->git.n; i++)
		trees[i].tree_fd = trees[i].dir.fd = trees[i].from.spool_fd = -1;
	*ret = trees;
	for (size_t i = 0; i < spec->git.n; i++)
		if (work_dir(b, &trees[i].work_id, &trees[i].tree_fd, NULL, e) < 0)
			return -1;
	return 0;
}

static int fill_one(struct build *b, struct git_source *g, struct git_tree *t, struct err *e)
{
	AUTO(free_drop) char *path = work_path(b, t->work_id, e);
	struct git_access access = access_of(b);
	if (!path || git_checkout(g, &access, path, e) < 0 || git_open_subdir(t->tree_fd, g->subdir, &t->dir.fd, e) < 0)
		return -1;
	t->dir.path = ptr_take(&path);
	context_attach(b, &t->dir);
	t->from.context = &t->dir;
	t->from.view = &t->dir.view;
	return 0;
}

int git_trees_fill(struct build *b, const struct copy_spec *spec, struct git_tree *trees, struct err *e)
{
	for (size_t i = 0; i < spec->git.n; i++)
		if (fill_one(b, &spec->git.v[i], &trees[i], e) < 0)
			return -1;
	return 0;
}

int git_trees_select(struct git_tree *trees, const struct copy_spec *spec, struct copy_selection *ret, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < spec->git.n; i++) {
		struct copy_match *m = vec_add(ret);
		*m = (struct copy_match){
			.from = &trees[i].from,
			.word = copy_word(spec, COPY_GIT, i),
			.node = trees[i].dir.view.root,
			.name = "",
		};
	}
	return 0;
}

void git_trees_free(struct git_tree *trees, size_t n)
{
	for (size_t i = 0; trees && i < n; i++) {
		context_fini(&trees[i].dir);
		fd_drop(&trees[i].tree_fd);
	}
	free(trees);
}
