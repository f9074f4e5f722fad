#include "output_form_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "build/image_set.h"
#include "oci/index.h"
#include "oci/media_type.h"
#include "store/blob.h"

bool output_form_is_plain(const struct output_form *f)
{
	return !f->squash && !f->compressed && !f->docker_types && !f->clamped && !annotations_have(&f->annotations, ON_MANIFEST) &&
	       !annotations_have(&f->annotations, ON_INDEX) && !annotations_have(&f->annotations, ON_MANIFEST_DESCRIPTOR);
}

/* ---- layers ---- */

/* A layer that is to be fetched elsewhere has no bytes of ours. */
static bool compression_of(const char *media_type, enum compression *ret)
{
	static const enum compression all[] = { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_eq(media_type_oci(media_type), media_type_layer(all[i]))) {
			*ret = all[i];
			return true;
		}
	return false;
}

static void replace(struct layer *layer, const struct layer *made)
{
	descriptor_fini(&layer->blob);
	*layer = *made;
}

/* *layer becomes what the form wants of it; its media type is owned. */
static int form_layer(struct store *s, const struct output_form *f, bool own, const int64_t *epoch, struct layer *layer,
		      struct strv *annotations, struct err *e)
{
	struct layer_format want = f->format;
	const int64_t *latest = f->clamped && own ? epoch : NULL;
	struct layer made;
	enum compression is;
	if (!compression_of(layer->blob.media_type, &is))
		return 0;
	if (!f->compressed || (!own && !f->all))
		want = (struct layer_format){ .how = is };
	bool lazy = f->lazy && (own || f->all);
	if ((want.how != is && !lazy) || latest) {
		if (layer_recode(s, layer, &want, latest, &made, e) < 0)
			return -1;
		replace(layer, &made);
	}
	if (!lazy)
		return 0;
	if (layer_make_lazy(s, layer, f, &made, annotations, e) < 0)
		return -1;
	replace(layer, &made);
	return 0;
}

/* ---- documents ---- */

static int put_config(struct store *s, const struct image *image, const struct layer *layers, struct descriptor *ret,
		      struct err *e)
{
	struct image_config config = { 0 };
	config_copy(&config, &image->config);
	for (size_t i = 0; i < config.diff_ids.n; i++)
		config.diff_ids.v[i] = layers[i].diffid;
	AUTO(free_drop) char *text = config_write(&config);
	config_fini(&config);
	*ret = (struct descriptor){ .media_type = (char *)MT_CONFIG, .size = strlen(text) };
	return blob_put(s, text, ret->size, &ret->digest, e);
}

static int put_manifest(struct store *s, const struct output_form *f, const struct manifest *m, struct descriptor *ret,
			struct err *e)
{
	AUTO(free_drop) char *text = f->docker_types ? manifest_write_docker(m) : manifest_write(m);
	*ret = (struct descriptor){ .size = strlen(text) };
	if (blob_put(s, text, ret->size, &ret->digest, e) < 0)
		return -1;
	ret->media_type = x_strdup(f->docker_types ? MT_DOCKER_MANIFEST : MT_MANIFEST);
	return 0;
}

static bool same_diffs(const struct image *image, const struct layer *layers)
{
	for (size_t i = 0; i < image->config.diff_ids.n; i++)
		if (!digest_eq(&image->config.diff_ids.v[i].d, &layers[i].diffid.d))
			return false;
	return true;
}

/* notes: annotations of each layer, which become the manifest's. */
static int form_documents(struct store *s, const struct output_form *f, const struct image_member *in,
			  const struct layer *layers, struct strv *notes, struct descriptor *ret, struct err *e)
{
	const struct image *image = &in->image;
	AUTO(manifest_fini) struct manifest m = { .media_type = x_strdup(MT_MANIFEST) };
	struct descriptor config = image->manifest.config;
	if (!same_diffs(image, layers) && put_config(s, image, layers, &config, e) < 0)
		return -1;
	m.config = config;
	m.config.media_type = x_strdup(config.media_type);
	for (size_t i = 0; i < image->manifest.layers.n; i++) {
		struct descriptor *d = vec_add(&m.layers);
		*d = layers[i].blob;
		d->media_type = x_strdup(layers[i].blob.media_type);
		vec_push(&m.layer_annotations, notes[i]);
		notes[i] = (struct strv){ 0 };
	}
	if (image->manifest.annotations.type == JSON_OBJECT)
		json_copy(&m.annotations, &image->manifest.annotations);
	annotations_put(&f->annotations, ON_MANIFEST, &in->platform, &m.annotations);
	return put_manifest(s, f, &m, ret, e);
}

