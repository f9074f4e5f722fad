#include "server.h"

#include "base/err.h"
#include "base/limits.h"
#include "src/registry/transport_priv.h"

/* What a server may send, and what we take it for: 'a' a whole answer, 'b' broken, 'g' gibberish,
	's' stopped by us (T-G8). */
static const struct { char outcome; int status; const char *body, *reply; } rows[] = {
	{ 'a', 200, "ok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" },
	{ 'a', 200, "ok", "HTTP/1.0 200 OK\r\n\r\nok" },
	{ 'a', 200, "ok", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok" },
	{ 'a', 200, "ok", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok" },
	{ 'a', 200, "ok", "HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nok" },
	{ 'a', 200, "ok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more that is not ours" },
	{ 'a', 200, "ok", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" },
	{ 'a', 200, "ok",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;ext=\"x\"\r\no\r\n01\r\nk\r\n0\r\nTrailer: x\r\n\r\n" },
	{ 'a', 200, "ok", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" },
	{ 'a', 200, "ok",
	"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" },
	{ 'a', 200, "\x1f\x8b", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b" },
	{ 'g', 0, NULL, "HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\nok" },
	{ 'a', 200, "ok", "HTTP/1.1 200 OK\r\nX-Folded: a\r\n  b\r\nContent-Length: 2\r\n\r\nok" },
	{ 'a', 200, "ok", "HTTP/1.1 200 OK\r\nX-Bytes: \xff\xfe\x80\r\nContent-Length: 2\r\n\r\nok" },
	{ 'a', 200, "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
	{ 'a', 200, "", "HTTP/1.1 200 OK\r\n\r\n" },
	{ 'a', 204, "", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello" },
	{ 'a', 304, "", "HTTP/1.1 304 Not Modified\r\n\r\nhello" },
	{ 'a', 401, "no",
	"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: Bearer\r\nContent-Length: 2\r\n\r\nno" },
	{ 'a', 599, "", "HTTP/1.1 599 Strange\r\nContent-Length: 0\r\n\r\n" },
	{ 'a', 200, "ok",
	"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" },
	{ 'b', 0, NULL, "" },
	{ 'b', 200, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok" },
	{ 'b', 200, NULL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n" },
	{ 'b', 200, NULL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nok\r\n0\r\n\r\n" },
	{ 'b', 200, NULL,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nok\r\n0\r\n\r\n" },
	{ 'b', 200, NULL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n" },
	{ 'g', 0, NULL, "ok" },
	{ 'g', 0, NULL, "\x15\x03\x01\x02\x02\x16" },
	{ 'g', 0, NULL, "SSH-2.0-OpenSSH_9.2\r\n" },
	{ 'g', 0, NULL, "<html>\r\n" },
	{ 'g', 0, NULL, "ICY 200 OK\r\n\r\n" },
};

static int take_body(void *ctx, const void *bytes, size_t n, struct err *e)
{
	str_addn(ctx, bytes, n);
	return 0;
}

static int refuse_head(void *ctx, const struct http_answer *a, struct err *e)
{
	return err_set(e, ERR_LIMIT, "not wanted");
}

static int refuse_body(void *ctx, const void *bytes, size_t n, struct err *e)
{
	return err_set(e, ERR_LIMIT, "not wanted");
}

/* One call of a server that replies this; the caller ends *c. */
static void call(const char *reply, struct http_call *c, struct str *body)
{
	const char *const replies[] = { reply, NULL };
	AUTO(transport_drop) struct transport *t = NULL;
	AUTO(url_fini) struct url u = { 0 };
	struct server s;
	struct err e;
	server_start(&s, replies);
	AUTO(free_drop) char *text = x_asprintf("http://127.0.0.1:%d/x", s.port);
	assert_int_equal(url_parse(text, &u, &e), 0);
	c->url = &u;
	if (!c->on_body)
		c->on_body = take_body;
	c->ctx = body;
	assert_int_equal(transport_new(&t, &e), 0);
	assert_int_equal(transport_perform(t, c, &e), 0);
	c->url = NULL;
	free(server_stop(&s));
}

static const char *name_of(enum http_outcome o)
{
	static const char *const names[] = {
		[HTTP_ANSWERED] = "a", [HTTP_BROKEN] = "b", [HTTP_GIBBERISH] = "g", [HTTP_UNTRUSTED] = "u",
			[HTTP_STOPPED] = "s",
	};
	return names[o];
}

static void oddities(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(http_call_fini) struct http_call c = { 0 };
		AUTO(str_fini) struct str body = { 0 };
		call(rows[i].reply, &c, &body);
		row_check(wrong, *name_of(c.outcome) == rows[i].outcome && c.answer.status == rows[i].status,
			  "row %zu: %s %d %s", i, name_of(c.outcome), c.answer.status, c.err.msg);
		row_check(wrong, !rows[i].body || str_eq(str_text(&body), rows[i].body), "row %zu: body %s", i,
			str_text(&body));
		row_check(wrong, c.outcome == HTTP_ANSWERED || c.err.msg[0], "row %zu says nothing", i);
	}
	assert_int_equal(wrong, 0);
}

static void headers_are_kept(void **state)
{
	AUTO(http_call_fini) struct http_call c = { 0 };
	AUTO(str_fini) struct str body = { 0 };
	call("HTTP/1.1 100 Continue\r\nETag: \"early\"\r\nWWW-Authenticate: Early\r\n\r\n"
	     "HTTP/1.1 401 No\r\nLocation:  /first \r\nLocation: /second\r\nWWW-Authenticate: Basic realm=\"a\"\r\n"
	     "www-authenticate: Bearer realm=\"b\"\r\nContent-Type: a/b; c=d\r\nContent-Type: e/f\r\nRetry-After: 3\r\n"
	     "ETag: \"late\"\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", &c, &body);
	assert_int_equal(c.outcome, HTTP_ANSWERED);
	assert_string_equal(c.answer.location, "/first");
	assert_string_equal(c.answer.content_type, "a/b; c=d");
	assert_string_equal(c.answer.retry_after, "3");
	assert_string_equal(c.answer.etag, "\"late\"");
	assert_int_equal(c.answer.challenges.n, 2);
	assert_string_equal(c.answer.challenges.v[1], "Bearer realm=\"b\"");
	assert_true(c.answer.has_length);
}

/* The header block at one byte below, at, and above its limit; and in many small lines. */
static void header_block_has_a_limit(void **state)
{
	static const char start[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ", end[] = "\r\n\r\n";
	for (size_t n = LIMIT_HEADER_BLOCK - 1; n <= LIMIT_HEADER_BLOCK + 1; n++) {
		AUTO(http_call_fini) struct http_call c = { 0 };
		AUTO(str_fini) struct str body = { 0 };
		AUTO(free_drop) char *reply = x_asprintf("%s%0*d%s", start, (int)(n - strlen(start) - strlen(end)), 0,
			end);
		assert_int_equal(strlen(reply), n);
		call(reply, &c, &body);
		assert_int_equal(c.outcome, n <= LIMIT_HEADER_BLOCK ? HTTP_ANSWERED : HTTP_STOPPED);
	}
	AUTO(http_call_fini) struct http_call c = { 0 };
	AUTO(str_fini) struct str body = { 0 }, reply = { 0 };
	str_add(&reply, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 10000; i++)
		str_addf(&reply, "X-%d: y\r\n", i);
	str_add(&reply, "\r\n");
	call(reply.buf, &c, &body);
	assert_int_equal(c.outcome, HTTP_STOPPED);
	assert_int_equal(c.err.kind, ERR_LIMIT);
}

/* Interim answers count too, or a server could send them for ever. */
static void interim_answers_have_a_limit(void **state)
{
	AUTO(http_call_fini) struct http_call c = { 0 };
	AUTO(str_fini) struct str body = { 0 }, reply = { 0 };
	for (int i = 0; i < 4000; i++)
		str_add(&reply, "HTTP/1.1 100 Continue\r\n\r\n");
	call(reply.buf, &c, &body);
	assert_int_not_equal(c.outcome, HTTP_ANSWERED);
}

static void callbacks_may_refuse(void **state)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	AUTO(http_call_fini) struct http_call head = { .on_head = refuse_head };
	AUTO(http_call_fini) struct http_call bytes = { .on_body = refuse_body };
	AUTO(str_fini) struct str body = { 0 };
	call(reply, &head, &body);
	assert_int_equal(head.outcome, HTTP_STOPPED);
	assert_string_equal(head.err.msg, "not wanted");
	call(reply, &bytes, &body);
	assert_int_equal(bytes.outcome, HTTP_STOPPED);
	assert_int_equal(body.len, 0);
}

static void nobody_there(void **state)
{
	AUTO(transport_drop) struct transport *t = NULL;
	AUTO(url_fini) struct url u = { 0 };
	AUTO(str_fini) struct str body = { 0 };
	AUTO(http_call_fini) struct http_call c = { .url = &u, .on_body = take_body, .ctx = &body };
	struct err e;
	assert_int_equal(url_parse("http://127.0.0.1:1/", &u, &e), 0);
	assert_int_equal(transport_new(&t, &e), 0);
	assert_int_equal(transport_perform(t, &c, &e), 0);
	assert_int_equal(c.outcome, HTTP_BROKEN);
	assert_false(c.connected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oddities),
		cmocka_unit_test(headers_are_kept),
		cmocka_unit_test(header_block_has_a_limit),
		cmocka_unit_test(interim_answers_have_a_limit),
		cmocka_unit_test(callbacks_may_refuse),
		cmocka_unit_test(nobody_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
