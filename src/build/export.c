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

/* "oci:DIR[:TAG]" as skopeo reads it: DIR ends at the first colon. Both are owned by the caller; *ret_tag may be NULL.
 */
static int parse(const char *spec, char **ret_dir, char **ret_tag, struct err *e)
{
	if (!str_starts(spec, "oci:") || !spec[4] || spec[4] == ':')
		return err_set(e, ERR_USAGE, "-o %s: only oci:DIR[:TAG] can be written yet", spec);
	const char *dir = spec + 4, *colon = strchr(dir, ':');
	*ret_dir = x_strndup(dir, colon ? (size_t)(colon - dir) : strlen(dir));
	*ret_tag = colon && colon[1] ? x_strdup(colon + 1) : NULL;
	return 0;
}

int export_check(const char *spec, struct err *e)
{
	AUTO(free_drop) char *dir = NULL;
	AUTO(free_drop) char *tag = NULL;
	return parse(spec, &dir, &tag, e) < 0 ? -1 : out_place_check(dir, e);
}

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

static int put_blobs(struct store *s, int dir, const struct image_set *set, struct err *e)
{
	AUTO(fd_drop) int blobs = openat(dir, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct blob_place to = { .fd = blobs };
	if (blobs < 0)
		return err_sys(e, "open blobs/sha256 of the output");
	for (size_t i = 0; i < set->members.n; i++)
		if (put_image(s, &to, &set->members.v[i].image, e) < 0)
			return -1;
	if (set->is_index && export_blob(s, &to, &set->top, e) < 0)
		return -1;
	if (fd_sync(blobs) < 0)
		return err_sys(e, "sync the output");
	return 0;
}

struct export_job {
	struct store *store;
	const struct descriptor *image;
	const char *spec;
};

int export_layout(struct store *s, const struct image_set *set, const char *path, const char *name, struct err *e)
{
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "create the output directory %s", path);
	AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open the output directory %s", path);
	if (layout_init(dir, path, e) < 0 || put_blobs(s, dir, set, e) < 0)
		return err_in(e, "write %s", path);
	struct ref_entry entry = {
		.name = (char *)name,
		.media_type = set->top.media_type,
		.digest = set->top.digest,
		.size = set->top.size,
	};
	return ref_put(dir, &entry, e);
}

/* In a worker: it reads and writes as much as the image is large. */
static int export_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct export_job *j = ctx;
	AUTO(image_set_fini) struct image_set set = { 0 };
	AUTO(free_drop) char *path = NULL;
	AUTO(free_drop) char *tag = NULL;
	(void)r;
	(void)result;
	if (parse(j->spec, &path, &tag, e) < 0 || image_set_load(j->store, &j->image->digest, &set, e) < 0)
		return -1;
	return export_layout(j->store, &set, path, tag ? tag : "latest", e);
}

int export_image(struct store *s, const struct descriptor *image, const char *spec, struct err *e)
{
	struct export_job j = { .store = s, .image = image, .spec = spec };
	struct worker w;
	if (worker_start(&w, "nacre-export", export_work, &j, e) < 0)
		return -1;
	return worker_wait(&w, NULL, NULL, NULL, e);
}
