#include "upload_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "registry/pull.h"
#include "origin_priv.h"
#include "repository_priv.h"
#include "retry_priv.h"
#include "transfer_priv.h"
#include "store/blob.h"

enum {
	PARALLEL = 4,
	LINE_EVERY_MS = 5000,
	SHORT_HEX = 12,
	MOUNT_FROM_MAX = 4,     /* repositories that one token is asked for */
};

/* The request a transfer is at the moment. */
enum step {
	STEP_ASK,    /* HEAD of the blob */
	STEP_MOUNT,  /* POST: from another repository, or else an upload of our own */
	STEP_BEGIN,  /* POST: an upload of our own */
	STEP_WHOLE,  /* PUT of all bytes */
	STEP_CHUNK,  /* PATCH of the next ones */
	STEP_STATUS, /* GET: how much the server has */
	STEP_FINISH, /* PUT of no bytes, with the digest */
};

struct upload {
	const struct descriptor *blob; /* borrowed, like the following */
	struct store *store;
	struct repository *repository;
	struct transfer *transfer;
	enum step step;
	struct url place;              /* of the upload: the last Location */
	uint64_t chunk;
	bool no_chunks;                /* the server refused one */
	char *from;                    /* a repository that has it, until it was asked; or NULL */
	int fd;                        /* of the blob, while it is sent */
	int64_t line_ms;
};

static void say(struct upload *u, uint64_t sent, const char *text)
{
	const struct pull_progress *p = u->repository->progress;
	if (!p || !p->line)
		return;
	AUTO(str_fini) struct str line = { 0 };
	str_addf(&line, "%s: ", u->transfer->name);
	if (sent) {
		str_add_size(&line, sent);
		str_add(&line, " of ");
	}
	str_add_size(&line, u->blob->size);
	str_add(&line, text);
	p->line(p->ctx, line.buf);
}

static void on_sent(void *ctx, uint64_t sent)
{
	struct upload *u = ctx;
	if (clock_ms() < u->line_ms + LINE_EVERY_MS)
		return;
	u->line_ms = clock_ms();
	say(u, u->transfer->offset + sent, "");
}

/* ---- requests ---- */

static const int ask_expected[] = { 200, 404, 0 };
static const int begin_expected[] = { 202, 0 };
static const int mount_expected[] = { 201, 202, 400, 403, 404, 405, 0 };
static const int stored_expected[] = { 200, 201, 204, 404, 0 };
static const int chunk_expected[] = { 202, 201, 204, 400, 404, 405, 413, 416, 501, 0 };
static const int status_expected[] = { 200, 202, 204, 400, 404, 405, 416, 0 };

static void request(struct upload *u, enum step step, enum http_method method, const int *expected)
{
	struct transfer *t = u->transfer;
	u->step = step;
	strv_clear(&t->headers);
	t->method = method;
	t->expected = expected;
	t->send = (struct http_body){ 0 };
}

static void ask(struct upload *u)
{
	u->transfer->offset = 0;
	request(u, STEP_ASK, HTTP_HEAD, ask_expected);
	repository_url(u->repository, "blobs", digest_text(&u->blob->digest).s, &u->transfer->url);
}

static void begin(struct upload *u)
{
	u->transfer->offset = 0;
	request(u, STEP_BEGIN, HTTP_POST, begin_expected);
	repository_url(u->repository, "blobs", "uploads/", &u->transfer->url);
}

static void mount(struct upload *u)
{
	request(u, STEP_MOUNT, HTTP_POST, mount_expected);
	AUTO(free_drop) char *query = x_asprintf("uploads/?mount=%s&from=%s", digest_text(&u->blob->digest).s, u->from);
	repository_url(u->repository, "blobs", query, &u->transfer->url);
}

static void to_place(struct upload *u, bool with_digest)
{
	struct url *to = &u->transfer->url;
	url_fini(to);
	url_copy(to, &u->place);
	if (!with_digest)
		return;
	/* What the server put into the query stays as it is: it may be signed. */
	free(to->target);
	to->target = x_asprintf("%s%cdigest=%s", u->place.target, strchr(u->place.target, '?') ? '&' : '?',
				digest_text(&u->blob->digest).s);
}

static void status(struct upload *u)
{
	request(u, STEP_STATUS, HTTP_GET, status_expected);
	to_place(u, false);
}

static void finish(struct upload *u)
{
	request(u, STEP_FINISH, HTTP_PUT, stored_expected);
	to_place(u, true);
}

static bool is_whole(const struct upload *u)
{
	return u->no_chunks || u->blob->size <= u->chunk;
}

