#include "download_priv.h"

#include <stdlib.h>
#include <time.h>

#include "base/fd.h"
#include "base/mem.h"
#include "registry/pull.h"
#include "origin_priv.h"
#include "session_priv.h"
#include "transfer_priv.h"
#include "store/blob.h"
#include "store/claim.h"
#include "store/store.h"

enum {
	PARALLEL = 4,
	LINE_EVERY_S = 5,
	SHORT_HEX = 12,
};

struct download {
	const struct descriptor *blob;  /* borrowed */
	struct store *store;
	const struct reference *from;   /* borrowed */
	struct transfer *transfer;      /* borrowed: where our name for messages is */
	const struct pull_progress *progress;
	struct claim claim;             /* held while we fetch */
	bool said_waiting, writing;
	struct blob_writer writer;
	struct sha sha;
	uint64_t written;
	time_t line_at;
};

static void say(struct download *d, const char *format, uint64_t bytes)
{
	if (!d->progress || !d->progress->line)
		return;
	AUTO(str_fini) struct str line = { 0 };
	str_addf(&line, "%s: ", d->transfer->name);
	if (bytes) {
		str_add_size(&line, bytes);
		str_add(&line, " of ");
	}
	str_add_size(&line, d->blob->size);
	str_add(&line, format);
	d->progress->line(d->progress->ctx, line.buf);
}

static time_t seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* ---- one blob, called from transfer_run ---- */

static int is_here(struct download *d, bool *ret, struct err *e)
{
	uint64_t size;
	*ret = blob_exists(d->store, &d->blob->digest, &size);
	if (*ret && size != d->blob->size)
		return err_set(e, ERR_INTEGRITY, "%s: %s has %llu bytes, its descriptor says %llu", d->transfer->name,
			       digest_text(&d->blob->digest).s, (unsigned long long)size,
			       (unsigned long long)d->blob->size);
	return 0;
}

static bool try_claim(struct download *d)
{
	AUTO(free_drop) char *name = x_asprintf("blob-%s", digest_hex(&d->blob->digest).s);
	return claim_try(d->store, name, &d->claim);
}

static int on_ready(void *ctx, enum transfer_ready *ret, struct err *e)
{
	struct download *d = ctx;
	bool here;
	if (is_here(d, &here, e) < 0)
		return -1;
	/* Never waits: we may hold claims of other blobs, for which the other one may be waiting. */
	if (!here && !try_claim(d)) {
		if (!d->said_waiting)
			say(d, ", another process is fetching it; waiting", 0);
		d->said_waiting = true;
		*ret = TRANSFER_LATER;
		return 0;
	}
	/* It may have been published between our look and our claim. */
	if (!here && is_here(d, &here, e) < 0)
		return -1;
	if (here) {
		claim_drop(&d->claim);
		*ret = TRANSFER_NEEDLESS;
		return 0;
	}
	say(d, "", 0);
	d->line_at = seconds();
	*ret = TRANSFER_GO;
	return 0;
}

static void drop_partial(struct download *d)
{
	if (!d->writing)
		return;
	sha_drop(&d->sha);
	blob_writer_drop(&d->writer);
	d->writing = false;
}

static int on_begin(void *ctx, const struct http_answer *a, uint64_t offset, struct err *e)
{
	struct download *d = ctx;
	if (d->writing && offset == d->written)
		return 0;
	drop_partial(d);
	d->written = 0;
	if (offset != 0)
		return err_set(e, ERR_NET, "%s: the download can not go on at byte %llu", d->transfer->name,
			       (unsigned long long)offset);
	if (blob_writer_open(d->store, &d->writer, e) < 0)
		return -1;
	claim_tell(&d->claim, d->writer.name); /* store/follow.h */
	sha_init(&d->sha);
	d->writing = true;
	return 0;
}

static int on_bytes(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct download *d = ctx;
	if (fd_write_all(d->writer.fd, bytes, n, d->transfer->name, e) < 0)
		return -1;
	sha_add(&d->sha, bytes, n);
	d->written += n;
	fd_write_behind(d->writer.fd, d->written, n);
	if (seconds() >= d->line_at + LINE_EVERY_S) {
		say(d, "", d->written);
		d->line_at = seconds();
	}
	return 0;
}

static int on_end(void *ctx, struct err *e)
{
	struct download *d = ctx;
	if (d->written != d->blob->size)
		return err_set(e, ERR_INTEGRITY, "%s: %llu bytes came, its descriptor says %llu", d->transfer->name,
			       (unsigned long long)d->written, (unsigned long long)d->blob->size);
	struct digest got = sha_end(&d->sha);
	d->writing = false;
	if (!digest_eq(&got, &d->blob->digest)) {
		blob_writer_drop(&d->writer);
		return err_set(e, ERR_INTEGRITY, "%s: the bytes that came have digest %s, not %s", d->transfer->name,
			       digest_text(&got).s, digest_text(&d->blob->digest).s);
	}
	origin_note(d->writer.fd, d->from);
	int r = blob_writer_commit(&d->writer, &d->blob->digest, e);
	if (r < 0)
		blob_writer_drop(&d->writer);
	claim_drop(&d->claim);
	return r;
}

/* ---- all of them ---- */

static bool is_repeated(const struct descriptor *list, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (digest_eq(&list[k].digest, &list[i].digest))
			return true;
	return false;
}

static void plan(struct download *d, struct transfer *t, struct session *session, const char *what)
{
	const struct reference *ref = session->ref;
	const struct descriptor *blob = d->blob;
	d->transfer = t;
	t->name = x_asprintf("%s/%s: %s sha256:%.*s", ref->registry, ref->repository, what, (int)SHORT_HEX,
			     digest_hex(&blob->digest).s);
	url_copy(&t->url, &session->base);
	free(t->url.target);
	t->url.target = x_asprintf("/v2/%s/blobs/%s", ref->repository, digest_text(&blob->digest).s);
	t->session = session;
	t->has_size = true;
	t->size = blob->size;
	t->ready = on_ready;
	t->begin = on_begin;
	t->body = on_bytes;
	t->end = on_end;
	t->ctx = d;
}

int download_blobs(struct store *s, struct session *session, struct transport *t, const char *what,
		   const struct descriptor *list, size_t n, const struct pull_progress *progress, struct err *e)
{
	AUTO(free_drop) struct download *jobs = x_alloc((n + 1) * sizeof *jobs);
	AUTO(free_drop) struct transfer *transfers = x_alloc((n + 1) * sizeof *transfers);
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (is_repeated(list, i))
			continue;
		jobs[count] = (struct download){ .blob = &list[i], .store = s, .from = session->ref,
					      .progress = progress };
		plan(&jobs[count], &transfers[count], session, what);
		count++;
	}
	int r = transfer_run(t, transfers, count, PARALLEL, progress, e);
	for (size_t i = 0; i < count; i++) {
		drop_partial(&jobs[i]);
		claim_drop(&jobs[i].claim);
		transfer_fini(&transfers[i]);
	}
	return r;
}
