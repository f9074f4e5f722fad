#include "build/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/stream.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "build/image.h"
#include "load_priv.h"
#include "oci/index.h"
#include "oci/layer_tar.h"
#include "store/blob.h"

void loaded_images_fini(struct loaded_images *l)
{
	for (size_t i = 0; i < l->n; i++)
		strv_fini(&l->v[i].names);
	vec_fini(l);
}

size_t load_add(struct load *l, const struct digest *manifest)
{
	for (size_t i = 0; i < l->images.n; i++)
		if (digest_eq(&l->images.v[i].manifest, manifest))
			return i;
	struct loaded_image *added = vec_add(&l->images);
	added->manifest = *manifest;
	return l->images.n - 1;
}

int load_name(struct load *l, size_t image, const char *text, struct err *e)
{
	struct err ignored;
	AUTO(free_drop) char *name = NULL;
	if (image_name_new(text, &name, &ignored) < 0)
		return err_set(e, ERR_SPEC, "%s: an image is called \"%.200s\", which cannot be a name", l->name, text);
	for (size_t i = 0; i < l->images.n; i++) {
		bool there = strv_has(&l->images.v[i].names, name);
		if (there && i == image)
			return 0;
		if (there)
			return err_set(e, ERR_SPEC, "%s: two images are called %s", l->name, name);
	}
	strv_push(&l->images.v[image].names, name);
	return 0;
}

/* ---- layers ---- */

int load_check_layer(struct load *l, const struct descriptor *layer, const struct diffid *want, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	AUTO(sha_drop) struct sha sha = { 0 };
	if (digest_eq(&layer->digest, &want->d)) /* not compressed */
		return 0;
	AUTO(source_drop) struct source *in = NULL;
	if (layer_tar_open(l->store, layer, &fd, &in, e) < 0)
		return -1;
	sha_init(&sha);
	in = source_digest(ptr_take(&in), &sha, NULL);
	if (source_drain(in, e) < 0)
		return err_in(e, "%s", l->name);
	struct digest got = sha_end(&sha);
	if (digest_eq(&got, &want->d))
		return 0;
	return err_set(e, ERR_INTEGRITY, "%s: layer %s has the diffID %s, the config says %s", l->name,
		       digest_text(&layer->digest).s, digest_text(&got).s, digest_text(&want->d).s);
}

static int check_layers(struct load *l, const struct image *image, struct err *e)
{
	for (size_t i = 0; i < image->manifest.layers.n; i++)
		if (load_check_layer(l, &image->manifest.layers.v[i], &image->config.diff_ids.v[i], e) < 0)
			return -1;
	return 0;
}

/* ---- OCI layouts ---- */

/* Where an image of index.json is taken from: a directory, or an archive when there is one. */
struct layout_place {
	int dir;
	struct bundle *bundle;
};

/*
 * `docker save` writes index.json and manifest.json about the same images, and the full names only into the latter. Two
 * readers must not see two archives, so each image is to be in both.
 */
static int names_of_config(struct load *l, size_t image, const struct digest *config, const struct docker_images *list,
			   bool *used, struct err *e)
{
	AUTO(free_drop) char *path = x_asprintf("blobs/sha256/%s", digest_hex(config).s);
	bool found = false;
	for (size_t i = 0; i < list->n; i++) {
		if (!str_eq(list->v[i].config, path))
			continue;
		found = used[i] = true;
		for (size_t k = 0; k < list->v[i].names.n; k++)
			if (load_name(l, image, list->v[i].names.v[k], e) < 0)
				return -1;
	}
	return found ? 0 : err_set(e, ERR_SPEC, "%s: index.json and manifest.json are about different images", l->name);
}

static int take_entry(struct load *l, const struct layout_place *place, const struct index_entry *x,
		      const struct docker_images *list, bool *used, struct err *e)
{
	struct pulled got = { 0 };
	AUTO(image_fini) struct image image = { 0 };
	int r = place->bundle ? pull_bundle(place->bundle, &x->desc, &got, e)
			      : pull_layout(l->store, place->dir, l->name, NULL, &x->desc.digest, NULL, NULL, &got, e);
	if (r < 0)
		return -1;
	r = image_load(l->store, &got.manifest.digest, &image, e);
	pulled_fini(&got);
	if (r < 0 || check_layers(l, &image, e) < 0)
		return -1;
	size_t added = load_add(l, &image.desc.digest);
	if (list)
		return names_of_config(l, added, &image.manifest.config.digest, list, used, e);
	const char *name = x->full_name ? x->full_name : x->ref_name;
	return name ? load_name(l, added, name, e) : 0;
}

/* list: of manifest.json, or NULL */
static int load_layout(struct load *l, const struct layout_place *place, const struct str *text,
		       const struct docker_images *list, struct err *e)
{
	AUTO(index_fini) struct index index = { 0 };
	AUTO(free_drop) bool *used = x_alloc((list ? list->n : 0) + 1);
	AUTO(free_drop) char *what = x_asprintf("%s: index.json", l->name);
	if (index_parse(str_text(text), text->len, what, &index, e) < 0)
		return -1;
	for (size_t i = 0; i < index.manifests.n; i++)
		if (!index.manifests.v[i].attestation && take_entry(l, place, &index.manifests.v[i], list, used, e) < 0)
			return -1;
	for (size_t i = 0; list && i < list->n; i++)
		if (!used[i])
			return err_set(e, ERR_SPEC, "%s: manifest.json has the image %s, which index.json lacks",
				       l->name, list->v[i].config);
	return l->images.n ? 0 : err_set(e, ERR_NOTFOUND, "%s holds no image", l->name);
}

