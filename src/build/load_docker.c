/* Docker's archives name files, not digests: those are taken while the archive is read. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "build/image.h"
#include "load_priv.h"
#include "oci/config.h"
#include "oci/media_type.h"
#include "store/blob.h"

static int find_file(struct load *l, struct bundle *b, const char *what, const char *path,
		     const struct bundle_file **ret, struct err *e)
{
	*ret = bundle_find(b, path);
	return *ret ? 0 : err_set(e, ERR_SPEC, "%s: the %s %s is missing", l->name, what, path);
}

/* A config has its digest for a name: HEX.json, or blobs/sha256/HEX. */
static int check_config_name(struct load *l, const struct bundle_file *f, const char *path, struct err *e)
{
	struct err ignored;
	struct digest named;
	const char *base = path_base(path);
	AUTO(free_drop) char *text = x_asprintf("sha256:%.*s", (int)strcspn(base, "."), base);
	if (digest_parse(text, &named, &ignored) < 0 || digest_eq(&named, &f->digest))
		return 0;
	return err_set(e, ERR_INTEGRITY, "%s: %s: its bytes have digest %s", l->name, path, digest_text(&f->digest).s);
}

static int read_config(struct load *l, struct bundle *b, const char *path, struct descriptor *ret,
		       struct image_config *config, struct err *e)
{
	const struct bundle_file *f;
	AUTO(str_fini) struct str text = { 0 };
	AUTO(free_drop) char *what = x_asprintf("%s: %s", l->name, path);
	if (find_file(l, b, "config", path, &f, e) < 0 || check_config_name(l, f, path, e) < 0 ||
	    bundle_text(b, f, LIMIT_CONFIG, &text, e) < 0 ||
	    config_parse(str_text(&text), text.len, what, config, e) < 0)
		return -1;
	*ret = (struct descriptor){ .media_type = (char *)MT_CONFIG, .digest = f->digest, .size = f->size };
	return bundle_publish(b, f, e);
}

/* By content: the archive does not say how a layer is compressed. RFC 1952 section 2.3.1; RFC 8878 section 3.1.1. */
static int blob_compression(struct store *s, const struct digest *d, enum compression *ret, struct err *e)
{
	unsigned char magic[4];
	AUTO(fd_drop) int fd = -1;
	if (blob_open(s, d, &fd, e) < 0)
		return -1;
	ssize_t n = pread(fd, magic, sizeof magic, 0);
	if (n < 0)
		return err_sys(e, "read blob %s", digest_text(d).s);
	*ret = COMPRESSION_NONE;
	if (n >= 2 && memcmp(magic, "\x1f\x8b", 2) == 0)
		*ret = COMPRESSION_GZIP;
	else if (n == 4 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
		*ret = COMPRESSION_ZSTD;
	return 0;
}

static int take_layer(struct load *l, struct bundle *b, const char *path, const struct diffid *want, struct layer *ret,
		      struct err *e)
{
	const struct bundle_file *f;
	enum compression how;
	if (find_file(l, b, "layer", path, &f, e) < 0 || bundle_publish(b, f, e) < 0 ||
	    blob_compression(l->store, &f->digest, &how, e) < 0)
		return -1;
	*ret = (struct layer){
		.diffid = *want,
		.blob = { .media_type = (char *)media_type_layer(how), .digest = f->digest, .size = f->size },
	};
	return load_check_layer(l, &ret->blob, want, e);
}

static int take_image(struct load *l, struct bundle *b, const struct docker_image *image, struct digest *ret,
		      struct err *e)
{
	AUTO(config_fini) struct image_config config = { 0 };
	AUTO(descriptor_fini) struct descriptor manifest = { 0 };
	struct descriptor config_blob;
	if (read_config(l, b, image->config, &config_blob, &config, e) < 0)
		return -1;
	if (config.diff_ids.n != image->layers.n)
		return err_set(e, ERR_SPEC, "%s: manifest.json has %zu layers, the config %s %zu", l->name,
			       image->layers.n, image->config, config.diff_ids.n);
	/* Their media types are constants. */
	AUTO(free_drop) struct layer *layers = x_alloc((image->layers.n + 1) * sizeof *layers);
	for (size_t i = 0; i < image->layers.n; i++)
		if (take_layer(l, b, image->layers.v[i], &config.diff_ids.v[i], &layers[i], e) < 0)
			return -1;
	if (image_write_manifest(l->store, &config_blob, layers, image->layers.n, &manifest, e) < 0)
		return -1;
	*ret = manifest.digest;
	return 0;
}

int load_docker(struct load *l, struct bundle *b, const struct docker_images *list, struct err *e)
{
	for (size_t i = 0; i < list->n; i++) {
		struct digest manifest;
		if (take_image(l, b, &list->v[i], &manifest, e) < 0)
			return -1;
		size_t image = load_add(l, &manifest);
		for (size_t k = 0; k < list->v[i].names.n; k++)
			if (load_name(l, image, list->v[i].names.v[k], e) < 0)
				return -1;
	}
	return 0;
}