/* All, or the next part. */
static void send_next(struct upload *u)
{
	struct transfer *t = u->transfer;
	bool whole = is_whole(u);
	if (!whole && t->offset == u->blob->size) {
		finish(u);
		return;
	}
	request(u, whole ? STEP_WHOLE : STEP_CHUNK, whole ? HTTP_PUT : HTTP_PATCH,
		whole ? stored_expected : chunk_expected);
	to_place(u, whole);
	uint64_t left = u->blob->size - t->offset, n = !whole && left > u->chunk ? u->chunk : left;
	t->send = (struct http_body){ .fd = u->fd, .offset = t->offset, .size = n };
	strv_push(&t->headers, "Content-Type: application/octet-stream");
	if (!whole)
		strv_pushf(&t->headers, "Content-Range: %llu-%llu", (unsigned long long)t->offset,
			   (unsigned long long)(t->offset + n - 1));
}

/* ---- answers ---- */

static int take_place(struct upload *u, const struct http_answer *a, bool must, struct err *e)
{
	struct url place;
	if (!a->location && !must)
		return 0;
	if (!a->location)
		return err_set(e, ERR_NET, "%s: the registry does not say where to send it", u->transfer->name);
	if (transfer_resolve(u->transfer, a->location, &place, e) < 0)
		return -1;
	url_fini(&u->place);
	u->place = place;
	return 0;
}

/*
 * Range: "0-LAST", or "bytes=0-LAST", is what the server has; "0-0" is what servers say of nothing. Without it, it has
 * what was sent. False when it cannot be.
 */
static bool take_range(struct upload *u, const struct http_answer *a, uint64_t otherwise, uint64_t *ret)
{
	uint64_t last;
	const char *p = a->range;
	*ret = otherwise;
	if (!p)
		return true;
	if (str_case_starts(p, "bytes="))
		p += strlen("bytes=");
	if (!str_starts(p, "0-") || !str_to_u64(p + 2, INT64_MAX - 1, &last) || last >= u->blob->size)
		return false;
	*ret = last ? last + 1 : 0;
	return true;
}

static int answer_begin(struct upload *u, const struct http_answer *a, enum transfer_next *ret, struct err *e)
{
	if (take_place(u, a, true, e) < 0)
		return -1;
	if (a->chunk_min > u->chunk)
		u->chunk = a->chunk_min;
	if (u->fd < 0) {
		if (blob_open(u->store, &u->blob->digest, &u->fd, e) < 0)
			return -1;
		say(u, 0, "");
		u->line_ms = clock_ms();
	}
	send_next(u);
	*ret = TRANSFER_MORE;
	return 0;
}

/* 202 is an upload; a registry that does not let us have it from there may say so in other ways. */
static int answer_mount(struct upload *u, const struct http_answer *a, enum transfer_next *ret, struct err *e)
{
	AUTO(free_drop) char *from = ptr_take(&u->from);
	if (a->status == 201) {
		AUTO(free_drop) char *text = x_asprintf(", taken from %s", from);
		say(u, 0, text);
		return 0;
	}
	if (a->status == 202)
		return answer_begin(u, a, ret, e);
	begin(u);
	*ret = TRANSFER_MORE;
	return 0;
}

/* The upload is not known any more: from the start. */
static int begin_again(struct upload *u, enum transfer_next *ret, struct err *e)
{
	err_set(e, ERR_NET, "%s: the registry has lost what was sent", u->transfer->name);
	begin(u);
	*ret = TRANSFER_AGAIN;
	return 0;
}

static int answer_chunk(struct upload *u, const struct http_answer *a, enum transfer_next *ret, struct err *e)
{
	struct transfer *t = u->transfer;
	uint64_t has, sent = t->offset + t->send.size;
	/* "0-0" stands for one byte, too: who has that refuses a beginning, and there is nothing to lose. */
	if (a->status == 404 || (a->status == 416 && t->offset == 0))
		return begin_again(u, ret, e);
	if (a->status == 416) {
		status(u);
		err_set(e, ERR_NET, "%s: the registry has another part than was thought", t->name);
		*ret = TRANSFER_AGAIN;
		return 0;
	}
	*ret = TRANSFER_MORE;
	if (a->status >= 400) { /* chunks of this size, or at all, are not for it */
		u->no_chunks = true;
		begin(u);
		return 0;
	}
	if (take_place(u, a, false, e) < 0)
		return -1;
	if (!take_range(u, a, sent, &has) || has > sent || has <= t->offset) {
		status(u);
		err_set(e, ERR_NET, "%s: the registry did not take what was sent", t->name);
		*ret = TRANSFER_AGAIN;
		return 0;
	}
	t->offset = has;
	send_next(u);
	return 0;
}