static int load_directory(struct load *l, int dir, struct err *e)
{
	struct layout_place place = { .dir = dir };
	AUTO(str_fini) struct str text = { 0 };
	if (file_read(dir, "index.json", LIMIT_MANIFEST, &text, e) < 0) {
		if (e->kind == ERR_SYS && e->sysno == ENOENT)
			return err_set(e, ERR_SPEC, "%s is no OCI layout: it has no index.json", l->name);
		return err_in(e, "%s", l->name);
	}
	return load_layout(l, &place, &text, NULL, e);
}

/* ---- archives ---- */

static int read_docker_list(struct load *l, struct bundle *b, const struct bundle_file *f, struct docker_images *ret,
			    struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(free_drop) char *what = x_asprintf("%s: manifest.json", l->name);
	if (bundle_text(b, f, LIMIT_MANIFEST, &text, e) < 0)
		return -1;
	return docker_archive_parse(str_text(&text), text.len, what, ret, e);
}

static int load_archive(struct load *l, int fd, struct err *e)
{
	AUTO(bundle_drop) struct bundle *b = NULL;
	AUTO(docker_images_fini) struct docker_images list = { 0 };
	AUTO(str_fini) struct str text = { 0 };
	if (bundle_read(l->store, fd, l->name, &b, e) < 0) {
		if (e->kind == ERR_SPEC)
			err_hint(e, "what `nacre save`, `docker save` or `podman save` writes is wanted");
		return -1;
	}
	const struct bundle_file *index = bundle_find(b, "index.json"), *docker = bundle_find(b, "manifest.json");
	if (docker && read_docker_list(l, b, docker, &list, e) < 0)
		return -1;
	if (index && !bundle_find(b, "oci-layout"))
		return err_set(e, ERR_SPEC, "%s has an index.json, but no oci-layout", l->name);
	if (index) {
		struct layout_place place = { .dir = -1, .bundle = b };
		if (bundle_text(b, index, LIMIT_MANIFEST, &text, e) < 0)
			return -1;
		return load_layout(l, &place, &text, docker ? &list : NULL, e);
	}
	if (docker)
		return load_docker(l, b, &list, e);
	if (bundle_is_empty(b))
		return err_set(e, ERR_SPEC, "%s is empty; an archive of images is wanted", l->name);
	return err_set(e, ERR_SPEC, "%s is no archive of images: it has neither index.json nor manifest.json", l->name);
}

/* ---- the worker ---- */

struct load_job {
	struct store *store;
	const char *path;
};

static int load_from(struct load *l, int fd, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "read %s", l->name);
	return S_ISDIR(st.st_mode) ? load_directory(l, fd, e) : load_archive(l, fd, e);
}

/* A line for each image: its digest and, behind a blank each, its names. */
static void report(const struct loaded_images *images, struct str *result)
{
	for (size_t i = 0; i < images->n; i++) {
		str_add(result, digest_text(&images->v[i].manifest).s);
		for (size_t k = 0; k < images->v[i].names.n; k++)
			str_addf(result, " %s", images->v[i].names.v[k]);
		str_addc(result, '\n');
	}
}

static int load_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct load_job *j = ctx;
	struct load l = { .store = j->store, .name = j->path ? j->path : "standard input" };
	AUTO(fd_drop) int opened = -1;
	(void)r;
	if (j->path && (opened = open(j->path, O_RDONLY | O_NOCTTY | O_CLOEXEC)) < 0) {
		bool missing = errno == ENOENT;
		err_sys(e, "open %s", j->path);
		e->kind = missing ? ERR_NOTFOUND : e->kind;
		return -1;
	}
	int rc = load_from(&l, opened >= 0 ? opened : STDIN_FILENO, e);
	if (rc == 0)
		report(&l.images, result);
	loaded_images_fini(&l.images);
	return rc;
}

static int parse_report(char *text, struct loaded_images *ret, struct err *e)
{
	char *lines, *words;
	for (char *line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		struct loaded_image *image = vec_add(ret);
		const char *word = strtok_r(line, " ", &words);
		if (!word || digest_parse(word, &image->manifest, e) < 0)
			return -1;
		while ((word = strtok_r(NULL, " ", &words)))
			strv_push(&image->names, word);
	}
	return 0;
}

int load_images(struct store *s, const char *path, struct loaded_images *ret, struct err *e)
{
	struct load_job j = { .store = s, .path = path };
	AUTO(str_fini) struct str result = { 0 };
	AUTO(loaded_images_fini) struct loaded_images images = { 0 };
	struct worker w;
	if (worker_start(&w, "nacre-load", load_work, &j, e) < 0 || worker_wait(&w, NULL, NULL, &result, e) < 0)
		return -1;
	AUTO(free_drop) char *text = str_take(&result);
	if (parse_report(text, &images, e) < 0)
		return -1;
	*ret = images;
	images = (struct loaded_images){ 0 };
	return 0;
}
