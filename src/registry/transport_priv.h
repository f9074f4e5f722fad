/*
 * HTTP calls, several at a time on one thread. A call is one request and its answer: redirects, retries and logins are
 * for the caller (transfer_priv.h). Only transport.c uses libcurl, through curl_priv.h.
 *
 * Certificates are verified, but for registries that the user called insecure (registries.h). Authorities of certs.d directories are trusted for their host only (T-G7). Proxies
 * come from the environment (HTTPS_PROXY, NO_PROXY, … as libcurl reads them), but never stand before a loopback host.
 */
#ifndef NACRE_REGISTRY_TRANSPORT_PRIV_H
#define NACRE_REGISTRY_TRANSPORT_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "url_priv.h"

struct http_answer {
	int status;
	bool has_length;          /* Content-Length was sent */
	uint64_t length;
	bool chunked;
	char *location;           /* header values; NULL when absent. owned, like all */
	char *content_type;
	char *content_range;
	char *etag;
	char *last_modified;
	char *retry_after;
	char *range;              /* of an upload: what the server has */
	char *digest;             /* Docker-Content-Digest */
	char *subject;            /* OCI-Subject */
	uint64_t chunk_min;       /* OCI-Chunk-Min-Length, or 0 */
	struct strv challenges;   /* WWW-Authenticate, in order */
	size_t header_bytes;
};

void http_answer_fini(struct http_answer *a);
/* One header line into the answer; of a header that must not come twice, the first counts. */
void http_answer_take(struct http_answer *a, const char *line, size_t n);

/*
 * Whether "Content-Range: bytes FIRST-LAST/TOTAL" is what was asked for: from `offset` to the end of `size` bytes, 0 when
 * that is not known. RFC 9110 14.4.
 */
bool http_range_fits(const struct http_answer *a, uint64_t offset, uint64_t size);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH };

/* What a PUT or PATCH carries: bytes in memory, or a part of a file. */
struct http_body {
	const char *bytes;        /* borrowed, or NULL: */
	int fd;                   /* borrowed */
	uint64_t offset, size;
};

enum http_outcome {
	HTTP_ANSWERED,   /* the whole answer arrived */
	HTTP_BROKEN,     /* refused, reset, stalled or cut off: worth another try */
	HTTP_GIBBERISH,  /* what answers there does not speak this protocol */
	HTTP_UNTRUSTED,  /* the certificate cannot be verified */
	HTTP_STOPPED,    /* a callback returned -1, or a limit was passed; err says why */
};

struct http_call {
	const struct url *url;        /* borrowed */
	struct strv headers;          /* "Name: value"; owned */
	enum http_method method;
	const char *form;             /* of a POST, already encoded, or NULL; borrowed */
	struct http_body body;        /* of a PUT or PATCH */
	/* Called when the headers are complete (not for 1xx), then for each piece of the body. */
	int (*on_head)(void *ctx, const struct http_answer *a, struct err *e); /* may be NULL */
	int (*on_body)(void *ctx, const void *bytes, size_t n, struct err *e);
	void (*on_sent)(void *ctx, uint64_t sent); /* of the body, now and then; may be NULL */
	void *ctx;

	enum http_outcome outcome;
	struct http_answer answer;
	bool connected;               /* somebody was there, even if no answer came */
	bool refused, unresolved;     /* nobody listens there; the host has no address */
	struct err err;               /* what happened unless HTTP_ANSWERED */
	struct http_handle *handle;   /* while it runs; the transport's */
};

/* Ready for another use of the same struct: request and answer are gone. Secrets in headers are overwritten. */
void http_call_fini(struct http_call *c);

struct transport;

int transport_new(struct transport **ret, struct err *e);
void transport_free(struct transport *t); /* accepts NULL */
void transport_drop(struct transport **t);

/* Whether any call of it was answered. */
bool transport_has_answered(const struct transport *t);

int transport_start(struct transport *t, struct http_call *c, struct err *e);
/* Waits at most timeout_ms; *ret is a call that ended, or NULL. */
int transport_wait(struct transport *t, int timeout_ms, struct http_call **ret, struct err *e);
void transport_stop(struct transport *t, struct http_call *c); /* one that has not ended */

/* One call by itself; no other may be running. */
int transport_perform(struct transport *t, struct http_call *c, struct err *e);

#endif
