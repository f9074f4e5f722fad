/*
 * An archive as `docker load` and `podman load` take it:
 *
 *   manifest.json  CONFIGHEX.json …  DIFFHEX.tar …
 *
 * Layers are not compressed: docker knows gzip, not every version knows zstd, and so their names are their digests. A
 * tar tells a member's size before its bytes, so each layer is decompressed twice: to measure it, and to write it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "registry/reference.h"
#include "oci/layer_tar.h"
#include "save_priv.h"
#include "store/blob.h"

/* Docker's names always have a tag, and none has a digest. */
static int put_names(struct json_out *o, const struct save_images *images, const struct digest *manifest, struct err *e)
{
	for (size_t i = 0; i < images->n; i++) {
		AUTO(reference_fini) struct reference r = { 0 };
		if (!images->v[i].name || !digest_eq(&images->v[i].set.members.v[0].image.desc.digest, manifest))
			continue;
		if (reference_parse(images->v[i].name, &r, e) < 0)
			return -1;
		if (r.has_digest)
			continue;
		AUTO(free_drop) char *name = reference_familiar(&r);
		json_put_str(o, name);
	}
	return 0;
}

static int put_entry(struct json_out *o, const struct save_images *images, const struct image *image, struct err *e)
{
	AUTO(free_drop) char *config = x_asprintf("%s.json", digest_hex(&image->manifest.config.digest).s);
	json_begin(o, '{');
	json_kv_str(o, "Config", config);
	json_put_key(o, "RepoTags");
	json_begin(o, '[');
	if (put_names(o, images, &image->desc.digest, e) < 0)
		return -1;
	json_end(o, ']');
	json_put_key(o, "Layers");
	json_begin(o, '[');
	for (size_t i = 0; i < image->config.diff_ids.n; i++) {
		AUTO(free_drop) char *path = x_asprintf("%s.tar", digest_hex(&image->config.diff_ids.v[i].d).s);
		json_put_str(o, path);
	}
	json_end(o, ']');
	json_end(o, '}');
	return 0;
}

/* An image that has several names stands there once. */
static int put_list(const struct save_images *images, struct sink *out, struct err *e)
{
	struct digests there = { 0 };
	struct json_out o;
	int r = 0;
	json_out_init(&o);
	json_begin(&o, '[');
	for (size_t i = 0; i < images->n && r == 0; i++)
		if (digests_add(&there, &images->v[i].set.members.v[0].image.desc.digest))
			r = put_entry(&o, images, &images->v[i].set.members.v[0].image, e);
	vec_fini(&there);
	if (r < 0) {
		json_out_drop(&o);
		return -1;
	}
	json_end(&o, ']');
	AUTO(free_drop) char *text = json_out_take(&o);
	return save_text(out, "manifest.json", text, e);
}

static int measure(struct store *s, const struct descriptor *d, uint64_t *ret, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	AUTO(source_drop) struct source *in = NULL;
	AUTO(free_drop) char *buf = x_alloc(128 << 10);
	uint64_t size = 0;
	ssize_t n;
	if (layer_tar_open(s, d, &fd, &in, e) < 0)
		return -1;
	while ((n = source_read(in, buf, 128 << 10, e)) > 0)
		size += (uint64_t)n;
	*ret = size;
	return n < 0 ? -1 : 0;
}

static int put_layer(struct store *s, struct sink *out, const struct descriptor *d, const struct diffid *diffid,
		     struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	AUTO(source_drop) struct source *in = NULL;
	AUTO(free_drop) char *path = x_asprintf("%s.tar", digest_hex(&diffid->d).s);
	uint64_t size;
	if (measure(s, d, &size, e) < 0 || layer_tar_open(s, d, &fd, &in, e) < 0)
		return -1;
	return save_source(out, path, in, size, &diffid->d, e);
}

static int put_image(struct store *s, struct sink *out, const struct image *i, struct digests *there, struct err *e)
{
	AUTO(free_drop) char *config = x_asprintf("%s.json", digest_hex(&i->manifest.config.digest).s);
	if (digests_add(there, &i->manifest.config.digest) && save_blob(s, out, config, &i->manifest.config, e) < 0)
		return -1;
	for (size_t k = 0; k < i->manifest.layers.n; k++)
		if (digests_add(there, &i->config.diff_ids.v[k].d) &&
		    put_layer(s, out, &i->manifest.layers.v[k], &i->config.diff_ids.v[k], e) < 0)
			return -1;
	return 0;
}

int save_docker(struct store *s, const struct save_images *images, struct sink *out, struct err *e)
{
	struct digests there = { 0 };
	int r = put_list(images, out, e);
	for (size_t i = 0; i < images->n && r == 0; i++)
		r = put_image(s, out, &images->v[i].set.members.v[0].image, &there, e);
	vec_fini(&there);
	return r;
}
