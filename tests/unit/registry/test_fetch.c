#include "server.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/err.h"
#include "base/fd.h"
#include "registry/fetch.h"

static struct err last;

/* Fetches /file of a server that gives these replies; *ret_text is what was asked, `body` what arrived. */
static int fetch(const char *const *replies, struct fetch_request q, struct fetched *ret, struct str *body,
		 char **ret_text)
{
	struct server s;
	struct err e;
	AUTO(fd_drop) int fd = memfd_create("body", MFD_CLOEXEC);
	server_start(&s, replies);
	AUTO(free_drop) char *url = x_asprintf("http://127.0.0.1:%d/file?key=s3cr3t", s.port);
	q.url = url;
	q.fd = fd;
	if (!q.limit)
		q.limit = 1000;
	last = (struct err){ 0 };
	int r = http_fetch(&q, ret, &last);
	*ret_text = server_stop(&s);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(fd_read_all(fd, 10000, "body", body, &e), 0);
	return r;
}

#define HEAD(status, more) "HTTP/1.1 " status "\r\n" more "Connection: close\r\n\r\n"

static void a_file_and_what_is_said_of_it(void **state)
{
	static const char *const replies[] = {
		HEAD("200 OK",
		     "Content-Length: 5\r\nETag: \"abc\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n") "hello",
		NULL,
	};
	AUTO(fetched_fini) struct fetched f = { 0 };
	AUTO(str_fini) struct str body = { 0 };
	AUTO(free_drop) char *asked = NULL;
	assert_int_equal(fetch(replies, (struct fetch_request){ 0 }, &f, &body, &asked), 0);
	struct digest want = digest_of("hello", 5);
	assert_string_equal(body.buf, "hello");
	assert_int_equal(f.size, 5);
	assert_true(digest_eq(&f.digest, &want));
	assert_string_equal(f.etag, "\"abc\"");
	assert_true(f.has_last_modified);
	assert_int_equal(f.last_modified, 784111777);
	assert_non_null(strstr(asked, "GET /file?key=s3cr3t HTTP/1.1\r\n"));
	assert_null(strcasestr(asked, "authorization"));
	assert_null(strcasestr(asked, "cookie"));
}

static void a_cut_is_resumed(void **state)
{
	static const char *const replies[] = {
		HEAD("200 OK", "Content-Length: 10\r\nETag: \"abc\"\r\n") "hello",
		HEAD("206 Partial Content", "Content-Length: 5\r\nContent-Range: bytes 5-9/10\r\n") "world", NULL,
	};
	AUTO(fetched_fini) struct fetched f = { 0 };
	AUTO(str_fini) struct str body = { 0 };
	AUTO(free_drop) char *asked = NULL;
	assert_int_equal(fetch(replies, (struct fetch_request){ 0 }, &f, &body, &asked), 0);
	struct digest want = digest_of("helloworld", 10);
	assert_string_equal(body.buf, "helloworld");
	assert_true(digest_eq(&f.digest, &want));
	assert_non_null(strstr(asked, "Range: bytes=5-\r\nIf-Range: \"abc\"\r\n"));
}

static void a_cut_of_a_file_that_changes(void **state)
{
	static const char *const replies[] = {
		HEAD("200 OK", "Content-Length: 10\r\nETag: \"abc\"\r\n") "hello",
		HEAD("200 OK", "Content-Length: 3\r\nETag: \"def\"\r\n") "new", NULL,
	};
	AUTO(fetched_fini) struct fetched f = { 0 };
	AUTO(str_fini) struct str body = { 0 };
	AUTO(free_drop) char *asked = NULL;
	assert_int_equal(fetch(replies, (struct fetch_request){ 0 }, &f, &body, &asked), 0);
	assert_string_equal(body.buf, "new");
	assert_int_equal(f.size, 3);
	assert_string_equal(f.etag, "\"def\"");
}

/* A part that is not the one asked for would put together a file that never was; nothing else would notice. */
static void parts_that_do_not_fit(void **state)
{
	static const char *const ranges[] = { "bytes 4-9/10", "bytes 5-8/10", "" };
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		AUTO(free_drop) char *part = x_asprintf(HEAD("206 Partial Content", "Content-Range: %s\r\n") "xxxxx",
			ranges[i]);
		const char *const replies[] = {
			HEAD("200 OK", "Content-Length: 10\r\nETag: \"abc\"\r\n") "hello", part,
			HEAD("200 OK", "Content-Length: 10\r\nETag: \"abc\"\r\n") "helloworld", NULL,
		};
		AUTO(fetched_fini) struct fetched f = { 0 };
		AUTO(str_fini) struct str body = { 0 };
		AUTO(free_drop) char *asked = NULL;
		assert_int_equal(fetch(replies, (struct fetch_request){ 0 }, &f, &body, &asked), 0);
		assert_string_equal(body.buf, "helloworld");
	}
}

static void a_copy_that_is_current(void **state)
{
	static const char *const replies[] = { HEAD("304 Not Modified", "ETag: \"abc\"\r\n"), NULL };
	AUTO(fetched_fini) struct fetched f = { 0 };
	AUTO(str_fini) struct str body = { 0 };
	AUTO(free_drop) char *asked = NULL;
	assert_int_equal(fetch(replies, (struct fetch_request){ .etag = "\"abc\"" }, &f, &body, &asked), 0);
	assert_true(f.not_modified);
	assert_int_equal(body.len, 0);
	assert_non_null(strstr(asked, "If-None-Match: \"abc\"\r\n"));
}

