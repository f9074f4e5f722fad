#include "image_priv.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/config.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "document_priv.h"
#include "store/blob.h"

int bytes_verify(const struct str *bytes, const struct digest *digest, uint64_t size, const char *name, struct err *e)
{
	struct digest got = digest_of(str_text(bytes), bytes->len);
	if (!digest_eq(&got, digest))
		return err_set(e, ERR_INTEGRITY, "%s: the document that came has digest %s, not %s", name,
			       digest_text(&got).s, digest_text(digest).s);
	if (size && bytes->len != size)
		return err_set(e, ERR_INTEGRITY, "%s: %s has %zu bytes, its descriptor says %llu", name,
			       digest_text(digest).s, bytes->len, (unsigned long long)size);
	return 0;
}

/* ---- indexes ---- */

static char *list_platforms(const struct index *x)
{
	struct str out = { 0 };
	for (size_t i = 0; i < x->manifests.n; i++) {
		if (x->manifests.v[i].attestation || out.len > 200)
			continue;
		AUTO(free_drop) char *text = platform_text(&x->manifests.v[i].platform);
		str_addf(&out, "%s%s", out.len ? ", " : "", text[0] ? text : "unnamed");
	}
	return str_take(&out);
}

static int choose(const struct index *x, const struct platform *want, const char *name, const struct index_entry **ret,
		  struct err *e)
{
	struct platform host;
	platform_host(&host);
	*ret = index_select(x, want ? want : &host);
	if (!*ret && !want)
		*ret = index_only(x); /* FROM-07 */
	if (*ret)
		return 0;
	AUTO(free_drop) char *wanted = platform_text(want ? want : &host);
	AUTO(free_drop) char *there = list_platforms(x);
	return err_set(e, ERR_NOTFOUND, "%s: there is no image for %s; there is %s", name, wanted,
		       there[0] ? there : "none at all");
}

struct document {
	struct str bytes;
	char *type;           /* owned */
	struct digest digest;
};

static void document_fini(struct document *d)
{
	str_fini(&d->bytes);
	free(d->type);
	*d = (struct document){ 0 };
}

/* The document of a descriptor: from the store when it is there. */
static int load(struct image_source *src, const struct descriptor *d, struct document *ret, struct err *e)
{
	AUTO(document_fini) struct document doc = { .digest = d->digest };
	AUTO(free_drop) char *sent_type = NULL;
	if (d->size > LIMIT_MANIFEST)
		return err_set(e, ERR_LIMIT, "%s: manifest %s has %llu bytes, the limit is %u", src->name,
			       digest_text(&d->digest).s, (unsigned long long)d->size, LIMIT_MANIFEST);
	bool here = blob_exists(src->store, &d->digest, NULL);
	if (here && blob_read(src->store, &d->digest, LIMIT_MANIFEST, &doc.bytes, e) < 0)
		return -1;
	if (!here && src->document(src, d, &doc.bytes, &sent_type, e) < 0)
		return -1;
	if (bytes_verify(&doc.bytes, &d->digest, d->size, src->name, e) < 0)
		return -1;
	if (document_type(str_text(&doc.bytes), doc.bytes.len, sent_type, d->media_type, src->name, &doc.type, e) < 0)
		return -1;
	*ret = doc;
	doc = (struct document){ 0 };
	return 0;
}

/* Replaces *doc, an index, by the document of its entry for the platform. */
static int descend(struct image_source *src, struct document *doc, const struct platform *want, struct err *e)
{
	AUTO(index_fini) struct index x = { 0 };
	const struct index_entry *entry;
	struct document next;
	struct digest ignored;
	if (index_parse(str_text(&doc->bytes), doc->bytes.len, src->name, &x, e) < 0 ||
	    choose(&x, want, src->name, &entry, e) < 0 || load(src, &entry->desc, &next, e) < 0)
		return -1;
	/* Kept, so that the same pinned digest needs no registry next time. */
	int r = blob_put(src->store, str_text(&doc->bytes), doc->bytes.len, &ignored, e);
	document_fini(doc);
	*doc = next;
	return r;
}

/* ---- the image ---- */

/* What stands beside images in an index has documents for layers. */
enum manifest_kind { KIND_IMAGE, KIND_ATTESTATION };

static int check_manifest(const struct manifest *m, enum manifest_kind kind, bool want_layers, const char *name,
			  struct err *e)
{
	const char *type = m->config.media_type;
	if (!str_eq(type, MT_CONFIG) && !str_eq(type, MT_DOCKER_CONFIG))
		return err_set(e, ERR_SPEC, "%s is not a container image: its config is of type %.80s", name,
			       type ? type : "(none)");
	if (m->config.size > LIMIT_CONFIG)
		return err_set(e, ERR_LIMIT, "%s: the config has %llu bytes, the limit is %u", name,
			       (unsigned long long)m->config.size, LIMIT_CONFIG);
	for (size_t i = 0; i < m->layers.n; i++) {
		const struct descriptor *d = &m->layers.v[i];
		if (kind == KIND_IMAGE && !media_type_is_layer(d->media_type))
			return err_set(e, ERR_SPEC, "%s: layer %zu is of type %.80s, which can not be unpacked", name,
				       i + 1, d->media_type ? d->media_type : "(none)");
		if (want_layers && d->size > LIMIT_LAYER_BYTES)
			return err_set(e, ERR_LIMIT, "%s: layer %zu has %llu bytes, the limit is %llu", name, i + 1,
				       (unsigned long long)d->size, LIMIT_LAYER_BYTES);
	}
	return 0;
}

