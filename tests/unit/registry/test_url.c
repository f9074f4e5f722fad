#include "table.h"

#include "base/err.h"
#include "src/registry/url_priv.h"

static const struct { const char *typed, *text, *redacted; } good[] = {
	{ "https://example.com", "https://example.com/", "https://example.com/" },
	{ "HTTPS://Example.COM/", "https://example.com/", "https://example.com/" },
	{ "https://example.com:443/a", "https://example.com/a", "https://example.com/a" },
	{ "https://example.com:/a", "https://example.com/a", "https://example.com/a" },
	{ "https://example.com:80/a", "https://example.com:80/a", "https://example.com:80/a" },
	{ "http://example.com:80/a", "http://example.com/a", "http://example.com/a" },
	{ "http://example.com:8080", "http://example.com:8080/", "http://example.com:8080/" },
	{ "https://e.x?q=1", "https://e.x/?q=1", "https://e.x/?..." },
	{ "https://e.x/a?sig=SECRET#f", "https://e.x/a?sig=SECRET", "https://e.x/a?..." },
	{ "https://e.x/a#?b", "https://e.x/a", "https://e.x/a" },
	{ "https://e.x/a b", "https://e.x/a%20b", "https://e.x/a%20b" },
	{ "https://e.x/\xc3\xa4", "https://e.x/%C3%A4", "https://e.x/%C3%A4" },
	{ "https://e.x/a@b", "https://e.x/a@b", "https://e.x/a@b" },
	{ "https://e.x/a\\b", "https://e.x/a\\b", "https://e.x/a\\b" },
	{ "http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/v2/" },
	{ "http://[::1]:5000/v2/", "http://[::1]:5000/v2/", "http://[::1]:5000/v2/" },
	{ "https://[2001:DB8::1]/", "https://[2001:db8::1]/", "https://[2001:db8::1]/" },
	{ "https://a_b.example/x", "https://a_b.example/x", "https://a_b.example/x" },
	{ "https://1.example/x", "https://1.example/x", "https://1.example/x" },
};

static const char *const bad[] = {
	"", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "https:/example.com/",
	"https://", "https:///x",
	"https://user@example.com/", "https://user:pw@example.com/", "https://example.com:pw@evil.com/",
	"https://@example.com/",
	"https://example.com\\@evil.com/", "https://example.com\\.evil.com/", "https://exa mple.com/",
	"https://example.com\t/",
	"https://example.com/a\nb", "https://example.com/a\rb", "https://example.com/\x7f", "https://example.com:0/",
	"https://example.com:65536/", "https://example.com:x/", "https://example.com:80:80/", "https://example.com./",
	"https://.example.com/", "https://example..com/", "https://[::1/", "https://::1/", "https://[::1]]/",
	"https://[fe80::1%25eth0]/",
	"https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://1.2.3.4.5/",
	"https://256.1.1.1/",
	"https://0177.0.0.1/", "https://example.1/", "https://ex\xc3\xa4mple.com/", "https://example.com%2f@evil/",
	"https://%31/",
	"javascript:alert(1)", " https://example.com/",
};

static const struct { const char *base, *location, *want; } redirects[] = {
	{ "https://e.x/a/b?q", "https://f.x/c", "https://f.x/c" },
	{ "https://e.x/a/b?q", "HTTP://f.x/c", "http://f.x/c" },
	{ "https://e.x/a/b?q", "//f.x/c?d", "https://f.x/c?d" },
	{ "http://e.x:81/a/b", "//f.x/c", "http://f.x/c" },
	{ "https://e.x:444/a/b?q", "/c", "https://e.x:444/c" },
	{ "https://e.x/a/b?q", "c", "https://e.x/a/c" },
	{ "https://e.x/a/b?q", "../c", "https://e.x/a/../c" },
	{ "https://e.x/a/b?q", "?r", "https://e.x/a/b?r" },
	{ "https://e.x/a/b?q", "", "https://e.x/a/b" },
	{ "https://e.x/a/b?q", "c?u=https://f.x/", "https://e.x/a/c?u=https://f.x/" },
	{ "https://e.x/a/b", "ftp://f.x/", NULL },
	{ "https://e.x/a/b", "https://u:p@f.x/", NULL },
	{ "https://e.x/a/b", "//u@f.x/", NULL },
	{ "https://e.x/a/b", "/c\r\nX: y", NULL },
	{ "https://e.x/a/b", "file:///etc/passwd", NULL },
	{ "https://e.x/a/b", "https:evil", NULL },
};

