#include "registry/pull.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/media_type.h"
#include "document_priv.h"
#include "download_priv.h"
#include "image_priv.h"
#include "session_priv.h"
#include "transfer_priv.h"
#include "transport_priv.h"
#include "store/blob.h"

#define ACCEPT "Accept: " MT_INDEX ", " MT_MANIFEST ", " MT_DOCKER_LIST ", " MT_DOCKER_MANIFEST

struct pull {
	struct image_source source;            /* first: image.c hands it back to us */
	const struct reference *ref;           /* borrowed, like progress */
	const struct pull_progress *progress;
	struct session session;
	struct transport *transport;           /* NULL until something must be fetched; owned */
};

static void pull_fini(struct pull *p)
{
	transport_free(p->transport);
	if (p->transport)
		session_fini(&p->session);
}

/* An image that is pinned by digest and already here needs no registry at all. */
static int connect_registry(struct pull *p, struct err *e)
{
	if (p->transport)
		return 0;
	if (session_open(p->ref, p->progress, &p->session, e) < 0)
		return -1;
	if (transport_new(&p->transport, e) < 0) {
		session_fini(&p->session);
		return -1;
	}
	return 0;
}

/* ---- documents ---- */

struct document_answer {
	struct str *bytes;
	char *type;
};

static int on_begin(void *ctx, const struct http_answer *a, uint64_t offset, struct err *e)
{
	struct document_answer *d = ctx;
	d->bytes->len = (size_t)offset;
	if (offset == 0) {
		free(d->type);
		d->type = a->content_type ? x_strdup(a->content_type) : NULL;
	}
	return 0;
}

static int on_body(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct document_answer *d = ctx;
	str_addn(d->bytes, bytes, n);
	return 0;
}

static void no_such_document(const struct pull *p, const char *version, struct err *e)
{
	err_set(e, ERR_NOTFOUND, "%s: registry %s has no %s %s in repository %s", p->source.name, p->ref->registry,
		digest_is_valid(version) ? "manifest" : "tag", version, p->ref->repository);
}

/* GET of /v2/REPOSITORY/manifests/VERSION; size 0 is not known. */
static int get_document(struct pull *p, const char *version, uint64_t size, struct str *out, char **ret_type,
			struct err *e)
{
	if (connect_registry(p, e) < 0)
		return -1;
	AUTO(transfer_fini) struct transfer t = { .session = &p->session, .begin = on_begin, .body = on_body };
	struct document_answer answer = { .bytes = out };
	t.name = x_strdup(p->source.name);
	t.ctx = &answer;
	t.has_size = size != 0;
	t.size = size ? size : LIMIT_MANIFEST;
	url_copy(&t.url, &p->session.base);
	free(t.url.target);
	t.url.target = x_asprintf("/v2/%s/manifests/%s", p->ref->repository, version);
	strv_push(&t.headers, ACCEPT);
	int r = transfer_run(p->transport, &t, 1, 1, p->progress, e);
	if (r < 0 && t.status == 404 && !t.left_origin)
		no_such_document(p, version, e);
	if (r < 0)
		free(answer.type);
	else
		*ret_type = answer.type;
	return r;
}

static int source_document(struct image_source *src, const struct descriptor *d, struct str *out, char **ret_type,
			   struct err *e)
{
	return get_document((struct pull *)src, digest_text(&d->digest).s, d->size, out, ret_type, e);
}

static int all_here(struct store *s, const struct descriptor *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t size;
		if (!blob_exists(s, &list[i].digest, &size) || size != list[i].size)
			return false;
	}
	return true;
}

static int source_blobs(struct image_source *src, const char *what, const struct descriptor *list, size_t n,
			struct err *e)
{
	struct pull *p = (struct pull *)src;
	if (all_here(src->store, list, n))
		return 0;
	if (connect_registry(p, e) < 0)
		return -1;
	return download_blobs(src->store, &p->session, p->transport, what, list, n, p->progress, e);
}

/* ---- the whole ---- */

/* The document the reference stands for. Asked for by digest, it is verified here, wherever it came from (T-H10). */
static int first_document(struct pull *p, struct str *out, char **ret_type, struct digest *ret, struct err *e)
{
	const struct reference *r = p->ref;
	AUTO(free_drop) char *sent_type = NULL;
	bool here = r->has_digest && blob_exists(p->source.store, &r->digest, NULL);
	if (here && blob_read(p->source.store, &r->digest, LIMIT_MANIFEST, out, e) < 0)
		return -1;
	if (!here && get_document(p, r->has_digest ? digest_text(&r->digest).s : r->tag, 0, out, &sent_type, e) < 0)
		return -1;
	if (r->has_digest && bytes_verify(out, &r->digest, 0, p->source.name, e) < 0)
		return -1;
	*ret = digest_of(str_text(out), out->len);
	return document_type(str_text(out), out->len, sent_type, NULL, p->source.name, ret_type, e);
}

int pull_image(struct store *s, const struct reference *r, const struct platform *want, bool want_layers,
	       const struct pull_progress *progress, struct pulled *ret, struct err *e)
{
	AUTO(free_drop) char *name = reference_text(r);
	AUTO(str_fini) struct str bytes = { 0 };
	AUTO(free_drop) char *type = NULL;
	struct digest digest;
	AUTO(pull_fini) struct pull p = {
		.source = { .name = name, .store = s, .progress = progress, .document = source_document,
			    .blobs = source_blobs },
		.ref = r,
		.progress = progress,
	};
	if (first_document(&p, &bytes, &type, &digest, e) < 0)
		return -1;
	return image_take(&p.source, &bytes, type, &digest, want, want_layers, ret, e);
}
