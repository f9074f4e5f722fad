/* The context as a directory, for RUN --mount=type=bind (MNT-08). */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "copy_priv.h"

struct tree_job {
	struct build *build;
	struct context *context;
	int tree_fd;
};

static int tree_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct tree_job *j = ctx;
	struct copy_from from = { .context = j->context, .view = &j->context->view, .spool_fd = -1 };
	(void)r;
	(void)result;
	if (userns_join(&j->build->userns, e) < 0)
		return -1;
	return copy_tree(j->build, &from, "/", j->tree_fd, e);
}

int context_tree(struct build *b, struct context *c, int *ret_fd, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (!c->ignore && !c->packed) {
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