static void reads_and_writes(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO(url_fini) struct url u = { 0 };
		struct err e = { 0 };
		if (url_parse(good[i].typed, &u, &e) < 0) {
			row_check(wrong, false, "%s: %s", good[i].typed, e.msg);
			continue;
		}
		AUTO(free_drop) char *text = url_text(&u);
		AUTO(free_drop) char *redacted = url_redacted(&u);
		row_check(wrong, str_eq(text, good[i].text), "%s: %s", good[i].typed, text);
		row_check(wrong, str_eq(redacted, good[i].redacted), "%s: %s", good[i].typed, redacted);
	}
	assert_int_equal(wrong, 0);
}

static void refuses_what_readers_disagree_about(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(url_fini) struct url u = { 0 };
		struct err e = { 0 };
		row_check(wrong, url_parse(bad[i], &u, &e) < 0 && e.kind == ERR_SPEC, "\"%s\" was accepted", bad[i]);
	}
	assert_int_equal(wrong, 0);
}

static void messages_hide_passwords_and_signatures(void **state)
{
	static const char *const secret[] = {
		"https://user:hunter2@example.com/", "https://example.com:0/?sig=hunter2", "hunter2@example.com",
		"https://e..x/#hunter2",
	};
	for (size_t i = 0; i < ARRAY_LEN(secret); i++) {
		struct url u;
		struct err e = { 0 };
		assert_int_equal(url_parse(secret[i], &u, &e), -1);
		assert_null(strstr(e.msg, "hunter2"));
	}
}

static void follows_locations(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(redirects); i++) {
		AUTO(url_fini) struct url base = { 0 }, to = { 0 };
		struct err e = { 0 };
		assert_int_equal(url_parse(redirects[i].base, &base, &e), 0);
		int r = url_resolve(&base, redirects[i].location, &to, &e);
		AUTO(free_drop) char *text = r < 0 ? NULL : url_text(&to);
		row_check(wrong, str_eq(text, redirects[i].want), "%s + %s: %s", redirects[i].base,
			redirects[i].location,
			  text ? text : e.msg);
	}
	assert_int_equal(wrong, 0);
}

static void origins(void **state)
{
	static const struct { const char *a, *b; bool same; } rows[] = {
		{ "https://e.x/a", "https://E.x:443/b?c", true },  { "https://e.x/", "http://e.x/", false },
		{ "https://e.x/", "http://e.x:443/", false },      { "https://e.x/", "https://e.x:444/", false },
		{ "https://e.x/", "https://f.e.x/", false },       { "https://e.x/", "https://e.x.f/", false },
		{ "http://localhost/", "http://127.0.0.1/", false }, { "http://[::1]/", "http://[::1]:80/", true },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(url_fini) struct url a = { 0 }, b = { 0 };
		struct err e = { 0 };
		assert_int_equal(url_parse(rows[i].a, &a, &e), 0);
		assert_int_equal(url_parse(rows[i].b, &b, &e), 0);
		row_check(wrong, url_same_origin(&a, &b) == rows[i].same, "%s and %s", rows[i].a, rows[i].b);
	}
	assert_int_equal(wrong, 0);
}

static void loopback_by_its_text(void **state)
{
	static const char *const yes[] = { "localhost", "127.0.0.1", "127.8.9.1", "[::1]" };
	static const char *const no[] = { "localhost.evil.com", "xlocalhost", "127.0.0.1.evil.com", "128.0.0.1",
		"[::2]", "example.com",
					  "127.1", "127.0.0.1.", "0.0.0.0", "[::ffff:127.0.0.1]", "" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(host_is_loopback(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(host_is_loopback(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(refuses_what_readers_disagree_about),
		cmocka_unit_test(messages_hide_passwords_and_signatures),
		cmocka_unit_test(follows_locations),
		cmocka_unit_test(origins),
		cmocka_unit_test(loopback_by_its_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
