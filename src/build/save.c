#include "build/save.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/tar_write.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "export_priv.h"
#include "out_file_priv.h"
#include "save_priv.h"
#include "store/blob.h"

int save_format_parse(const char *text, enum save_format *ret, struct err *e)
{
	static const char *const names[] = {
		[SAVE_OCI_ARCHIVE] = "oci-archive",
		[SAVE_DOCKER_ARCHIVE] = "docker-archive",
		[SAVE_OCI_DIR] = "oci-dir",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(text, names[i])) {
			*ret = (enum save_format)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--format %s: oci-archive, docker-archive or oci-dir is wanted", text);
}

/* ---- members ---- */

bool digests_add(struct digests *l, const struct digest *d)
{
	for (size_t i = 0; i < l->n; i++)
		if (digest_eq(&l->v[i], d))
			return false;
	vec_push(l, *d);
	return true;
}

int save_directory(struct sink *out, const char *path, struct err *e)
{
	struct tar_entry t = { .type = TAR_DIR, .path = (char *)path, .mode = 0755 };
	return tar_write_entry(out, &t, e);
}

static int begin_file(struct sink *out, const char *path, uint64_t size, struct err *e)
{
	struct tar_entry t = { .type = TAR_FILE, .path = (char *)path, .mode = 0644, .size = size };
	return tar_write_entry(out, &t, e);
}

int save_text(struct sink *out, const char *path, const char *text, struct err *e)
{
	size_t n = strlen(text);
	if (begin_file(out, path, n, e) < 0 || sink_write(out, text, n, e) < 0)
		return -1;
	return tar_write_pad(out, n, e);
}

enum { BUF = 128 << 10 };

int save_source(struct sink *out, const char *path, struct source *in, uint64_t size, const struct digest *want,
		struct err *e)
{
	AUTO(free_drop) char *buf = x_alloc(BUF);
	AUTO(sha_drop) struct sha sha = { 0 };
	uint64_t left = size;
	ssize_t n;
	sha_init(&sha);
	if (begin_file(out, path, size, e) < 0)
		return -1;
	/* Never more than the header promised, whatever becomes of the file meanwhile. */
	while ((n = source_read(in, buf, BUF, e)) > 0 && (uint64_t)n <= left) {
		sha_add(&sha, buf, (size_t)n);
		left -= (uint64_t)n;
		if (sink_write(out, buf, (size_t)n, e) < 0)
			return -1;
	}
	if (n < 0)
		return -1;
	struct digest got = sha_end(&sha);
	if (n > 0 || left || !digest_eq(&got, want))
		return err_set(e, ERR_INTEGRITY, "%s is damaged in the store: its bytes do not have digest %s", path,
			       digest_text(want).s);
	return tar_write_pad(out, size, e);
}

int save_blob(struct store *s, struct sink *out, const char *path, const struct descriptor *d, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (blob_open(s, &d->digest, &fd, e) < 0)
		return -1;
	AUTO(source_drop) struct source *in = source_fd(fd, path);
	return save_source(out, path, in, d->size, &d->digest, e);
}

/* ---- the whole ---- */

static int write_directory(struct store *s, const struct save_images *images, const char *path, struct err *e)
{
	for (size_t i = 0; i < images->n; i++)
		if (export_layout(s, &images->v[i], path, e) < 0)
			return -1;
	return 0;
}

static int write_archive(struct store *s, enum save_format how, const struct save_images *images, const char *path,
			 struct err *e)
{
	const char *name = path ? path : "standard output";
	AUTO(out_file_fini) struct out_file o = OUT_FILE_NONE;
	struct stat st;
	if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "%s is a directory; --format oci-dir writes into one", path);
	if (out_file_open(&o, path, e) < 0)
		return -1;
	AUTO(sink_drop) struct sink *out = sink_fd(o.fd, name);
	int r = how == SAVE_OCI_ARCHIVE ? save_oci(s, images, out, e) : save_docker(s, images, out, e);
	if (r < 0 || tar_write_end(out, e) < 0 || sink_finish(out, e) < 0)
		return -1;
	return out_file_publish(&o, name, e);
}

int save_write(struct store *s, enum save_format how, const struct save_images *images, const char *path, struct err *e)
{
	return how == SAVE_OCI_DIR ? write_directory(s, images, path, e) : write_archive(s, how, images, path, e);
}

struct save_job {
	struct store *store;
	enum save_format how;
	const struct save_images *images;
	const char *path;
};

static int save_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	const struct save_job *j = ctx;
	(void)r;
	(void)result;
	return save_write(j->store, j->how, j->images, j->path, e);
}

/* ---- what is asked for ---- */

static void save_images_fini(struct save_images *l)
{
	for (size_t i = 0; i < l->n; i++) {
		image_set_fini(&l->v[i].set);
		free(l->v[i].name);
	}
	vec_fini(l);
}

static int find_images(struct store *s, enum save_format how, const struct strv *texts, struct save_images *l,
		       struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct digest digest;
		AUTO(free_drop) char *name = NULL;
		bool there = false;
		if (image_find_named(s, texts->v[i], &digest, &name, e) < 0)
			return -1;
		if (how == SAVE_DOCKER_ARCHIVE && image_choose(s, &digest, NULL, &digest, e) < 0)
			return -1;
		for (size_t k = 0; k < l->n; k++)
			there |= str_eq(l->v[k].name, name) && digest_eq(&l->v[k].set.top.digest, &digest);
		if (there)
			continue;
		struct save_image *added = vec_add(l);
		added->name = ptr_take(&name);
		if (image_set_load(s, &digest, &added->set, e) < 0)
			return -1;
	}
	return 0;
}

int save_images(struct store *s, enum save_format how, const struct strv *images, const char *path, struct err *e)
{
	AUTO(save_images_fini) struct save_images found = { 0 };
	struct save_job j = { .store = s, .how = how, .images = &found, .path = path };
	struct worker w;
	if (find_images(s, how, images, &found, e) < 0 || worker_start(&w, "nacre-save", save_work, &j, e) < 0)
		return -1;
	return worker_wait(&w, NULL, NULL, NULL, e);
}
