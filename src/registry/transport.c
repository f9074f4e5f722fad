#include "transport_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "certs_priv.h"
#include "curl_priv.h"
#include "registries_priv.h"
#include "retry_priv.h"

enum {
	CONNECT_SHARE = 2,           /* of the timeout: 30 s of 60 */
	STALL_RATE = 64,             /* bytes per second; slower for a timeout, and the peer counts as gone (N5) */
	ANSWER_TIMEOUTS = 5,         /* so many timeouts to answer a request whose body was sent: large files are copied */
	ROOTS_MAX_BYTES = 8 << 20,
	BUFFER_BYTES = 256 << 10,    /* libcurl's 16 KiB cost a system call each */
};

struct transport {
	CURLM *multi;
	bool answered;
};

/* What one running call needs beside its struct http_call. */
struct http_handle {
	CURL *easy;
	struct http_call *call;
	struct curl_slist *headers;
	struct host_certs certs;
	bool head_done, stopped;
	uint64_t sent;               /* of call->body */
	curl_off_t moved;            /* bytes of both ways when `moved_ms` was taken */
	int64_t moved_ms, stalled_ms;
	char error[CURL_ERROR_SIZE];
};

static void handle_free(struct http_handle *h)
{
	if (!h)
		return;
	curl.easy_cleanup(h->easy);
	for (struct curl_slist *l = h->headers; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl.slist_free_all(h->headers);
	host_certs_fini(&h->certs);
	free(h);
}

void http_call_fini(struct http_call *c)
{
	for (size_t i = 0; i < c->headers.n; i++)
		explicit_bzero(c->headers.v[i], strlen(c->headers.v[i]));
	strv_fini(&c->headers);
	http_answer_fini(&c->answer);
	*c = (struct http_call){ 0 };
}

/* ---- what arrives ---- */

static size_t stop(struct http_handle *h)
{
	h->stopped = true;
	return 0; /* fewer bytes than were given: libcurl ends the transfer */
}

static size_t head_ended(struct http_handle *h, size_t n)
{
	struct http_call *c = h->call;
	long status = 0;
	curl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200) { /* 1xx: the answer is still to come, and these headers are none of its own */
		size_t seen = c->answer.header_bytes;
		http_answer_fini(&c->answer);
		c->answer.header_bytes = seen;
		return n;
	}
	c->answer.status = (int)status;
	h->head_done = true;
	if (c->on_head && c->on_head(c->ctx, &c->answer, &c->err) < 0)
		return stop(h);
	return n;
}

/* libcurl hands over one whole line at a time; the line is not a C string. CURLOPT_HEADERFUNCTION(3). */
static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
	struct http_handle *h = ctx;
	struct http_call *c = h->call;
	size_t n = size * count;
	c->answer.header_bytes += n;
	if (c->answer.header_bytes > LIMIT_HEADER_BLOCK) {
		err_set(&c->err, ERR_LIMIT, "the answer has more than %u bytes of headers", LIMIT_HEADER_BLOCK);
		return stop(h);
	}
	if (h->head_done)
		return n; /* trailers of a chunked body */
	if (n == 0 || line[0] == '\r' || line[0] == '\n')
		return head_ended(h, n);
	AUTO(free_drop) char *text = x_strndup(line, n);
	if (strlen(text) == n)
		http_answer_take(&c->answer, text, n);
	return n;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_handle *h = ctx;
	struct http_call *c = h->call;
	size_t n = size * count;
	if (n && c->on_body && c->on_body(c->ctx, bytes, n, &c->err) < 0)
		return stop(h);
	return n;
}

/* ---- what is sent ---- */

