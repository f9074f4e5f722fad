#include "transfer_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/mem.h"
#include "registry/pull.h"
#include "registry/secret.h"
#include "refusal_priv.h"
#include "registries_priv.h"
#include "retry_priv.h"
#include "session_priv.h"

enum {
	REFUSAL_MAX = 256 << 10,     /* of an answer that is no success */
	LOGINS_MAX = 2,              /* 401 again after so many fresh authorizations is an answer */
	READY_POLL_MS = 200,
	IDLE_POLL_MS = 1000,
};

struct run {
	struct transport *transport;
	const struct pull_progress *progress;
};

static void say(const struct run *r, const struct transfer *t, const char *text)
{
	if (!r->progress || !r->progress->line)
		return;
	AUTO(free_drop) char *line = x_asprintf("%s: %s", t->name, text);
	r->progress->line(r->progress->ctx, line);
}

/* ---- the answer's head and body, called from the transport ---- */

static int check_length(const struct transfer *t, const struct http_answer *a, uint64_t offset, struct err *e)
{
	if (!a->has_length)
		return 0;
	if (t->has_size && a->length != t->size - offset)
		return err_set(e, ERR_INTEGRITY, "%s: %llu bytes are announced, it should be %llu", t->name,
			       (unsigned long long)a->length, (unsigned long long)(t->size - offset));
	if (!t->has_size && a->length > t->size)
		return err_set(e, ERR_LIMIT, "%s: %llu bytes are announced, more than the limit of %llu", t->name,
			       (unsigned long long)a->length, (unsigned long long)t->size);
	return 0;
}

static void keep_etag(struct transfer *t, const struct http_answer *a)
{
	free(t->etag);
	t->etag = a->etag && a->etag[0] == '"' ? x_strdup(a->etag) : NULL; /* W/"…" does not promise equal bytes */
}

static bool is_wanted(const struct transfer *t, int status)
{
	if (!t->expected)
		return status == 200 || status == 206;
	for (const int *p = t->expected; *p; p++)
		if (*p == status)
			return true;
	return false;
}

static int on_head(void *ctx, const struct http_answer *a, struct err *e)
{
	struct transfer *t = ctx;
	t->status = a->status;
	t->accepted = is_wanted(t, a->status);
	str_clear(&t->refusal);
	if (!t->accepted || t->expected)
		return 0;
	if (a->status == 206 && (t->offset == 0 || !http_range_fits(a, t->offset, t->has_size ? t->size : 0))) {
		t->wrong_range = t->no_range = true;
		return err_set(e, ERR_NET, "another part of the file came than was asked for");
	}
	if (a->status == 200) {
		t->offset = 0; /* the whole, whatever part was asked for */
		keep_etag(t, a);
	}
	if (check_length(t, a, t->offset, e) < 0)
		return -1;
	return t->begin ? t->begin(t->ctx, a, t->offset, e) : 0;
}

static int on_body(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct transfer *t = ctx;
	if (!t->accepted || t->expected) {
		str_addn(&t->refusal, bytes, n);
		return t->refusal.len <= REFUSAL_MAX ? 0 : err_set(e, ERR_LIMIT, "%s: endless answer", t->name);
	}
	if (n > t->size - t->offset) {
		if (t->has_size)
			return err_set(e, ERR_INTEGRITY, "%s: more bytes came than the %llu it should have", t->name,
				       (unsigned long long)t->size);
		return err_set(e, ERR_LIMIT, "%s: larger than the limit of %llu bytes", t->name,
			       (unsigned long long)t->size);
	}
	if (t->body(t->ctx, bytes, n, e) < 0)
		return -1;
	t->offset += n;
	return 0;
}

/* ---- one request ---- */

/* Authorization is for the server the session is with; the URL of a storage server carries its own signature. */
static void add_headers(struct transfer *t)
{
	struct http_call *c = &t->call;
	strv_copy(&c->headers, &t->headers);
	if (t->session && !t->left_origin && url_same_origin(&t->at, &t->session->base)) {
		const char *authorization = session_authorization(t->session);
		if (authorization)
			strv_push(&c->headers, authorization);
		t->generation = t->session->generation;
	}
	if (t->secret_header && t->hops == 0)
		strv_push(&c->headers, t->secret_header);
	if (t->offset && !t->no_range && !t->expected) {
		strv_pushf(&c->headers, "Range: bytes=%llu-", (unsigned long long)t->offset);
		if (t->etag)
			strv_pushf(&c->headers, "If-Range: %s", t->etag);
	}
}