static int answer_status(struct upload *u, const struct http_answer *a, enum transfer_next *ret, struct err *e)
{
	uint64_t has;
	if (a->status >= 400 || !take_range(u, a, 0, &has))
		return begin_again(u, ret, e);
	if (take_place(u, a, false, e) < 0)
		return -1;
	u->transfer->offset = has;
	send_next(u);
	*ret = TRANSFER_MORE;
	return 0;
}

static int on_answer(void *ctx, const struct http_answer *a, enum transfer_next *ret, struct err *e)
{
	struct upload *u = ctx;
	switch (u->step) {
	case STEP_ASK:
		if (a->status == 200) {
			say(u, 0, ", there already");
			return 0;
		}
		if (u->from)
			mount(u);
		else
			begin(u);
		*ret = TRANSFER_MORE;
		return 0;
	case STEP_MOUNT:
		return answer_mount(u, a, ret, e);
	case STEP_BEGIN:
		return answer_begin(u, a, ret, e);
	case STEP_WHOLE:
	case STEP_FINISH:
		return a->status == 404 ? begin_again(u, ret, e) : 0;
	case STEP_CHUNK:
		return answer_chunk(u, a, ret, e);
	case STEP_STATUS:
		return answer_status(u, a, ret, e);
	}
	return 0;
}

/* A last answer that was lost may have been a good one. */
static void on_broken(void *ctx)
{
	struct upload *u = ctx;
	switch (u->step) {
	case STEP_CHUNK:
		status(u);
		return;
	case STEP_WHOLE:
	case STEP_FINISH:
		ask(u);
		return;
	case STEP_ASK:
	case STEP_MOUNT:
	case STEP_BEGIN:
	case STEP_STATUS:
		return;
	}
}

/* ---- all of them ---- */

/* A token is asked for once, so all repositories to mount from must be known then. */
static void find_origin(struct upload *u)
{
	struct strv *known = &u->repository->session.mount_from;
	AUTO(fd_drop) int fd = -1;
	struct err ignored;
	if (blob_open(u->store, &u->blob->digest, &fd, &ignored) < 0)
		return;
	AUTO(free_drop) char *from = origin_find(fd, u->repository->ref);
	if (!from || (!strv_has(known, from) && known->n == MOUNT_FROM_MAX))
		return;
	if (!strv_has(known, from))
		strv_push(known, from);
	u->from = ptr_take(&from);
}

static int check_here(struct store *s, const struct descriptor *d, const char *name, struct err *e)
{
	uint64_t size;
	if (!blob_exists(s, &d->digest, &size))
		return err_set(e, ERR_NOTFOUND, "%s is not in the store", name);
	if (size != d->size)
		return err_set(e, ERR_INTEGRITY, "%s has %llu bytes in the store, its descriptor says %llu", name,
			       (unsigned long long)size, (unsigned long long)d->size);
	return 0;
}

static bool is_repeated(const struct descriptor *list, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (digest_eq(&list[k].digest, &list[i].digest))
			return true;
	return false;
}

static void plan(struct upload *u, struct transfer *t, const char *what)
{
	const struct reference *ref = u->repository->ref;
	u->transfer = t;
	u->chunk = upload_chunk_bytes();
	u->fd = -1;
	t->name = x_asprintf("%s/%s: %s sha256:%.*s", ref->registry, ref->repository, what, (int)SHORT_HEX,
			     digest_hex(&u->blob->digest).s);
	t->session = &u->repository->session;
	t->answered = on_answer;
	t->sent = on_sent;
	t->broken = on_broken;
	t->has_size = true;
	t->size = u->blob->size;
	t->ctx = u;
	ask(u);
}

int upload_blobs(struct repository *r, struct store *s, const char *what, const struct descriptor *list, size_t n,
		 struct err *e)
{
	AUTO(free_drop) struct upload *jobs = x_alloc((n + 1) * sizeof *jobs);
	AUTO(free_drop) struct transfer *transfers = x_alloc((n + 1) * sizeof *transfers);
	size_t count = 0;
	int result = 0;
	for (size_t i = 0; i < n && result == 0; i++) {
		if (is_repeated(list, i))
			continue;
		jobs[count] = (struct upload){ .blob = &list[i], .store = s, .repository = r };
		plan(&jobs[count], &transfers[count], what);
		result = check_here(s, &list[i], transfers[count].name, e);
		find_origin(&jobs[count]);
		count++;
	}
	if (result == 0)
		result = transfer_run(r->transport, transfers, count, PARALLEL, r->progress, e);
	for (size_t i = 0; i < count; i++) {
		fd_drop(&jobs[i].fd);
		url_fini(&jobs[i].place);
		free(jobs[i].from);
		transfer_fini(&transfers[i]);
	}
	return result;
}