/* The image's own platform; one that does not say is for what was asked. */
static int check_platform(const struct image_config *c, const struct platform *want, bool chosen, const char *name,
			  struct platform *ret, struct err *e)
{
	struct platform host;
	platform_host(&host);
	*ret = c->platform.os[0] && c->platform.arch[0] ? c->platform : want ? *want : host;
	if (chosen || !want || platform_match(want, ret) > 0)
		return 0;
	AUTO(free_drop) char *wanted = platform_text(want);
	AUTO(free_drop) char *there = platform_text(ret);
	return err_set(e, ERR_NOTFOUND, "%s: there is no image for %s; there is %s", name, wanted, there);
}

static int take_config(struct image_source *src, const struct manifest *m, const struct platform *want, bool chosen,
		       struct platform *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(config_fini) struct image_config config = { 0 };
	if (src->blobs(src, "config", &m->config, 1, e) < 0 ||
	    blob_read(src->store, &m->config.digest, LIMIT_CONFIG, &text, e) < 0 ||
	    config_parse(str_text(&text), text.len, src->name, &config, e) < 0)
		return -1;
	if (config.diff_ids.n != m->layers.n)
		return err_set(e, ERR_SPEC, "%s: the manifest has %zu layers, the config %zu", src->name, m->layers.n,
			       config.diff_ids.n);
	return check_platform(&config, want, chosen, src->name, ret, e);
}

/* Tells what is going to be written, before it is. */
static void announce(const struct image_source *src, const struct manifest *m)
{
	uint64_t size, coming = 0;
	if (!src->progress || !src->progress->coming)
		return;
	for (size_t i = 0; i < m->layers.n; i++)
		if (!blob_exists(src->store, &m->layers.v[i].digest, &size))
			coming += m->layers.v[i].size;
	src->progress->coming(src->progress->ctx, coming);
}

static int take_manifest(struct image_source *src, const struct document *doc, enum manifest_kind kind,
			 const struct platform *want, bool chosen, bool want_layers, struct pulled *ret, struct err *e)
{
	AUTO(manifest_fini) struct manifest m = { 0 };
	struct digest stored;
	if (manifest_parse(str_text(&doc->bytes), doc->bytes.len, doc->type, src->name, &m, e) < 0 ||
	    check_manifest(&m, kind, want_layers, src->name, e) < 0 ||
	    take_config(src, &m, want, chosen, &ret->platform, e) < 0)
		return -1;
	if (want_layers)
		announce(src, &m);
	if (want_layers && src->blobs(src, "layer", m.layers.v, m.layers.n, e) < 0)
		return -1;
	/* Last, so that a manifest in the store has its config, and after a whole pull its layers. */
	if (blob_put(src->store, str_text(&doc->bytes), doc->bytes.len, &stored, e) < 0)
		return -1;
	ret->manifest = (struct descriptor){ x_strdup(doc->type), stored, doc->bytes.len };
	return 0;
}

int image_take(struct image_source *src, const struct str *bytes, const char *type, const struct digest *digest,
	       const struct platform *want, bool want_layers, struct pulled *ret, struct err *e)
{
	AUTO(document_fini) struct document doc = { .type = x_strdup(type), .digest = *digest };
	struct pulled p = { .index = *digest };
	unsigned depth = 0;
	str_addn(&doc.bytes, str_text(bytes), bytes->len);
	for (; media_type_is_index(doc.type); depth++) {
		if (depth == LIMIT_INDEX_DEPTH)
			return err_set(e, ERR_LIMIT, "%s: more than %u indexes lead to the image", src->name,
				       LIMIT_INDEX_DEPTH);
		if (descend(src, &doc, want, e) < 0)
			return -1;
	}
	if (take_manifest(src, &doc, KIND_IMAGE, want, depth > 0, want_layers, &p, e) < 0)
		return -1;
	*ret = p;
	return 0;
}

static int take_entry(struct image_source *src, const struct index_entry *entry, struct err *e)
{
	AUTO(document_fini) struct document doc = { 0 };
	AUTO(pulled_fini) struct pulled p = { 0 };
	enum manifest_kind kind = entry->attestation ? KIND_ATTESTATION : KIND_IMAGE;
	if (load(src, &entry->desc, &doc, e) < 0)
		return -1;
	if (media_type_is_index(doc.type))
		return err_set(e, ERR_SPEC, "%s: an index of indexes cannot be taken as a whole; choose a platform", src->name);
	return take_manifest(src, &doc, kind, NULL, true, true, &p, e);
}

int image_take_all(struct image_source *src, const struct str *bytes, const char *type, const struct digest *digest,
		   struct err *e)
{
	AUTO(index_fini) struct index x = { 0 };
	AUTO(pulled_fini) struct pulled p = { 0 };
	struct digest ignored;
	if (!media_type_is_index(type))
		return image_take(src, bytes, type, digest, NULL, true, &p, e);
	if (index_parse(str_text(bytes), bytes->len, src->name, &x, e) < 0)
		return -1;
	for (size_t i = 0; i < x.manifests.n; i++)
		if (take_entry(src, &x.manifests.v[i], e) < 0)
			return -1;
	/* Last, so that an index that was taken as a whole is one. */
	return blob_put(src->store, str_text(bytes), bytes->len, &ignored, e);
}

void pulled_fini(struct pulled *p)
{
	descriptor_fini(&p->manifest);
	*p = (struct pulled){ 0 };
}
