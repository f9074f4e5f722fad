#include "export_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "build/image_set.h"
#include "out_file_priv.h"
#include "store/ref.h"

/* The config first: by a small file it is learned how those after it can be shared. */
static int put_image(struct store *s, struct blob_place *to, const struct image *image, struct err *e)
{
	if (export_blob(s, to, &image->manifest.config, e) < 0)
		return -1;
	for (size_t i = 0; i < image->manifest.layers.n; i++)
		if (export_blob(s, to, &image->manifest.layers.v[i], e) < 0)
			return -1;
	return export_blob(s, to, &image->desc, e);
}

static int put_blobs(struct store *s, int blobs, const struct image_set *set, struct err *e)
{
	struct blob_place to = { .fd = blobs };
	for (size_t i = 0; i < set->members.n; i++)
		if (put_image(s, &to, &set->members.v[i].image, e) < 0)
			return -1;
	if (set->is_index && export_blob(s, &to, &set->top, e) < 0)
		return -1;
	if (fd_sync(blobs) < 0)
		return err_sys(e, "sync the output");
	return 0;
}

/* A directory in `dir`, made if it is missing: never where a link leads. -1 and an error. */
static int own_directory(int dir, const char *name, struct err *e)
{
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "create %s", name);
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(e, "open %s, which must be a directory", name) : fd;
}

int layout_blobs(int dir, struct err *e)
{
	AUTO(fd_drop) int blobs = own_directory(dir, "blobs", e);
	return blobs < 0 ? -1 : own_directory(blobs, "sha256", e);
}

static int write_layout(struct store *s, int dir, const struct image_set *set, const char *path, struct err *e)
{
	AUTO(fd_drop) int sha256 = layout_blobs(dir, e);
	if (sha256 < 0 || layout_init(dir, path, e) < 0)
		return -1;
	return put_blobs(s, sha256, set, e);
}

int export_layout(struct store *s, const struct save_image *image, const char *path, struct err *e)
{
	const struct image_set *set = &image->set;
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "create the output directory %s", path);
	AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open the output directory %s", path);
	if (write_layout(s, dir, set, path, e) < 0)
		return err_in(e, "write %s", path);
	struct ref_entry entry = {
		.name = image->name,
		.annotations = image->annotations,
		.media_type = set->top.media_type,
		.digest = set->top.digest,
		.size = set->top.size,
	};
	return ref_put(dir, &entry, e);
}
