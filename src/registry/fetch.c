#include "registry/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "registry/pull.h"
#include "retry_priv.h"
#include "transfer_priv.h"
#include "transport_priv.h"

struct fetch {
	const struct fetch_request *request;
	const char *name;       /* borrowed from the transfer */
	struct sha sha;         /* running once the body began */
	struct fetched *result;
};

static int on_begin(void *ctx, const struct http_answer *a, uint64_t offset, struct err *e)
{
	struct fetch *f = ctx;
	if (offset == f->result->size && offset)
		return 0;
	if (offset)
		return err_set(e, ERR_NET, "%s: the download can not go on at byte %llu", f->name,
			       (unsigned long long)offset);
	if (ftruncate(f->request->fd, 0) < 0 || lseek(f->request->fd, 0, SEEK_SET) < 0)
		return err_sys(e, "write %s", f->name);
	sha_drop(&f->sha);
	sha_init(&f->sha);
	f->result->size = 0;
	if (f->request->progress && f->request->progress->coming && a->has_length)
		f->request->progress->coming(f->request->progress->ctx, a->length);
	free(f->result->etag);
	f->result->etag = a->etag ? x_strdup(a->etag) : NULL;
	f->result->has_last_modified = a->last_modified && http_date_parse(a->last_modified, &f->result->last_modified);
	return 0;
}

static int on_body(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct fetch *f = ctx;
	if (fd_write_all(f->request->fd, bytes, n, f->name, e) < 0)
		return -1;
	sha_add(&f->sha, bytes, n);
	f->result->size += n;
	return 0;
}

static bool header_is_safe(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return false;
	return true;
}

static int run(struct fetch *f, struct transfer *t, struct err *e)
{
	const struct fetch_request *q = f->request;
	AUTO(transport_drop) struct transport *transport = NULL;
	t->name = url_redacted(&t->url);
	f->name = t->name;
	if (q->etag && header_is_safe(q->etag)) {
		strv_pushf(&t->headers, "If-None-Match: %s", q->etag);
		t->conditional = true;
	}
	strv_push(&t->headers, "Accept: */*");
	if (q->authorization)
		t->secret_header = x_asprintf("Authorization: %s", q->authorization);
	if (transport_new(&transport, e) < 0 || transfer_run(transport, t, 1, 1, q->progress, e) < 0)
		return -1;
	f->result->not_modified = t->status == 304;
	f->result->url = url_text(&t->final);
	if (t->status != 304)
		f->result->digest = sha_end(&f->sha);
	return 0;
}

int http_fetch(const struct fetch_request *q, struct fetched *ret, struct err *e)
{
	AUTO(fetched_fini) struct fetched result = { 0 };
	struct fetch f = { .request = q, .result = &result };
	AUTO(transfer_fini) struct transfer t = {
		.plain_http = true,
		.size = q->limit,
		.begin = on_begin,
		.body = on_body,
		.ctx = &f,
	};
	if (url_parse(q->url, &t.url, e) < 0)
		return -1;
	int r = run(&f, &t, e);
	sha_drop(&f.sha);
	if (r < 0)
		return -1;
	*ret = result;
	result = (struct fetched){ 0 };
	return 0;
}

void fetched_fini(struct fetched *f)
{
	free(f->url);
	free(f->etag);
	*f = (struct fetched){ 0 };
}
