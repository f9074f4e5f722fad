#include "registry/pull.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "registry/repository.h"
#include "document_priv.h"
#include "image_priv.h"
#include "registries_priv.h"
#include "store/blob.h"

struct pull {
	struct image_source source;            /* first: image.c hands it back to us */
	const struct reference *ref;           /* borrowed, like progress */
	const struct pull_progress *progress;
	struct repository *repository;         /* NULL until something must be fetched; owned */
};

static void pull_fini(struct pull *p)
{
	repository_free(p->repository);
}

/* An image that is pinned by digest and already here needs no registry at all. */
static int connect_registry(struct pull *p, struct err *e)
{
	return p->repository ? 0 : repository_open(p->ref, false, p->progress, &p->repository, e);
}

/* ---- documents ---- */

/* size 0 is not known. */
static int get_document(struct pull *p, const char *version, uint64_t size, struct str *out, char **ret_type,
			struct err *e)
{
	if (connect_registry(p, e) < 0)
		return -1;
	int r = repository_get(p->repository, version, size, out, ret_type, e);
	if (r != 1)
		return r;
	return err_set(e, ERR_NOTFOUND, "%s: registry %s has no %s %s in repository %s", p->source.name,
		       p->ref->registry, digest_is_valid(version) ? "manifest" : "tag", version, p->ref->repository);
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
	return repository_fetch(p->repository, src->store, what, list, n, e);
}

/* ---- the whole ---- */

struct wanted {
	const struct platform *platform; /* NULL: see pull_image */
	const struct digest *manifest;   /* that one, whatever the reference stands for now; or NULL */
	bool layers;
	bool all;                        /* the index and all in it */
};

/* The document that is asked for. By digest, it is verified here, wherever it came from (T-H10). */
static int first_document(struct pull *p, const struct digest *want, struct str *out, char **ret_type,
			  struct digest *ret, struct err *e)
{
	AUTO(free_drop) char *sent_type = NULL;
	bool here = want && blob_exists(p->source.store, want, NULL);
	if (here && blob_read(p->source.store, want, LIMIT_MANIFEST, out, e) < 0)
		return -1;
	if (!here && get_document(p, want ? digest_text(want).s : p->ref->tag, 0, out, &sent_type, e) < 0)
		return -1;
	if (want && bytes_verify(out, want, 0, p->source.name, e) < 0)
		return -1;
	*ret = digest_of(str_text(out), out->len);
	return document_type(str_text(out), out->len, sent_type, NULL, p->source.name, ret_type, e);
}

static int pull_from(struct store *s, const struct pull_source *from, const struct wanted *want,
		     const struct pull_progress *progress, struct pulled *ret, struct err *e)
{
	const struct reference *r = &from->ref;
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
	if (from->insecure)
		registries_trust(r->registry);
	const struct digest *known = want->manifest ? want->manifest : r->has_digest ? &r->digest : NULL;
	if (first_document(&p, known, &bytes, &type, &digest, e) < 0)
		return -1;
	if (!want->all)
		return image_take(&p.source, &bytes, type, &digest, want->platform, want->layers, ret, e);
	if (image_take_all(&p.source, &bytes, type, &digest, e) < 0)
		return -1;
	*ret = (struct pulled){ .index = digest };
	return 0;
}

/* What is wrong with one place may be right in the next. */
static int pull_any(struct store *s, const struct reference *r, const struct wanted *want,
		    const struct pull_progress *progress, struct pulled *ret, struct err *e)
{
	AUTO(pull_sources_fini) struct pull_sources from = { 0 };
	if (registries_sources(r, &from, e) < 0)
		return -1;
	for (size_t i = 0; i < from.n; i++) {
		if (pull_from(s, &from.v[i], want, progress, ret, e) == 0)
			return 0;
		if (i + 1 < from.n && progress && progress->line) {
			AUTO(free_drop) char *line = x_asprintf("%s; trying %s/%s", e->msg, from.v[i + 1].ref.registry,
								from.v[i + 1].ref.repository);
			progress->line(progress->ctx, line);
		}
	}
	return -1;
}

int pull_image(struct store *s, const struct reference *r, const struct platform *want, bool want_layers,
	       const struct pull_progress *progress, struct pulled *ret, struct err *e)
{
	return pull_any(s, r, &(struct wanted){ .platform = want, .layers = want_layers }, progress, ret, e);
}

int pull_layers(struct store *s, const struct reference *r, const struct digest *manifest,
		const struct pull_progress *progress, struct err *e)
{
	struct pulled got = { 0 };
	int rc = pull_any(s, r, &(struct wanted){ .manifest = manifest, .layers = true }, progress, &got, e);
	pulled_fini(&got);
	return rc;
}

int pull_all(struct store *s, const struct reference *r, const struct pull_progress *progress, struct digest *ret_top,
	     struct err *e)
{
	struct pulled got = { 0 };
	if (pull_any(s, r, &(struct wanted){ .layers = true, .all = true }, progress, &got, e) < 0)
		return -1;
	*ret_top = got.index;
	pulled_fini(&got);
	return 0;
}