static size_t on_read(char *to, size_t size, size_t count, void *ctx)
{
	struct http_handle *h = ctx;
	struct http_call *c = h->call;
	const struct http_body *b = &c->body;
	uint64_t left = b->size - h->sent;
	size_t n = size * count < left ? size * count : (size_t)left;
	if (n == 0)
		return 0;
	if (b->bytes) {
		memcpy(to, b->bytes + h->sent, n);
	} else {
		ssize_t got = pread(b->fd, to, n, (off_t)(b->offset + h->sent));
		if (got <= 0) {
			if (got < 0)
				err_sys(&c->err, "read what is to be sent");
			else
				err_set(&c->err, ERR_INTEGRITY, "the file that is sent has become shorter");
			h->stopped = true;
			return CURL_READFUNC_ABORT;
		}
		n = (size_t)got;
	}
	h->sent += n;
	if (c->on_sent)
		c->on_sent(c->ctx, h->sent);
	return n;
}

/*
 * From its beginning, when a connection that had been kept turns out to be closed. Not for a part of a file: the server
 * may have some of it, which the caller must ask for first.
 */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct http_handle *h = ctx;
	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > h->call->body.size || !h->call->body.bytes)
		return CURL_SEEKFUNC_FAIL;
	h->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void set_body(struct http_handle *h)
{
	curl.easy_setopt(h->easy, CURLOPT_UPLOAD, 1L);
	curl.easy_setopt(h->easy, CURLOPT_READFUNCTION, on_read);
	curl.easy_setopt(h->easy, CURLOPT_READDATA, h);
	curl.easy_setopt(h->easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl.easy_setopt(h->easy, CURLOPT_SEEKDATA, h);
	curl.easy_setopt(h->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)h->call->body.size);
	curl.easy_setopt(h->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
}

static void set_method(struct http_handle *h)
{
	const struct http_call *c = h->call;
	switch (c->method) {
	case HTTP_GET:
		break;
	case HTTP_HEAD:
		curl.easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
		break;
	case HTTP_POST:
		curl.easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(c->form ? c->form : ""));
		curl.easy_setopt(h->easy, CURLOPT_POSTFIELDS, c->form ? c->form : "");
		break;
	case HTTP_PUT:
		set_body(h);
		break;
	case HTTP_PATCH:
		set_body(h);
		curl.easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, "PATCH");
		break;
	}
}

/* ---- how long it takes ---- */

/*
 * libcurl's own timer cannot tell a server that is gone from one that has all of a body and is still storing it.
 * CURLOPT_XFERINFOFUNCTION(3): called at least once a second.
 */
static int on_time(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	struct http_handle *h = ctx;
	const struct http_call *c = h->call;
	int64_t now = clock_ms(), limit = http_timeout_ms();
	bool storing = (c->method == HTTP_PUT || c->method == HTTP_PATCH) && h->sent == c->body.size && !h->head_done;
	if (!h->moved_ms || down + up - h->moved >= STALL_RATE * limit / 1000) {
		h->moved = down + up;
		h->moved_ms = now;
		return 0;
	}
	if (storing)
		limit *= ANSWER_TIMEOUTS;
	if (now - h->moved_ms < limit)
		return 0;
	h->stalled_ms = now - h->moved_ms;
	return 1;
}

/* ---- what is asked ---- */

/*
 * The authorities this host may be signed by: the system's, and those of its certs.d directory. libcurl takes a file or
 * a blob, so with own authorities the system's file is put before them. A static binary carries the file names of the
 * machine it was built on: SSL_CERT_FILE and SSL_CERT_DIR, as OpenSSL reads them, say otherwise.
 */
static int set_authorities(struct http_handle *h, struct err *e)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	if (file)
		curl.easy_setopt(h->easy, CURLOPT_CAINFO, file);
	if (dir)
		curl.easy_setopt(h->easy, CURLOPT_CAPATH, dir);
	if (h->certs.authorities.len == 0)
		return 0;
	AUTO(str_fini) struct str roots = { 0 };
	AUTO(fd_drop) int fd = -1;
	char *system_file = NULL;
	if (!file)
		curl.easy_getinfo(h->easy, CURLINFO_CAINFO, &system_file);
	const char *path = file ? file : system_file;
	struct err ignored;
	if (path)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fd_read_all(fd, ROOTS_MAX_BYTES, path, &roots, &ignored) < 0)
		log_debug("system certificates left out: %s", ignored.msg);
	str_addc(&roots, '\n');
	str_addn(&roots, h->certs.authorities.buf, h->certs.authorities.len);
	struct curl_blob blob = { .data = roots.buf, .len = roots.len, .flags = CURL_BLOB_COPY };
	if (curl.easy_setopt(h->easy, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK)
		return err_set(e, ERR_SYS, "certificates of certs.d can not be used with this libcurl");
	return 0;
}

