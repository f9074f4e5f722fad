#include "table.h"

#include "base/err.h"
#include "registry/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX
#define A10 "aaaaaaaaaa"
#define A63 A10 A10 A10 A10 A10 A10 "aaa"
#define A120 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10

/* Each: what is typed, the full form, the form docker shows. */
static const struct { const char *typed, *full, *familiar; } good[] = {
	{ "alpine", "docker.io/library/alpine:latest", "alpine:latest" },
	{ "alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20" },
	{ "library/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
	{ "user/app", "docker.io/user/app:latest", "user/app:latest" },
	{ "a/b/c", "docker.io/a/b/c:latest", "a/b/c:latest" },
	{ "library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest" },
	{ "docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
	{ "index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
	{ "index.docker.io/user/app:1", "docker.io/user/app:1", "user/app:1" },
	{ "docker.io/library/alpine:latest", "docker.io/library/alpine:latest", "alpine:latest" },
	{ "DOCKER.IO/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
	{ "docker.io:443/alpine", "docker.io:443/alpine:latest", "docker.io:443/alpine:latest" },
	{ "registry-1.docker.io/library/alpine", "registry-1.docker.io/library/alpine:latest",
	  "registry-1.docker.io/library/alpine:latest" },
	{ "alpine@" DIGEST, "docker.io/library/alpine@" DIGEST, "alpine@" DIGEST },
	{ "alpine:3.20@" DIGEST, "docker.io/library/alpine:3.20@" DIGEST, "alpine:3.20@" DIGEST },
	{ "ghcr.io/o/r@" DIGEST, "ghcr.io/o/r@" DIGEST, "ghcr.io/o/r@" DIGEST },
	{ "localhost/app", "localhost/app:latest", "localhost/app:latest" },
	{ "localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest" },
	{ "localhost:5000", "docker.io/library/localhost:5000", "localhost:5000" },
	{ "localhost", "docker.io/library/localhost:latest", "localhost:latest" },
	{ "LOCALHOST/app", "localhost/app:latest", "localhost/app:latest" },
	{ "localhosts/app", "docker.io/localhosts/app:latest", "localhosts/app:latest" },
	{ "host:80/app", "host:80/app:latest", "host:80/app:latest" },
	{ "host:1/app:t", "host:1/app:t", "host:1/app:t" },
	{ "host:65535/app", "host:65535/app:latest", "host:65535/app:latest" },
	{ "host/app", "docker.io/host/app:latest", "host/app:latest" },
	{ "example.com/app", "example.com/app:latest", "example.com/app:latest" },
	{ "Example.COM/app", "example.com/app:latest", "example.com/app:latest" },
	{ "xn--bcher-kva.example/app", "xn--bcher-kva.example/app:latest", "xn--bcher-kva.example/app:latest" },
	{ "a-b.example/app", "a-b.example/app:latest", "a-b.example/app:latest" },
	{ "127.0.0.1/app", "127.0.0.1/app:latest", "127.0.0.1/app:latest" },
	{ "127.0.0.1:5000/app", "127.0.0.1:5000/app:latest", "127.0.0.1:5000/app:latest" },
	{ "[::1]/app", "[::1]/app:latest", "[::1]/app:latest" },
	{ "[::1]:5000/app:t", "[::1]:5000/app:t", "[::1]:5000/app:t" },
	{ "[2001:DB8::1]/app", "[2001:db8::1]/app:latest", "[2001:db8::1]/app:latest" },
	{ "a__b", "docker.io/library/a__b:latest", "a__b:latest" },
	{ "a_b", "docker.io/library/a_b:latest", "a_b:latest" },
	{ "a.b", "docker.io/library/a.b:latest", "a.b:latest" },
	{ "a---b", "docker.io/library/a---b:latest", "a---b:latest" },
	{ "0/1/2", "docker.io/0/1/2:latest", "0/1/2:latest" },
	{ "app:_", "docker.io/library/app:_", "app:_" },
	{ "app:A.b-C_9", "docker.io/library/app:A.b-C_9", "app:A.b-C_9" },
	{ "app:" A120 "12345678", "docker.io/library/app:" A120 "12345678", "app:" A120 "12345678" },
	{ A63 ".x/app", A63 ".x/app:latest", A63 ".x/app:latest" },
	{ "e.x/" A120 A120 A10 "aaaaa", "e.x/" A120 A120 A10 "aaaaa:latest", "e.x/" A120 A120 A10 "aaaaa:latest" },
	{ HEX "a", "docker.io/library/" HEX "a:latest", HEX "a:latest" },
	{ "e.x/" HEX, "e.x/" HEX ":latest", "e.x/" HEX ":latest" },
	{ "docker.io.evil.com/alpine", "docker.io.evil.com/alpine:latest", "docker.io.evil.com/alpine:latest" },
	{ "evil.com/docker.io/alpine", "evil.com/docker.io/alpine:latest", "evil.com/docker.io/alpine:latest" },
};

static const char *const bad[] = {
	"",
	" ",
	"/",
	":",
	"@",
	"alpine:",
	"alpine@",
	":3",
	"@" DIGEST,
	"alpine ",
	" alpine",
	"al pine",
	"alpine\n",
	"Alpine",
	"Host/app",
	"UPPER/x",
	"library/Alpine",
	"docker.io/Alpine",
	"example.com/App",
	"host:80/APP",
	"/alpine",
	"alpine/",
	"a//b",
	"example.com/",
	"example.com//a",
	"-a",
	"a-",
	"_a",
	"a_",
	".a",
	"a.",
	"a..b",
	"a___b",
	"a._b",
	"a-_b",
	"a_.b",
	"a/-b",
	"a/../b",
	"a/./b",
	"../a",
	"..",
	"app:.x",
	"app:-x",
	"app:a b",
	"app:a/b:",
	"app:t:u",
	"app:" A120 "123456789",
	"app:\xc3\xa4",
	"app@sha256:",
	"app@sha256:"
	"0123",
	"app@" DIGEST "0",
	"app@sha256:" HEX "/x",
	"app@sha512:" HEX HEX,
	"app@SHA256:" HEX,
	"app@md5:0123456789abcdef0123456789abcdef",
	"app@" DIGEST "@" DIGEST,
	"app@:" HEX,
	"app@sha256:../../x",
	"host:/app",
	"host:0/app",
	"host:65536/app",
	"host:-1/app",
	"host:8a/app",
	"host:99999999999999999999/app",
	"ho_st.x/app",
	"-host.x/app",
	"host-.x/app",
	"host..x/app",
	".host/app",
	"docker.io./alpine",
	"user:pw@host.x/app",
	"https://host.x/app",
	"host.x\\y/app",
	"h\xc3\xb6st.x/app",
	A63 "a.x/app",
	"e.x/" A120 A120 A10 "aaaaaa",
	"[::1/app",
	"::1]/app",
	"[]/app",
	"[::g]/app",
	"[127.0.0.1]/app",
	"[::1]x/app",
	"[::1]:/app",
	"[[::1]]/app",
	HEX,
	"app\x01",
	"\xc3\xa4pp",
	"app%2fx",
	"app?x",
	"app#x",
};

static void reads_what_docker_reads(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct reference r = { 0 };
		struct err e = { 0 };
		if (reference_parse(good[i].typed, &r, &e) < 0) {
			row_check(wrong, false, "%s: %s", good[i].typed, e.msg);
			continue;
		}
		AUTO(free_drop) char *full = reference_text(&r);
		AUTO(free_drop) char *familiar = reference_familiar(&r);
		row_check(wrong, str_eq(full, good[i].full), "%s: %s, not %s", good[i].typed, full, good[i].full);
		row_check(wrong, str_eq(familiar, good[i].familiar), "%s: %s, not %s", good[i].typed, familiar,
			  good[i].familiar);
		reference_fini(&r);
	}
	assert_int_equal(wrong, 0);
}

static void refuses_what_is_no_reference(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct reference r = { 0 };
		struct err e = { 0 };
		int got = reference_parse(bad[i], &r, &e);
		row_check(wrong, got == -1 && e.kind == ERR_SPEC && e.msg[0], "\"%s\" was accepted", bad[i]);
		row_check(wrong, got == 0 || !r.registry, "\"%s\" left something behind", bad[i]);
		reference_fini(&r);
	}
	assert_int_equal(wrong, 0);
}

static void refuses_endless_text(void **state)
{
	struct reference r;
	struct err e = { 0 };
	AUTO(free_drop) char *text = x_alloc((1 << 20) + 1);
	memset(text, 'a', 1 << 20);
	assert_int_equal(reference_parse(text, &r, &e), -1);
	memcpy(text, "a@sha256:", 9);
	assert_int_equal(reference_parse(text, &r, &e), -1);
}

static void keeps_tag_and_digest_apart(void **state)
{
	struct reference r = { 0 };
	struct err e = { 0 };
	assert_int_equal(reference_parse("alpine@" DIGEST, &r, &e), 0);
	assert_null(r.tag);
	assert_true(r.has_digest);
	assert_string_equal(digest_text(&r.digest).s, DIGEST);
	reference_fini(&r);
	assert_int_equal(reference_parse("alpine:1@" DIGEST, &r, &e), 0);
	assert_string_equal(r.tag, "1");
	assert_true(r.has_digest);
	reference_fini(&r);
	assert_int_equal(reference_parse("alpine", &r, &e), 0);
	assert_string_equal(r.registry, "docker.io");
	assert_string_equal(r.repository, "library/alpine");
	assert_string_equal(r.tag, "latest");
	assert_false(r.has_digest);
	reference_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_docker_reads),
		cmocka_unit_test(refuses_what_is_no_reference),
		cmocka_unit_test(refuses_endless_text),
		cmocka_unit_test(keeps_tag_and_digest_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