static void on_sent(void *ctx, uint64_t sent)
{
	struct transfer *t = ctx;
	if (t->sent)
		t->sent(t->ctx, sent);
}

static int start(struct run *r, struct transfer *t, struct err *e)
{
	struct http_call *c = &t->call;
	http_call_fini(c);
	c->url = &t->at;
	c->method = t->method;
	c->form = t->form;
	c->body = t->send;
	c->on_head = on_head;
	c->on_body = on_body;
	c->on_sent = on_sent;
	c->ctx = t;
	t->status = 0;
	t->accepted = t->wrong_range = false;
	str_clear(&t->refusal);
	add_headers(t);
	if (transport_start(r->transport, c, e) < 0)
		return err_in(e, "%s", t->name);
	t->state = TRANSFER_RUNNING;
	return 0;
}

/* From the first URL again, as if nothing had been redirected; with what was received kept. */
static void rewind_to_start(struct transfer *t)
{
	url_fini(&t->at);
	url_copy(&t->at, &t->url);
	t->hops = 0;
	/* The URL of an upload is the registry's choice, and may be that of a storage server. */
	t->left_origin = t->session && !url_same_origin(&t->url, &t->session->base);
	t->state = TRANSFER_WAITING;
}

/* ---- what to do next ---- */

static void note_progress(struct transfer *t)
{
	uint64_t step = t->has_size && t->size / 16 < RETRY_PROGRESS_BYTES ? t->size / 16 + 1 : RETRY_PROGRESS_BYTES;
	/* A server without ranges sends the same bytes again and again: only what goes beyond the furthest counts. */
	if (t->offset < t->mark + step)
		return;
	t->mark = t->offset;
	t->failures = t->logins = 0;
	t->progress_ms = clock_ms();
}

/*
 * A server that has answered may be starting again. One that never did, because its name has no address or nobody
 * listens, is more likely a typing error: two more tries within three seconds, and none on this very machine.
 */
static unsigned tries_worth(const struct run *r, const struct transfer *t)
{
	const struct http_call *c = &t->call;
	unsigned all = retry_tries();
	if (transport_has_answered(r->transport) || !(c->refused || c->unresolved))
		return all;
	if (c->refused && host_is_loopback(t->at.host))
		return 1;
	return all < RETRY_TRIES_UNREACHED ? all : RETRY_TRIES_UNREACHED;
}

/* Another try later, or -1 when there were enough; `why` has the reason. */
static int retry(struct run *r, struct transfer *t, const struct err *why, const char *after, struct err *e)
{
	uint32_t random;
	int64_t told = 0, now = clock_ms();
	note_progress(t);
	t->failures++;
	random_bytes(&random, sizeof random);
	int64_t wait = retry_delay_ms(t->failures, random);
	bool is_told = after && retry_after_ms(after, time(NULL), &told);
	if (is_told && told > wait)
		wait = told;
	if (r->progress && r->progress->once) {
		*e = *why;
		return -1;
	}
	unsigned tries = tries_worth(r, t);
	if (t->failures >= tries || now + wait - t->progress_ms > RETRY_BUDGET_MS) {
		*e = *why;
		return t->failures > 1 ? err_hint(e, "gave up after %u tries", t->failures) : -1;
	}
	if (t->broken)
		t->broken(t->ctx);
	rewind_to_start(t);
	t->due_ms = now + wait;
	AUTO(str_fini) struct str line = { 0 };
	str_addf(&line, "%s; try %u of %u in %.1f s%s", why->msg, t->failures + 1, tries,
		 (double)wait / 1000, is_told ? ", as the server asks" : "");
	if (t->offset) {
		str_add(&line, ", keeping ");
		str_add_size(&line, t->offset);
	}
	/* The message begins with the name already where it came from transfer_refused. */
	say(r, t, str_starts(line.buf, t->name) ? line.buf + strlen(t->name) + 2 : line.buf);
	return 0;
}