static int set_tls(struct http_handle *h, struct err *e)
{
	AUTO(free_drop) char *authority = url_authority(h->call->url);
	if (host_certs_load(authority, &h->certs, e) < 0)
		return -1;
	bool trusted = registries_trusts(h->call->url);
	curl.easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, trusted ? 0L : 1L);
	curl.easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, trusted ? 0L : 2L);
	curl.easy_setopt(h->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (h->certs.cert) {
		curl.easy_setopt(h->easy, CURLOPT_SSLCERT, h->certs.cert);
		curl.easy_setopt(h->easy, CURLOPT_SSLKEY, h->certs.key);
	}
	return set_authorities(h, e);
}

static void add_header(struct http_handle *h, const char *line)
{
	struct curl_slist *l = curl.slist_append(h->headers, line);
	if (!l)
		abort();
	h->headers = l;
}

static void set_headers(struct http_handle *h)
{
	for (size_t i = 0; i < h->call->headers.n; i++)
		add_header(h, h->call->headers.v[i]);
	/* Who logs in first has nothing to wait for before a body is sent. RFC 9110 10.1.1. */
	if (h->call->method != HTTP_GET && h->call->method != HTTP_HEAD)
		add_header(h, "Expect:");
	if (h->call->method == HTTP_POST && !h->call->form)
		add_header(h, "Content-Type:");
	curl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
}

static int set_request(struct http_handle *h, struct err *e)
{
	const struct http_call *c = h->call;
	AUTO(free_drop) char *url = url_text(c->url);
	curl.easy_setopt(h->easy, CURLOPT_URL, url);
	curl.easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, c->url->https ? "https" : "http");
	curl.easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl.easy_setopt(h->easy, CURLOPT_USERAGENT, "nacre/" NACRE_VERSION);
	curl.easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(http_timeout_ms() / CONNECT_SHARE));
	curl.easy_setopt(h->easy, CURLOPT_NOPROGRESS, 0L);
	curl.easy_setopt(h->easy, CURLOPT_XFERINFOFUNCTION, on_time);
	curl.easy_setopt(h->easy, CURLOPT_XFERINFODATA, h);
	curl.easy_setopt(h->easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	curl.easy_setopt(h->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl.easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl.easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
	curl.easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl.easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	curl.easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
	curl.easy_setopt(h->easy, CURLOPT_PRIVATE, c);
	if (host_is_loopback(c->url->host))
		curl.easy_setopt(h->easy, CURLOPT_PROXY, "");
	set_method(h);
	set_headers(h);
	return c->url->https ? set_tls(h, e) : 0;
}

static int prepare(struct http_call *c, struct err *e)
{
	struct http_handle *h = x_alloc(sizeof *h);
	h->call = c;
	h->easy = curl.easy_init();
	if (!h->easy)
		abort();
	if (set_request(h, e) < 0) {
		handle_free(h);
		return -1;
	}
	http_answer_fini(&c->answer);
	c->handle = h;
	return 0;
}

/* ---- what came of it ---- */

static enum http_outcome outcome_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return HTTP_ANSWERED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_CLIENTCERT:
		return HTTP_UNTRUSTED;
	case CURLE_UNSUPPORTED_PROTOCOL: /* an answer without a status line, "HTTP/0.9" */
	case CURLE_WEIRD_SERVER_REPLY:
		return HTTP_GIBBERISH;
	}
	return HTTP_BROKEN;
}

/* OpenSSL's word for a first record that is no TLS: the server speaks http on this port. */
static bool is_plain_http(CURLcode code, const char *error)
{
	return code == CURLE_SSL_CONNECT_ERROR && strstr(error, "wrong version number");
}

