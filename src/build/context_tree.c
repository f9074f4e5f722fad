/* The context as a directory, for RUN --mount=type=bind (MNT-08). */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "copy_priv.h"
#include "oci/layer_writer.h"
#include "oci/tree_writer.h"
#include "secret_priv.h"

struct tree_job {
	struct build *build;
	struct context *context;
	int tree_fd;
};

static int plan_all(struct tree_job *j, struct fsview *dest, struct err *e)
{
	struct copy_from from = { .context = j->context, .view = &j->context->view, .spool_fd = -1 };
	struct copy_spec spec = { .dest = (char *)"/" };
	struct copy_selection s = { 0 };
	struct copy_owner nobody = { 0 };
	strv_push(&spec.sources, "/");
	int r = copy_select(&from, &spec, &s, e);
	if (r == 0)
		r = copy_plan(j->build, &s, &spec, &nobody, dest, e);
	/* What was planned points into `from`, so it is written before we return. */
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	struct layer_format plain = { .how = COMPRESSION_NONE };
	struct tree_writer *tree = tree_writer_new(j->tree_fd);
	/* The tree is what is wanted; the layer beside it is dropped unfinished. */
	if (r == 0)
		r = layer_writer_open(j->build->store, &plain, tree, &w, e);
	if (r == 0)
		r = copy_emit(j->build, dest, w, e);
	if (r == 0)
		r = tree_writer_finish(tree, NULL, e);
	tree_writer_free(tree);
	copy_selection_fini(&s);
	strv_fini(&spec.sources);
	return r;
}

static int tree_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct tree_job *j = ctx;
	struct fsview dest;
	(void)r;
	(void)result;
	if (userns_join(&j->build->userns, e) < 0)
		return -1;
	fsview_init(&dest);
	return plan_all(j, &dest, e);
}

int context_tree(struct build *b, struct context *c, int *ret_fd, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (!c->ignore) {
		fd = openat(c->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "open the build context %s", c->path);
		*ret_fd = fd_take(&fd);
		return 0;
	}
	unsigned id;
	struct worker w;
	if (work_dir(b, &id, &fd, NULL, e) < 0)
		return -1;
	struct tree_job j = { .build = b, .context = c, .tree_fd = fd };
	if (worker_start(&w, "nacre-context", tree_work, &j, e) < 0 || worker_wait(&w, NULL, NULL, NULL, e) < 0)
		return -1;
	*ret_fd = fd_take(&fd);
	return 0;
}