int transfer_resolve(const struct transfer *t, const char *location, struct url *ret, struct err *e)
{
	AUTO(url_fini) struct url next = { 0 };
	AUTO(free_drop) char *from = url_redacted(&t->at);
	if (url_resolve(&t->at, location, &next, e) < 0)
		return err_in(e, "%s: redirect from %s", t->name, from);
	AUTO(free_drop) char *to = url_redacted(&next);
	if (t->at.https && !next.https)
		return err_set(e, ERR_NET, "%s: redirect from %s to %s would give up encryption; refused", t->name,
			       from, to);
	if (!next.https && !t->plain_http && !host_is_loopback(next.host) && !registries_trusts(&next))
		return err_set(e, ERR_NET, "%s: redirect to %s is not encrypted; refused", t->name, to);
	*ret = next;
	next = (struct url){ 0 };
	return 0;
}

static int redirect(struct transfer *t, struct err *e)
{
	AUTO(url_fini) struct url next = { 0 };
	AUTO(free_drop) char *from = url_redacted(&t->at);
	if (t->no_redirects || (t->method != HTTP_GET && t->method != HTTP_HEAD))
		return err_set(e, ERR_NET, "%s: %s redirects, which is not followed here", t->name, from);
	if (!t->call.answer.location)
		return err_set(e, ERR_NET, "%s: %s redirects to nowhere", t->name, from);
	if (++t->hops > LIMIT_REDIRECTS)
		return err_set(e, ERR_NET, "%s: more than %u redirects", t->name, LIMIT_REDIRECTS);
	if (transfer_resolve(t, t->call.answer.location, &next, e) < 0)
		return -1;
	if (!url_same_origin(&t->at, &next))
		t->left_origin = true;
	url_fini(&t->at);
	t->at = next;
	next = (struct url){ 0 };
	t->state = TRANSFER_WAITING;
	t->due_ms = 0;
	return 0;
}

static int unauthorized(struct transfer *t, struct err *e)
{
	struct session *s = t->session;
	if (!s || t->left_origin)
		return transfer_refused(t, e);
	/* Another transfer may have been answered with a fresh token meanwhile: one request per scope (N7). */
	if (t->generation == s->generation) {
		if (++t->logins > LOGINS_MAX)
			return transfer_refused(t, e);
		if (session_answer(s, &t->call.answer.challenges, e) < 0)
			return -1;
	}
	rewind_to_start(t);
	t->due_ms = 0;
	return 0;
}

static int finish(struct transfer *t, struct err *e)
{
	url_fini(&t->final);
	url_copy(&t->final, &t->at);
	t->state = TRANSFER_DONE;
	return t->end ? t->end(t->ctx, e) : 0;
}

/* An answer its owner waits for. What it says is done counts whatever came of it before. */
static int exchanged(struct run *r, struct transfer *t, struct err *e)
{
	enum transfer_next next = TRANSFER_END;
	struct err why = { 0 };
	AUTO(free_drop) char *after = t->call.answer.retry_after ? x_strdup(t->call.answer.retry_after) : NULL;
	if (t->answered(t->ctx, &t->call.answer, &next, &why) < 0) {
		*e = why;
		return -1;
	}
	if (next == TRANSFER_AGAIN)
		return retry(r, t, &why, after, e);
	if (next == TRANSFER_END)
		return finish(t, e);
	note_progress(t);
	t->logins = 0;
	rewind_to_start(t);
	t->due_ms = 0;
	return 0;
}

static int answered(struct run *r, struct transfer *t, struct err *e)
{
	const struct http_answer *a = &t->call.answer;
	struct err why;
	if (t->expected && t->accepted)
		return exchanged(r, t, e);
	switch (t->status) {
	case 200:
	case 206:
		/* Without a length, a connection that was cut looks like an end. RFC 9112 6.3. */
		if (t->has_size && t->offset < t->size && !a->has_length && !a->chunked) {
			err_set(&why, ERR_INTEGRITY, "%s: the answer ended after %llu of %llu bytes", t->name,
				(unsigned long long)t->offset, (unsigned long long)t->size);
			return retry(r, t, &why, NULL, e);
		}
		return finish(t, e);
	case 304:
		return t->conditional ? finish(t, e) : transfer_refused(t, e);
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return redirect(t, e);
	case 401:
		return unauthorized(t, e);
	case 416:
		if (t->offset == 0 || t->expected)
			return transfer_refused(t, e);
		t->no_range = true;
		__attribute__((fallthrough));
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		transfer_refused(t, &why);
		return retry(r, t, &why, a->retry_after, e);
	}
	return transfer_refused(t, e);
}