static int form_member(struct store *s, const struct output_form *f, const struct image_member *in, size_t n_base,
		       const int64_t *epoch, struct descriptor *ret, struct err *e)
{
	size_t n = in->image.manifest.layers.n;
	AUTO(free_drop) struct layer *layers = x_alloc((n + 1) * sizeof *layers);
	AUTO(free_drop) struct strv *notes = x_alloc((n + 1) * sizeof *notes);
	int r = 0;
	for (size_t i = 0; i < n; i++) {
		layers[i].diffid = in->image.config.diff_ids.v[i];
		layers[i].blob = in->image.manifest.layers.v[i];
		layers[i].blob.media_type = x_strdup(layers[i].blob.media_type);
	}
	for (size_t i = 0; i < n && r == 0; i++)
		r = form_layer(s, f, i >= n_base, epoch, &layers[i], &notes[i], e);
	if (r == 0)
		r = form_documents(s, f, in, layers, notes, ret, e);
	for (size_t i = 0; i < n; i++) {
		descriptor_fini(&layers[i].blob);
		strv_fini(&notes[i]);
	}
	return r;
}

/* *ret: the image with each range as one layer; the descriptor of `in` where none has two. */
static int squash_member(struct store *s, const struct output_form *f, const struct image_member *in,
			 const struct layer_ranges *ranges, struct descriptor *ret, struct err *e)
{
	AUTO(image_fini) struct image squashed = { 0 };
	const struct image *image = &in->image;
	*ret = in->image.desc;
	ret->media_type = x_strdup(ret->media_type);
	for (size_t i = 0; i < ranges->n; i++) {
		struct descriptor d;
		if (ranges->v[i].to < ranges->v[i].from + 2)
			continue;
		if (squash_image(s, image, &ranges->v[i], &f->format, &d, e) < 0) {
			descriptor_fini(ret);
			return -1;
		}
		descriptor_fini(ret);
		*ret = d;
		image_fini(&squashed);
		squashed = (struct image){ 0 };
		if (image_load(s, &d.digest, &squashed, e) < 0) {
			descriptor_fini(ret);
			return -1;
		}
		image = &squashed;
	}
	return 0;
}

static int make_member(struct store *s, const struct output_form *f, const struct output_source *from, size_t platform,
		       const struct image_member *in, struct descriptor *ret, struct err *e)
{
	if (f->squash)
		return squash_member(s, f, in, &from->squash[platform], ret, e);
	return form_member(s, f, in, from->n_base[platform], from->epoch, ret, e);
}

static int form_index(struct store *s, const struct output_form *f, const struct output_source *from,
		      const struct image_set *set, struct descriptor *ret, struct err *e)
{
	AUTO(index_fini) struct index x = { 0 };
	for (size_t i = 0; i < set->members.n; i++) {
		struct index_entry *entry = vec_add(&x.manifests);
		entry->platform = set->members.v[i].platform;
		if (make_member(s, f, from, i, &set->members.v[i], &entry->desc, e) < 0)
			return -1;
		annotations_put(&f->annotations, ON_MANIFEST_DESCRIPTOR, &entry->platform, &entry->annotations);
	}
	annotations_put(&f->annotations, ON_INDEX, NULL, &x.annotations);
	return image_write_index(s, &x, ret, e);
}

static int make(struct store *s, const struct output_form *f, const struct output_source *from,
		     struct descriptor *ret, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { 0 };
	if (image_set_load(s, &from->image.digest, &set, e) < 0)
		return -1;
	if (set.is_index)
		return form_index(s, f, from, &set, ret, e);
	return make_member(s, f, from, 0, &set.members.v[0], ret, e);
}

/* ---- in a worker ---- */

struct form_job {
	struct store *store;
	const struct output_form *form;
	const struct output_source *from;
};

/* "MEDIATYPE DIGEST SIZE" */
static int form_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	const struct form_job *j = ctx;
	struct descriptor d;
	(void)r;
	if (make(j->store, j->form, j->from, &d, e) < 0)
		return -1;
	str_addf(result, "%s %s %llu", d.media_type, digest_text(&d.digest).s, (unsigned long long)d.size);
	descriptor_fini(&d);
	return 0;
}

static int parse_result(const struct str *text, struct descriptor *ret, struct err *e)
{
	char media_type[128], digest[80];
	unsigned long long size;
	if (sscanf(str_text(text), "%127s %79s %llu", media_type, digest, &size) != 3)
		return err_set(e, ERR_SYS, "a worker sent a broken image report");
	*ret = (struct descriptor){ .size = size };
	if (digest_parse(digest, &ret->digest, e) < 0)
		return -1;
	ret->media_type = x_strdup(media_type);
	return 0;
}

int output_form_run(struct store *s, const struct output_form *f, const struct output_source *from,
		    struct descriptor *ret, struct err *e)
{
	struct form_job j = { .store = s, .form = f, .from = from };
	AUTO(str_fini) struct str result = { 0 };
	struct worker w;
	if (worker_start(&w, "nacre-form", form_work, &j, e) < 0 || worker_wait(&w, NULL, NULL, &result, e) < 0)
		return -1;
	return parse_result(&result, ret, e);
}
