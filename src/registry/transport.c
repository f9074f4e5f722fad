#include "transport_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "certs_priv.h"
#include "curl_priv.h"

enum {
	CONNECT_TIMEOUT_S = 30,
	STALL_TIME_S = 60,           /* this long below STALL_RATE and the peer counts as gone (N5) */
	STALL_RATE = 64,             /* bytes per second; one byte a second is a stall too */
	ROOTS_MAX_BYTES = 8 << 20,
	BUFFER_BYTES = 256 << 10,    /* libcurl's 16 KiB cost a system call each */
};

struct transport {
	CURLM *multi;
};

/* What one running call needs beside its struct http_call. */
struct http_handle {
	CURL *easy;
	struct http_call *call;
	struct curl_slist *headers;
	struct host_certs certs;
	bool head_done, stopped;
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

static void answer_fini(struct http_answer *a)
{
	free(a->location);
	free(a->content_type);
	free(a->content_range);
	free(a->etag);
	free(a->last_modified);
	free(a->retry_after);
	strv_fini(&a->challenges);
	*a = (struct http_answer){ 0 };
}

void http_call_fini(struct http_call *c)
{
	for (size_t i = 0; i < c->headers.n; i++)
		explicit_bzero(c->headers.v[i], strlen(c->headers.v[i]));
	strv_fini(&c->headers);
	answer_fini(&c->answer);
	*c = (struct http_call){ 0 };
}

/* ---- what arrives ---- */

static bool header_is(const char *line, size_t n, const char *name, char **ret_value)
{
	size_t m = strlen(name);
	if (n <= m || line[m] != ':' || !str_case_starts(line, name))
		return false;
	const char *p = line + m + 1, *end = line + n;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && strchr(" \t\r\n", end[-1]))
		end--;
	*ret_value = x_strndup(p, (size_t)(end - p));
	return true;
}

/* One header line into the answer; of a header that must not come twice, the first counts. */
static void take_header(struct http_answer *a, const char *line, size_t n)
{
	const struct {
		const char *name;
		char **to;
	} known[] = {
		{ "Location", &a->location },           { "Content-Type", &a->content_type },
		{ "Content-Range", &a->content_range }, { "ETag", &a->etag },
		{ "Last-Modified", &a->last_modified }, { "Retry-After", &a->retry_after },
	};
	AUTO(free_drop) char *value = NULL;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (header_is(line, n, known[i].name, &value)) {
			if (!*known[i].to)
				*known[i].to = ptr_take(&value);
			return;
		}
	}
	if (header_is(line, n, "WWW-Authenticate", &value))
		strv_push_taken(&a->challenges, ptr_take(&value));
	else if (header_is(line, n, "Content-Length", &value) && !a->has_length)
		a->has_length = str_to_u64(value, INT64_MAX, &a->length);
	else if (header_is(line, n, "Transfer-Encoding", &value))
		a->chunked = true;
}

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
		answer_fini(&c->answer);
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
		take_header(&c->answer, text, n);
	return n;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_handle *h = ctx;
	struct http_call *c = h->call;
	size_t n = size * count;
	if (n && c->on_body(c->ctx, bytes, n, &c->err) < 0)
		return stop(h);
	return n;
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
	curl.easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl.easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl.easy_setopt(h->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (h->certs.cert) {
		curl.easy_setopt(h->easy, CURLOPT_SSLCERT, h->certs.cert);
		curl.easy_setopt(h->easy, CURLOPT_SSLKEY, h->certs.key);
	}
	return set_authorities(h, e);
}

static void set_headers(struct http_handle *h)
{
	for (size_t i = 0; i < h->call->headers.n; i++) {
		struct curl_slist *l = curl.slist_append(h->headers, h->call->headers.v[i]);
		if (!l)
			abort();
		h->headers = l;
	}
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
	curl.easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl.easy_setopt(h->easy, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_RATE);
	curl.easy_setopt(h->easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_TIME_S);
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
	if (c->form)
		curl.easy_setopt(h->easy, CURLOPT_POSTFIELDS, c->form);
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
	answer_fini(&c->answer);
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

static void finish(struct http_call *c, CURLcode code)
{
	struct http_handle *h = c->handle;
	char *peer = NULL;
	curl.easy_getinfo(h->easy, CURLINFO_PRIMARY_IP, &peer);
	c->connected = peer && peer[0];
	c->outcome = h->stopped ? HTTP_STOPPED : outcome_of(code);
	if ((c->outcome == HTTP_ANSWERED && !h->head_done) || is_plain_http(code, h->error))
		c->outcome = HTTP_GIBBERISH;
	if (c->outcome != HTTP_ANSWERED && c->outcome != HTTP_STOPPED)
		err_set(&c->err, ERR_NET, "%s", h->error[0] ? h->error : curl.easy_strerror(code));
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
