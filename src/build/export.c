#include "export_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/stream.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "build/image.h"
#include "out_file_priv.h"
#include "store/blob.h"
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

enum { CHUNK = 1 << 18 };

/* A file without a name until it is complete, so that nothing of a killed export stays; "" where that is not possible.
 */
static int open_aside(int blobs_fd, char aside[32], struct err *e)
{
	char id[17];
	aside[0] = '\0';
	int fd = openat(blobs_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd >= 0)
		return fd;
	random_hex(id, 8);
	snprintf(aside, 32, ".tmp-%s", id);
	fd = openat(blobs_fd, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd < 0 ? err_sys(e, "create a blob in the output") : fd;
}

static int give_name(int blobs_fd, int fd, const char *aside, const char *name, struct err *e)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd_sync(fd) < 0)
		return err_sys(e, "write blob %s", name);
	if (*aside)
		return renameat(blobs_fd, aside, blobs_fd, name) < 0 ? err_sys(e, "write blob %s", name) : 0;
	/* What has this name and another size was cut off by somebody else. */
	if (linkat(AT_FDCWD, path, blobs_fd, name, AT_SYMLINK_FOLLOW) < 0 &&
	    (errno != EEXIST || unlinkat(blobs_fd, name, 0) < 0 ||
	     linkat(AT_FDCWD, path, blobs_fd, name, AT_SYMLINK_FOLLOW) < 0))
		return err_sys(e, "write blob %s", name);
	return 0;
}

/* Copies what is left of `from`, hashing on the way: the store's disk may have rotted since it was written. */
static int copy_bytes(int from, int to, const char *name, struct digest *ret, struct err *e)
{
	AUTO(free_drop) char *buf = x_alloc(CHUNK);
	struct sha sha;
	uint64_t size;
	ssize_t n;
	sha_init(&sha);
	AUTO(sink_drop) struct sink *out = sink_digest(sink_thread(sink_fd(to, name)), &sha, &size);
	int r = 0;
	while (r == 0 && (n = fd_read(from, buf, CHUNK)) != 0)
		r = n < 0 ? err_sys(e, "read blob %s", name) : sink_write(out, buf, (size_t)n, e);
	if (r == 0)
		r = sink_finish(out, e);
	*ret = sha_end(&sha);
	return r;
}

static int copy_blob(struct store *s, int blobs_fd, const struct descriptor *d, struct err *e)
{
	struct digest_text hex = digest_hex(&d->digest);
	struct digest got;
	struct stat st;
	char aside[32];
	AUTO(fd_drop) int from = -1;
	if (fstatat(blobs_fd, hex.s, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size == d->size)
		return 0;
	if (blob_open(s, &d->digest, &from, e) < 0)
		return -1;
	AUTO(fd_drop) int to = open_aside(blobs_fd, aside, e);
	if (to < 0)
		return -1;
	int r = copy_bytes(from, to, hex.s, &got, e);
	if (r == 0 && !digest_eq(&got, &d->digest))
		r = err_set(e, ERR_INTEGRITY, "blob %s of the store is damaged: its bytes have another digest", hex.s);
	if (r == 0)
		r = give_name(blobs_fd, to, aside, hex.s, e);
	if (r < 0 && *aside)
		unlinkat(blobs_fd, aside, 0);
	return r;
}

static int copy_all(struct store *s, int dir, const struct image *image, struct err *e)
{
	AUTO(fd_drop) int blobs = openat(dir, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (blobs < 0)
		return err_sys(e, "open blobs/sha256 of the output");
	for (size_t i = 0; i < image->manifest.layers.n; i++)
		if (copy_blob(s, blobs, &image->manifest.layers.v[i], e) < 0)
			return -1;
	if (copy_blob(s, blobs, &image->manifest.config, e) < 0 || copy_blob(s, blobs, &image->desc, e) < 0)
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

int export_layout(struct store *s, const struct image *image, const char *path, const char *name, struct err *e)
{
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "create the output directory %s", path);
	AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open the output directory %s", path);
	if (layout_init(dir, path, e) < 0 || copy_all(s, dir, image, e) < 0)
		return err_in(e, "write %s", path);
	struct ref_entry entry = {
		.name = (char *)name,
		.media_type = image->desc.media_type,
		.digest = image->desc.digest,
		.size = image->desc.size,
	};
	return ref_put(dir, &entry, e);
}

/* In a worker: it reads and writes as much as the image is large. */
static int export_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct export_job *j = ctx;
	AUTO(image_fini) struct image image = { 0 };
	AUTO(free_drop) char *path = NULL;
	AUTO(free_drop) char *tag = NULL;
	(void)r;
	(void)result;
	if (parse(j->spec, &path, &tag, e) < 0 || image_load(j->store, &j->image->digest, &image, e) < 0)
		return -1;
	return export_layout(j->store, &image, path, tag ? tag : "latest", e);
}

int export_image(struct store *s, const struct descriptor *image, const char *spec, struct err *e)
{
	struct export_job j = { .store = s, .image = image, .spec = spec };
	struct worker w;
	if (worker_start(&w, "nacre-export", export_work, &j, e) < 0)
		return -1;
	return worker_wait(&w, NULL, NULL, NULL, e);
}