/* The last address that was tried said no: nobody listens there. */
static bool is_refusal(struct http_handle *h)
{
	long number = 0;
	curl.easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &number);
	return number == ECONNREFUSED;
}

static void set_why(const struct http_handle *h, CURLcode code)
{
	if (h->stalled_ms)
		err_set(&h->call->err, ERR_NET, "nothing moved for %.1f seconds", (double)h->stalled_ms / 1000);
	else
		err_set(&h->call->err, ERR_NET, "%s", h->error[0] ? h->error : curl.easy_strerror(code));
}

static void finish(struct http_call *c, CURLcode code)
{
	struct http_handle *h = c->handle;
	char *peer = NULL;
	curl.easy_getinfo(h->easy, CURLINFO_PRIMARY_IP, &peer);
	c->connected = peer && peer[0];
	c->unresolved = code == CURLE_COULDNT_RESOLVE_HOST;
	c->refused = code == CURLE_COULDNT_CONNECT && is_refusal(h);
	c->outcome = h->stopped ? HTTP_STOPPED : outcome_of(code);
	if ((c->outcome == HTTP_ANSWERED && !h->head_done) || is_plain_http(code, h->error))
		c->outcome = HTTP_GIBBERISH;
	if (c->outcome != HTTP_ANSWERED && c->outcome != HTTP_STOPPED)
		set_why(h, code);
	c->handle = NULL;
	handle_free(h);
}

int transport_new(struct transport **ret, struct err *e)
{
	if (curl_load(e) < 0)
		return err_in(e, "HTTP");
	if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_SYS, "libcurl does not start");
	struct transport *t = x_alloc(sizeof *t);
	t->multi = curl.multi_init();
	if (!t->multi)
		abort();
	*ret = t;
	return 0;
}

void transport_free(struct transport *t)
{
	if (!t)
		return;
	curl.multi_cleanup(t->multi);
	free(t);
}

void transport_drop(struct transport **t)
{
	transport_free(*t);
	*t = NULL;
}

bool transport_has_answered(const struct transport *t)
{
	return t->answered;
}

int transport_start(struct transport *t, struct http_call *c, struct err *e)
{
	if (prepare(c, e) < 0)
		return -1;
	if (curl.multi_add_handle(t->multi, c->handle->easy) != CURLM_OK)
		abort();
	return 0;
}

static struct http_call *next_finished(struct transport *t)
{
	int left;
	CURLMsg *m = curl.multi_info_read(t->multi, &left);
	if (!m)
		return NULL;
	CURLcode code = m->data.result;
	struct http_call *c = NULL;
	curl.easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
	curl.multi_remove_handle(t->multi, m->easy_handle);
	finish(c, code);
	t->answered |= c->outcome == HTTP_ANSWERED;
	return c;
}

int transport_wait(struct transport *t, int timeout_ms, struct http_call **ret, struct err *e)
{
	int running;
	*ret = next_finished(t);
	if (*ret)
		return 0;
	CURLMcode code = curl.multi_perform(t->multi, &running);
	if (code == CURLM_OK && !(*ret = next_finished(t))) {
		code = curl.multi_poll(t->multi, NULL, 0, timeout_ms, NULL);
		if (code == CURLM_OK)
			code = curl.multi_perform(t->multi, &running);
		*ret = next_finished(t);
	}
	if (code != CURLM_OK)
		return err_set(e, ERR_NET, "libcurl: %s", curl.multi_strerror(code));
	return 0;
}

void transport_stop(struct transport *t, struct http_call *c)
{
	if (!c->handle)
		return;
	curl.multi_remove_handle(t->multi, c->handle->easy);
	handle_free(c->handle);
	c->handle = NULL;
}

int transport_perform(struct transport *t, struct http_call *c, struct err *e)
{
	struct http_call *done = NULL;
	if (transport_start(t, c, e) < 0)
		return -1;
	while (done != c) {
		if (transport_wait(t, 1000, &done, e) < 0) {
			transport_stop(t, c);
			return -1;
		}
	}
	return 0;
}
