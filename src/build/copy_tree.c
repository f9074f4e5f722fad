/* A directory of a context or image as a tree of its own: seeds of cache mounts, contexts without what is ignored. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy_priv.h"
#include "oci/layer_writer.h"
#include "oci/tree_writer.h"

static int write_tree(struct build *b, struct fsview *dest, int tree_fd, struct err *e)
{
	struct tree_writer *tree = tree_writer_new(tree_fd);
	struct layer_writer *w = layer_writer_for_tree(tree);
	int r = copy_emit(b, dest, NULL, w, e);
	layer_writer_free(w);
	if (r == 0)
		r = tree_writer_finish(tree, NULL, e);
	tree_writer_free(tree);
	return r;
}

/* The top is not an entry of its own; what it was in the source, it is here. */
static int dress_top(const struct fsnode *top, bool keep_owner, int tree_fd, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = top->mtime } };
	if (keep_owner && fchown(tree_fd, top->uid, top->gid) < 0)
		return err_sys(e, "set the owner of a copied directory");
	if (fchmod(tree_fd, top->mode & 07777) < 0 || futimens(tree_fd, times) < 0)
		return err_sys(e, "set the mode of a copied directory");
	return 0;
}

int copy_tree(struct build *b, struct copy_from *from, const char *source, int tree_fd, struct err *e)
{
	bool from_image = !from->context;
	struct copy_spec spec = { .dest = (char *)"/", .from_image = from_image, .literal = true };
	struct copy_selection s = { 0 };
	struct copy_owner nobody = { 0 };
	struct fsview dest;
	strv_push(&spec.sources, source);
	fsview_init(&dest);
	int r = copy_select(from, &spec, &s, e);
	const struct fsnode *top = r == 0 ? s.v[0].node : NULL;
	if (r == 0 && top->type != TAR_DIR)
		r = err_set(e, ERR_BUILD, "\"%s\" is not a directory", source);
	if (r == 0)
		r = copy_plan(b, &s, &spec, &nobody, &dest, NULL, e);
	if (r == 0)
		r = write_tree(b, &dest, tree_fd, e);
	if (r == 0)
		r = dress_top(top, from_image, tree_fd, e);
	copy_selection_fini(&s);
	fsview_fini(&dest);
	strv_fini(&spec.sources);
	return r;
}
