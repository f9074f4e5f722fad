#include "registry/push.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "registry/repository.h"
#include "document_priv.h"
#include "referrers_priv.h"
#include "registries_priv.h"
#include "store/blob.h"

/* A manifest or index to be sent. */
struct sheet {
	struct digest digest;
	char *type;     /* owned */
	unsigned depth; /* how many indexes lead to it */
};

struct push {
	struct store *store;            /* borrowed */
	char *name;                     /* of the destination, for messages; owned */
	VEC(struct sheet) sheets;       /* an index stands before what it lists */
	VEC(struct descriptor) blobs;   /* of all manifests */
};

static void push_fini(struct push *p)
{
	for (size_t i = 0; i < p->sheets.n; i++)
		free(p->sheets.v[i].type);
	for (size_t i = 0; i < p->blobs.n; i++)
		descriptor_fini(&p->blobs.v[i]);
	vec_fini(&p->sheets);
	vec_fini(&p->blobs);
	free(p->name);
}

/* ---- what belongs to it ---- */

static int add_sheet(struct push *p, const struct digest *d, unsigned depth, struct err *e)
{
	for (size_t i = 0; i < p->sheets.n; i++)
		if (digest_eq(&p->sheets.v[i].digest, d))
			return 0;
	if (depth > LIMIT_INDEX_DEPTH)
		return err_set(e, ERR_LIMIT, "%s: more than %u indexes lead to an image", p->name, LIMIT_INDEX_DEPTH);
	if (p->sheets.n >= LIMIT_INDEX_ENTRIES)
		return err_set(e, ERR_LIMIT, "%s: more than %u manifests", p->name, LIMIT_INDEX_ENTRIES);
	vec_push(&p->sheets, ((struct sheet){ .digest = *d, .depth = depth }));
	return 0;
}

static int add_index(struct push *p, const struct str *text, unsigned depth, struct err *e)
{
	AUTO(index_fini) struct index x = { 0 };
	if (index_parse(str_text(text), text->len, p->name, &x, e) < 0)
		return -1;
	for (size_t i = 0; i < x.manifests.n; i++)
		if (add_sheet(p, &x.manifests.v[i].desc.digest, depth + 1, e) < 0)
			return -1;
	return 0;
}

static void copy_descriptor(struct descriptor *to, const struct descriptor *from)
{
	*to = (struct descriptor){ x_strdup(from->media_type ? from->media_type : ""), from->digest, from->size };
}

static int add_manifest(struct push *p, const struct str *text, const char *type, struct err *e)
{
	AUTO(manifest_fini) struct manifest m = { 0 };
	if (manifest_parse(str_text(text), text->len, type, p->name, &m, e) < 0)
		return -1;
	for (size_t i = 0; i < m.layers.n; i++)
		copy_descriptor(vec_add(&p->blobs), &m.layers.v[i]);
	copy_descriptor(vec_add(&p->blobs), &m.config);
	return 0;
}

static int read_sheet(struct push *p, const struct digest *d, struct str *out, struct err *e)
{
	if (blob_read(p->store, d, LIMIT_MANIFEST, out, e) < 0)
		return err_in(e, "%s: manifest %s", p->name, digest_text(d).s);
	return 0;
}

/* Grows the list while it walks along it. */
static int gather(struct push *p, const struct digest *document, struct err *e)
{
	if (add_sheet(p, document, 0, e) < 0)
		return -1;
	for (size_t i = 0; i < p->sheets.n; i++) {
		AUTO(str_fini) struct str text = { 0 };
		struct sheet s = p->sheets.v[i];
		if (read_sheet(p, &s.digest, &text, e) < 0 ||
		    document_type(str_text(&text), text.len, NULL, NULL, p->name, &p->sheets.v[i].type, e) < 0)
			return -1;
		const char *type = p->sheets.v[i].type;
		if (media_type_is_index(type) ? add_index(p, &text, s.depth, e) < 0 : add_manifest(p, &text, type, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- sending ---- */

static int send_sheet(struct push *p, struct repository *r, const struct sheet *s, const char *tag, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	if (read_sheet(p, &s->digest, &text, e) < 0 || repository_put(r, tag, s->type, str_text(&text), text.len, e) < 0)
		return -1;
	const struct descriptor d = { .media_type = s->type, .digest = s->digest, .size = text.len };
	return referrers_add(r, &d, str_text(&text), p->name, e);
}

/* Backwards: an index comes after what it lists, and the first document, under its tag, last. */
static int send_sheets(struct push *p, struct repository *r, const char *tag, struct err *e)
{
	for (size_t i = p->sheets.n; i-- > 0;)
		if (send_sheet(p, r, &p->sheets.v[i], i == 0 ? tag : NULL, e) < 0)
			return -1;
	return 0;
}

int push_image(struct store *s, const struct digest *document, const struct reference *to,
	       const struct pull_progress *progress, struct err *e)
{
	AUTO(push_fini) struct push p = { .store = s, .name = reference_text(to) };
	AUTO(repository_drop) struct repository *r = NULL;
	bool insecure = false;
	if (gather(&p, document, e) < 0 || registries_destination(to, &insecure, e) < 0)
		return -1;
	if (insecure)
		registries_trust(to->registry);
	if (repository_open(to, true, progress, &r, e) < 0 ||
	    repository_send(r, s, "blob", p.blobs.v, p.blobs.n, e) < 0)
		return -1;
	return send_sheets(&p, r, to->tag, e);
}