static int untrusted(const struct transfer *t, struct err *e)
{
	AUTO(free_drop) char *authority = url_authority(&t->at);
	err_set(e, ERR_NET, "%s: %s: %s", t->name, authority, t->call.err.msg);
	return err_hint(e, "an authority of your own belongs into ~/.config/containers/certs.d/%s/ca.crt", authority);
}

static int ended(struct run *r, struct transfer *t, struct err *e)
{
	struct err why = t->call.err;
	AUTO(free_drop) char *authority = url_authority(&t->at);
	switch (t->call.outcome) {
	case HTTP_ANSWERED:
		return answered(r, t, e);
	case HTTP_UNTRUSTED:
		return untrusted(t, e);
	case HTTP_STOPPED:
		if (t->wrong_range) {
			err_in(&why, "%s: %s", t->name, authority);
			return retry(r, t, &why, NULL, e);
		}
		*e = why;
		return str_starts(why.msg, t->name) ? -1 : err_in(e, "%s: %s", t->name, authority);
	case HTTP_GIBBERISH:
		err_set(e, ERR_NET, "%s: what answers at %s does not speak %s: %s", t->name, authority,
			t->at.https ? "https" : "http", why.msg);
		return t->at.https ? err_hint(e, "plain http is used with loopback addresses and --tls-verify=false only") : -1;
	case HTTP_BROKEN:
		err_in(&why, "%s: %s", t->name, authority);
		return retry(r, t, &why, NULL, e);
	}
	return 0;
}

/* ---- the loop ---- */

static int try_start(struct run *r, struct transfer *t, int64_t now, struct err *e)
{
	enum transfer_ready ready = TRANSFER_GO;
	if (!t->is_ready && t->ready && t->ready(t->ctx, &ready, e) < 0)
		return -1;
	if (ready == TRANSFER_LATER) {
		t->due_ms = now + READY_POLL_MS;
		return 0;
	}
	if (ready == TRANSFER_NEEDLESS) {
		t->state = TRANSFER_DONE;
		return 0;
	}
	if (!t->is_ready) {
		t->is_ready = true;
		t->progress_ms = now;
		rewind_to_start(t);
	}
	return start(r, t, e);
}

/* Starts what is due; *ret_left counts what is not done, *ret_wait_ms is when to look again. */
static int start_due(struct run *r, struct transfer *list, size_t n, unsigned parallel, size_t *ret_left,
		     int *ret_wait_ms, struct err *e)
{
	size_t running = 0, left = 0;
	int64_t now = clock_ms(), next = now + IDLE_POLL_MS;
	for (size_t i = 0; i < n; i++)
		running += list[i].state == TRANSFER_RUNNING;
	for (size_t i = 0; i < n; i++) {
		struct transfer *t = &list[i];
		if (t->state == TRANSFER_WAITING && t->due_ms <= now && running < parallel) {
			if (try_start(r, t, now, e) < 0)
				return -1;
			running += t->state == TRANSFER_RUNNING;
		}
		if (t->state == TRANSFER_WAITING && running < parallel && t->due_ms < next)
			next = t->due_ms;
		left += t->state != TRANSFER_DONE;
	}
	*ret_left = left;
	*ret_wait_ms = next <= now ? 0 : (int)(next - now);
	return 0;
}

static int run_all(struct run *r, struct transfer *list, size_t n, unsigned parallel, struct err *e)
{
	for (;;) {
		size_t left;
		int wait_ms;
		struct http_call *done = NULL;
		if (start_due(r, list, n, parallel, &left, &wait_ms, e) < 0)
			return -1;
		if (left == 0)
			return 0;
		if (transport_wait(r->transport, wait_ms, &done, e) < 0)
			return -1;
		if (done && ended(r, done->ctx, e) < 0)
			return -1;
	}
}

int transfer_run(struct transport *t, struct transfer *list, size_t n, unsigned parallel,
		 const struct pull_progress *progress, struct err *e)
{
	struct run r = { .transport = t, .progress = progress };
	int result = run_all(&r, list, n, parallel, e);
	for (size_t i = 0; i < n; i++)
		transport_stop(t, &list[i].call);
	return result;
}

void transfer_fini(struct transfer *t)
{
	free(t->name);
	free(t->etag);
	url_fini(&t->url);
	url_fini(&t->at);
	url_fini(&t->final);
	strv_fini(&t->headers);
	secret_drop(&t->secret_header);
	secret_drop(&t->form);
	http_call_fini(&t->call);
	str_fini(&t->refusal);
	*t = (struct transfer){ 0 };
}
