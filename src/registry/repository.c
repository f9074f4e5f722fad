#include "repository_priv.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/media_type.h"
#include "registry/pull.h"
#include "download_priv.h"
#include "image_priv.h"
#include "transfer_priv.h"
#include "transport_priv.h"
#include "upload_priv.h"

#define ACCEPT "Accept: " MT_INDEX ", " MT_MANIFEST ", " MT_DOCKER_LIST ", " MT_DOCKER_MANIFEST

enum { PARALLEL_QUESTIONS = 8 };

int repository_open(const struct reference *ref, bool push, const struct pull_progress *progress,
		    struct repository **ret, struct err *e)
{
	AUTO(repository_drop) struct repository *r = x_alloc(sizeof *r);
	r->ref = ref;
	r->progress = progress;
	if (session_open(ref, push, progress, &r->session, e) < 0 || transport_new(&r->transport, e) < 0)
		return -1;
	*ret = ptr_take(&r);
	return 0;
}

void repository_free(struct repository *r)
{
	if (!r)
		return;
	transport_free(r->transport);
	session_fini(&r->session);
	free(r);
}

void repository_drop(struct repository **r)
{
	repository_free(*r);
	*r = NULL;
}

void repository_url(const struct repository *r, const char *kind, const char *name, struct url *ret)
{
	url_fini(ret);
	url_copy(ret, &r->session.base);
	free(ret->target);
	ret->target = x_asprintf("/v2/%s/%s/%s", r->ref->repository, kind, name);
}

static char *name_of(const struct repository *r, const char *what)
{
	return x_asprintf("%s/%s: %s", r->ref->registry, r->ref->repository, what);
}

/* ---- into memory ---- */

struct memory_answer {
	struct str *bytes;
	char *type;
};

static int on_begin(void *ctx, const struct http_answer *a, uint64_t offset, struct err *e)
{
	struct memory_answer *d = ctx;
	d->bytes->len = (size_t)offset;
	if (offset == 0) {
		free(d->type);
		d->type = a->content_type ? x_strdup(a->content_type) : NULL;
	}
	return 0;
}

static int on_body(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct memory_answer *d = ctx;
	str_addn(d->bytes, bytes, n);
	return 0;
}

/* 1: the registry has none. */
static int get(struct repository *r, struct transfer *t, struct str *out, char **ret_type, struct err *e)
{
	struct memory_answer answer = { .bytes = out };
	t->session = &r->session;
	t->begin = on_begin;
	t->body = on_body;
	t->ctx = &answer;
	int result = transfer_run(r->transport, t, 1, 1, r->progress, e);
	t->ctx = NULL; /* the caller's transfer outlives the answer */
	if (result < 0 && t->status == 404 && !t->left_origin)
		result = 1;
	if (result != 0)
		free(answer.type);
	else
		*ret_type = answer.type;
	return result;
}

int repository_get(struct repository *r, const char *version, uint64_t size, struct str *out, char **ret_type,
		   struct err *e)
{
	AUTO(transfer_fini) struct transfer t = { .has_size = size != 0, .size = size ? size : LIMIT_MANIFEST };
	AUTO(free_drop) char *type = NULL;
	struct digest digest;
	t.name = name_of(r, version);
	repository_url(r, "manifests", version, &t.url);
	strv_push(&t.headers, ACCEPT);
	int result = get(r, &t, out, &type, e);
	if (result != 0)
		return result;
	if (digest_is_valid(version) &&
	    (digest_parse(version, &digest, e) < 0 || bytes_verify(out, &digest, size, t.name, e) < 0))
		return -1;
	*ret_type = ptr_take(&type);
	return 0;
}

int repository_read(struct repository *r, const struct descriptor *d, size_t limit, struct str *out, struct err *e)
{
	AUTO(transfer_fini) struct transfer t = { .has_size = true, .size = d->size };
	AUTO(free_drop) char *type = NULL;
	t.name = name_of(r, digest_text(&d->digest).s);
	if (d->size > limit)
		return err_set(e, ERR_LIMIT, "%s: it has %llu bytes, the limit is %zu", t.name,
			       (unsigned long long)d->size, limit);
	repository_url(r, "blobs", digest_text(&d->digest).s, &t.url);
	int result = get(r, &t, out, &type, e);
	if (result == 1)
		return err_set(e, ERR_NOTFOUND, "%s: the registry has no such blob", t.name);
	return result < 0 ? -1 : bytes_verify(out, &d->digest, d->size, t.name, e);
}

/* ---- questions ---- */

static int on_presence(void *ctx, const struct http_answer *a, enum transfer_next *ret, struct err *e)
{
	*(bool *)ctx = a->status == 200;
	return 0;
}

int repository_has(struct repository *r, const struct descriptor *list, size_t n, bool *ret, struct err *e)
{
	static const int expected[] = { 200, 404, 0 };
	AUTO(free_drop) struct transfer *questions = x_alloc((n + 1) * sizeof *questions);
	for (size_t i = 0; i < n; i++) {
		struct transfer *t = &questions[i];
		*t = (struct transfer){ .method = HTTP_HEAD, .session = &r->session, .expected = expected,
					.answered = on_presence, .ctx = &ret[i] };
		t->name = name_of(r, digest_text(&list[i].digest).s);
		repository_url(r, "blobs", digest_text(&list[i].digest).s, &t->url);
	}
	int result = transfer_run(r->transport, questions, n, PARALLEL_QUESTIONS, r->progress, e);
	for (size_t i = 0; i < n; i++)
		transfer_fini(&questions[i]);
	return result;
}

/* ---- documents ---- */

struct put {
	struct repository *repository;
	struct transfer *transfer;
	struct digest digest;
};

/* Who stores other bytes than were sent has not stored ours. Without the header it is taken at its word. */
static int on_stored(void *ctx, const struct http_answer *a, enum transfer_next *ret, struct err *e)
{
	const struct put *p = ctx;
	struct digest stored;
	struct err ignored;
	p->repository->took_subject = a->subject != NULL;
	if (!a->digest || digest_parse(a->digest, &stored, &ignored) < 0 || digest_eq(&stored, &p->digest))
		return 0;
	return err_set(e, ERR_INTEGRITY, "%s: the registry says that it stored %s instead", p->transfer->name,
		       digest_text(&stored).s);
}

int repository_put(struct repository *r, const char *version, const char *media_type, const char *bytes, size_t n,
		   struct err *e)
{
	static const int expected[] = { 200, 201, 204, 0 };
	struct put put = { .repository = r, .digest = digest_of(bytes, n) };
	AUTO(transfer_fini) struct transfer t = {
		.method = HTTP_PUT,
		.session = &r->session,
		.send = { .bytes = bytes, .size = n },
		.expected = expected,
		.answered = on_stored,
		.ctx = &put,
	};
	struct digest_text digest = digest_text(&put.digest);
	put.transfer = &t;
	t.name = name_of(r, version ? version : digest.s);
	strv_pushf(&t.headers, "Content-Type: %s", media_type);
	repository_url(r, "manifests", version ? version : digest.s, &t.url);
	return transfer_run(r->transport, &t, 1, 1, r->progress, e);
}

/* ---- blobs ---- */

int repository_fetch(struct repository *r, struct store *s, const char *what, const struct descriptor *list, size_t n,
		     struct err *e)
{
	return download_blobs(s, &r->session, r->transport, what, list, n, r->progress, e);
}

int repository_send(struct repository *r, struct store *s, const char *what, const struct descriptor *list, size_t n,
		    struct err *e)
{
	return upload_blobs(r, s, what, list, n, e);
}