static void redirects_are_followed(void **state)
{
	static const char *const replies[] = {
		HEAD("302 Found", "Location: other?sig=x#part\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n"),
		HEAD("200 OK", "Content-Length: 2\r\n") "ok", NULL,
	};
	AUTO(fetched_fini) struct fetched f = { 0 };
	AUTO(str_fini) struct str body = { 0 };
	AUTO(free_drop) char *asked = NULL;
	assert_int_equal(fetch(replies, (struct fetch_request){ 0 }, &f, &body, &asked), 0);
	assert_string_equal(body.buf, "ok");
	assert_true(str_ends(f.url, "/other?sig=x"));
	assert_null(strcasestr(asked, "cookie:"));
	assert_false(f.has_last_modified);
}

static void what_is_refused(void **state)
{
	static const struct { const char *reply; enum err_kind kind; const char *says; } rows[] = {
		{ HEAD("404 Not Found", "Content-Length: 0\r\n"), ERR_NOTFOUND, "404" },
		{ HEAD("410 Gone", "Content-Length: 0\r\n"), ERR_NOTFOUND, "410" },
		{ HEAD("403 Forbidden", "Content-Length: 0\r\n"), ERR_AUTH, "403" },
		{ HEAD("401 Unauthorized", "Content-Length: 0\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"), ERR_AUTH,
		  "401" },
		{ HEAD("418 Teapot", "Content-Length: 0\r\n"), ERR_NET, "418" },
		{ HEAD("304 Not Modified", ""), ERR_NET, "304" },
		{ HEAD("204 No Content", ""), ERR_NET, "204" },
		{ HEAD("200 OK", "Content-Length: 1001\r\n"), ERR_LIMIT, "limit" },
		{ HEAD("302 Found", "Content-Length: 0\r\n"), ERR_NET, "nowhere" },
		{ HEAD("302 Found", "Content-Length: 0\r\nLocation: ftp://127.0.0.1/\r\n"), ERR_SPEC, "redirect" },
		{ HEAD("302 Found", "Content-Length: 0\r\nLocation: http://me:hunter2@127.0.0.1/\r\n"), ERR_SPEC,
		  "user name" },
		{ HEAD("206 Partial Content", "Content-Length: 1\r\nContent-Range: bytes 1-1/2\r\n") "x", ERR_NET,
		  NULL },
		{ "220 mail.example.com ESMTP\r\n", ERR_NET, "does not speak http" },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const replies[] = { rows[i].reply, HEAD("404 Not Found", "Content-Length: 0\r\n"), NULL };
		struct fetched f = { 0 };
		AUTO(str_fini) struct str body = { 0 };
		AUTO(free_drop) char *asked = NULL;
		int r = fetch(replies, (struct fetch_request){ 0 }, &f, &body, &asked);
		if (!rows[i].says) { /* another try */
			row_check(wrong, r < 0 && last.kind == ERR_NOTFOUND, "row %zu: %s", i, last.msg);
			continue;
		}
		row_check(wrong, r < 0 && last.kind == rows[i].kind && strstr(last.msg, rows[i].says), "row %zu: %s", i,
			  last.msg);
		row_check(wrong, !strstr(last.msg, "s3cr3t") && !strstr(last.msg, "hunter2"), "row %zu: %s", i,
			  last.msg);
		row_check(wrong, body.len == 0, "row %zu left a body", i);
	}
	assert_int_equal(wrong, 0);
}

/* At limit-1, limit and limit+1, announced and not. */
static void the_limit_holds(void **state)
{
	for (int announced = 0; announced <= 1; announced++) {
		for (int n = 999; n <= 1001; n++) {
			const char *header = announced ? "Content-Length" : "X-Length";
			AUTO(free_drop) char *reply = x_asprintf(HEAD("200 OK", "%s: %d\r\n") "%0*d", header, n, n, 0);
			const char *const replies[] = { reply, NULL };
			AUTO(fetched_fini) struct fetched f = { 0 };
			AUTO(str_fini) struct str body = { 0 };
			AUTO(free_drop) char *asked = NULL;
			assert_int_equal(fetch(replies, (struct fetch_request){ 0 }, &f, &body, &asked),
					 n <= 1000 ? 0 : -1);
			if (n > 1000)
				assert_int_equal(last.kind, ERR_LIMIT);
		}
	}
}

static void urls_with_passwords_are_refused(void **state)
{
	struct fetched f;
	struct err e = { 0 };
	struct fetch_request q = { .url = "https://me:hunter2@example.com/file", .fd = -1, .limit = 10 };
	assert_int_equal(http_fetch(&q, &f, &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
	assert_null(strstr(e.msg, "hunter2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_and_what_is_said_of_it),
		cmocka_unit_test(a_cut_is_resumed),
		cmocka_unit_test(a_cut_of_a_file_that_changes),
		cmocka_unit_test(parts_that_do_not_fit),
		cmocka_unit_test(a_copy_that_is_current),
		cmocka_unit_test(redirects_are_followed),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(the_limit_holds),
		cmocka_unit_test(urls_with_passwords_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
