/* Root filesystems as outputs: one image as it is, those of several platforms each below a directory of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "build/image_set.h"
#include "build/save.h"
#include "oci/layer_writer.h"
#include "out_file_priv.h"
#include "output_priv.h"
#include "rootfs_priv.h"

/* "linux_amd64", or NULL where all goes to the top. The caller owns it. */
static char *directory_of(const struct output *o, const struct image_set *set, const struct image_member *m)
{
	if (!o->split && !set->is_index)
		return NULL;
	char *name = platform_text(&m->platform);
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '_';
	return name;
}

/* ---- as files ---- */

static int open_directory(int at, const char *path, bool follow, struct err *e)
{
	if (mkdirat(at, path, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "create the output directory %s", path);
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	return fd < 0 ? err_sys(e, "open the output directory %s", path) : fd;
}

/* With the directories it is in, as docker does. */
static int open_destination(const char *path, struct err *e)
{
	AUTO(free_drop) char *parents = x_strdup(path);
	for (char *p = strchr(parents + 1, '/'); *parents && p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(parents, 0777) < 0 && errno != EEXIST)
			return err_sys(e, "create the directory %s", parents);
		*p = '/';
	}
	return open_directory(AT_FDCWD, path, true, e);
}

static int write_member(struct store *s, const struct image *image, int dir, size_t *skipped, struct err *e)
{
	AUTO(rootfs_fini) struct rootfs r;
	if (rootfs_open(s, image, &r, e) < 0)
		return -1;
	return rootfs_to_dir(&r, dir, skipped, e);
}

int rootfs_write_dir(struct store *s, const struct output *o, const struct digest *top, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { 0 };
	size_t skipped = 0;
	if (image_set_load(s, top, &set, e) < 0)
		return -1;
	AUTO(fd_drop) int dir = open_destination(o->dest, e);
	if (dir < 0)
		return -1;
	for (size_t i = 0; i < set.members.n; i++) {
		AUTO(free_drop) char *below = directory_of(o, &set, &set.members.v[i]);
		if (set.members.v[i].attestation)
			continue;
		AUTO(fd_drop) int to = below ? open_directory(dir, below, false, e) : fd_dup(dir);
		if (to < 0 || write_member(s, &set.members.v[i].image, to, &skipped, e) < 0)
			return -1;
	}
	if (skipped)
		log_warn("%s: %zu devices are left out, which only root could make", o->dest, skipped);
	return 0;
}

/* ---- as tar ---- */

/* All that the view holds moves below a directory of it. It is not looked up any more. */
static void put_below(struct fsview *v, const char *name)
{
	struct fsnode *root = v->root, *dir = arena_alloc(&v->arena, sizeof *dir);
	*dir = *root;
	dir->name = arena_strdup(&v->arena, name);
	dir->parent = root;
	for (size_t i = 0; i < dir->n_kids; i++)
		dir->kids[i]->parent = dir;
	root->kids = NULL;
	root->n_kids = root->cap_kids = 0;
	fsnode_add_kid(&v->arena, root, dir);
}

/* Everything is to be written as it is. */
static int mark_all(struct rootfs *r, struct err *e)
{
	struct fsnode **all = NULL;
	size_t n = 0;
	int result = rootfs_gather(r, &all, &n, e);
	struct copy_mark *marks = arena_alloc(&r->view.arena, (n + 1) * sizeof *marks);
	for (size_t i = 0; i < n; i++) {
		marks[i] = (struct copy_mark){ .self = true, .below = true, .from = &r->from, .src = all[i] };
		all[i]->mark = &marks[i];
	}
	marks[n] = (struct copy_mark){ .below = true };
	r->view.root->mark = &marks[n];
	free(all);
	return result;
}

static int emit_member(struct store *s, const struct image *image, const char *below, struct layer_writer *w,
		       struct err *e)
{
	AUTO(rootfs_fini) struct rootfs r;
	if (rootfs_open(s, image, &r, e) < 0)
		return -1;
	if (below)
		put_below(&r.view, below);
	return mark_all(&r, e) < 0 ? -1 : copy_emit(&r.build, &r.view, NULL, w, e);
}

int rootfs_write_tar(struct store *s, const struct output *o, const struct digest *top, struct err *e)
{
	const char *name = o->dest ? o->dest : "standard output";
	AUTO(image_set_fini) struct image_set set = { 0 };
	AUTO(out_file_fini) struct out_file file = OUT_FILE_NONE;
	if (image_set_load(s, top, &set, e) < 0 || out_file_open(&file, o->dest, e) < 0)
		return -1;
	AUTO(layer_writer_drop) struct layer_writer *w = layer_writer_for_tar(sink_fd(file.fd, name));
	for (size_t i = 0; i < set.members.n; i++) {
		AUTO(free_drop) char *below = directory_of(o, &set, &set.members.v[i]);
		if (!set.members.v[i].attestation && emit_member(s, &set.members.v[i].image, below, w, e) < 0)
			return -1;
	}
	return layer_writer_end(w, e) < 0 ? -1 : out_file_publish(&file, name, e);
}

/* ---- of an image in the store ---- */

struct export_job {
	struct store *store;
	const struct output *output;
	const struct digest *image;
};

static int export_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	const struct export_job *j = ctx;
	(void)r;
	(void)result;
	return j->output->kind == OUTPUT_LOCAL ? rootfs_write_dir(j->store, j->output, j->image, e)
					       : rootfs_write_tar(j->store, j->output, j->image, e);
}

/* An image of one platform is that of `want`, or not what was asked for. */
static int check_platform(struct store *s, const char *name, const struct digest *d, const struct platform *want,
			  struct err *e)
{
	AUTO(image_fini) struct image image = { 0 };
	if (image_load(s, d, &image, e) < 0)
		return -1;
	if (platform_match(want, &image.config.platform))
		return 0;
	AUTO(free_drop) char *have = platform_text(&image.config.platform);
	AUTO(free_drop) char *wanted = platform_text(want);
	return err_set(e, ERR_NOTFOUND, "%s is an image for %s, not for %s", name, have, wanted);
}

int rootfs_export(struct store *s, const char *image, const struct platform *want, bool files, const char *path,
		  struct err *e)
{
	const struct output o = { .kind = files ? OUTPUT_LOCAL : OUTPUT_TAR, .dest = (char *)(uintptr_t)path };
	struct digest digest;
	struct export_job j = { .store = s, .output = &o, .image = &digest };
	struct worker w;
	if (image_find(s, image, &digest, e) < 0 || image_choose(s, &digest, want, &digest, e) < 0 ||
	    (want && check_platform(s, image, &digest, want, e) < 0))
		return -1;
	if (worker_start(&w, "nacre-export", export_work, &j, e) < 0)
		return -1;
	return worker_wait(&w, NULL, NULL, NULL, e);
}
