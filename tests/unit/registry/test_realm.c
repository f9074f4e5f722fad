#include "table.h"

#include "base/err.h"
#include "src/registry/realm_priv.h"

/* registry as in the reference, URL of its API, realm of its challenge; whether a login may go there (T-G1). */
static const struct { const char *registry, *base, *realm; bool ok; } rows[] = {
	{ "docker.io", "https://registry-1.docker.io/v2/", "https://auth.docker.io/token", true },
	{ "docker.io", "https://registry-1.docker.io/v2/", "https://auth.docker.io.evil.com/token", false },
	{ "docker.io", "https://registry-1.docker.io/v2/", "https://auth.docker.com/token", false },
	{ "ghcr.io", "https://ghcr.io/v2/", "https://ghcr.io/token", true },
	{ "ghcr.io", "https://ghcr.io/v2/", "https://GHCR.io/token?x=y", true },
	{ "quay.io", "https://quay.io/v2/", "https://quay.io/v2/auth", true },
	{ "registry.gitlab.com", "https://registry.gitlab.com/v2/", "https://gitlab.com/jwt/auth", true },
	{ "registry.example.com", "https://registry.example.com/v2/", "https://auth.example.com/token", true },
	{ "registry.example.com", "https://registry.example.com/v2/", "https://auth.example.com:8443/token", true },
	{ "registry.example.com:5000", "https://registry.example.com:5000/v2/", "https://registry.example.com/token",
	  true },
	{ "registry.example.com:5000", "https://registry.example.com:5000/v2/",
	  "https://registry.example.com:5001/token", true },
	{ "registry.example.co.uk", "https://registry.example.co.uk/v2/", "https://auth.example.co.uk/token", true },
	{ "registry.example.co.uk", "https://registry.example.co.uk/v2/", "https://auth.evil.co.uk/token", false },
	{ "registry.example.com.au", "https://registry.example.com.au/v2/", "https://evil.com.au/token", false },
	{ "example.com", "https://example.com/v2/", "https://example.com.evil.com/token", false },
	{ "example.com", "https://example.com/v2/", "https://evilexample.com/token", false },
	{ "example.com", "https://example.com/v2/", "https://evil.com/example.com", false },
	{ "example.com", "https://example.com/v2/", "https://evil/", false },
	{ "example.com", "https://example.com/v2/", "http://example.com/token", false },
	{ "example.com", "https://example.com/v2/", "http://auth.example.com/token", false },
	{ "example.com", "https://example.com/v2/", "https://user@example.com/token", false },
	{ "example.com", "https://example.com/v2/", "https://example.com@evil.com/token", false },
	{ "example.com", "https://example.com/v2/", "https://example.com\\@evil.com/token", false },
	{ "example.com", "https://example.com/v2/", "https://example.com./token", false },
	{ "example.com", "https://example.com/v2/", "ftp://example.com/token", false },
	{ "example.com", "https://example.com/v2/", "/token", false },
	{ "example.com", "https://example.com/v2/", "", false },
	{ "example.com", "https://example.com/v2/", "http://169.254.169.254/latest/meta-data/", false },
	{ "example.com", "https://example.com/v2/", "https://169.254.169.254/latest/meta-data/", false },
	{ "example.com", "https://example.com/v2/", "https://2852039166/", false },
	{ "example.com", "https://example.com/v2/", "https://[::1]/token", false },
	{ "example.com", "https://example.com/v2/", "https://127.0.0.1/token", false },
	{ "example.com", "https://example.com/v2/", "http://localhost/token", false },
	{ "example.com", "https://example.com/v2/", "https://localhost/token", false },
	{ "10.0.0.5", "https://10.0.0.5/v2/", "https://10.0.0.5/token", true },
	{ "10.0.0.5:5000", "https://10.0.0.5:5000/v2/", "https://10.0.0.6/token", false },
	{ "10.0.0.5", "https://10.0.0.5/v2/", "https://11.0.0.5/token", false },
	{ "10.0.0.5", "https://10.0.0.5/v2/", "http://10.0.0.5/token", false },
	{ "mine.azurecr.io", "https://mine.azurecr.io/v2/", "https://mine.azurecr.io/oauth2/token", true },
	{ "mine.azurecr.io", "https://mine.azurecr.io/v2/", "https://theirs.azurecr.io/oauth2/token", false },
	{ "mine.azurecr.io", "https://mine.azurecr.io/v2/", "https://azurecr.io.attacker.com/", false },
	{ "x.s3.amazonaws.com", "https://x.s3.amazonaws.com/v2/", "https://y.s3.amazonaws.com/", false },
	{ "a.github.io", "https://a.github.io/v2/", "https://b.github.io/", false },
	{ "registry.corp", "https://registry.corp/v2/", "https://auth.corp/", false },
	{ "registry.dev.corp", "https://registry.dev.corp/v2/", "https://auth.dev.corp/", true },
	{ "registry.team.internal", "https://registry.team.internal/v2/", "https://auth.team.internal/", true },
	{ "registry.internal", "https://registry.internal/v2/", "https://auth.internal/", false },
	{ "rg.fr-par.scw.cloud", "https://rg.fr-par.scw.cloud/v2/", "https://api.scaleway.com/registry/tokens", true },
	{ "evilscw.cloud", "https://evilscw.cloud/v2/", "https://api.scaleway.com/registry/tokens", false },
	{ "localhost:5000", "http://localhost:5000/v2/", "http://localhost:5001/token", true },
	{ "localhost:5000", "http://localhost:5000/v2/", "http://127.0.0.1:5001/token", false },
	{ "localhost:5000", "http://localhost:5000/v2/", "http://evil.com/token", false },
	{ "localhost:5000", "http://localhost:5000/v2/", "https://evil.com/token", false },
	{ "127.0.0.1:5000", "http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/token", true },
	{ "127.0.0.1:5000", "http://127.0.0.1:5000/v2/", "http://127.0.0.2:5001/token", false },
	{ "127.0.0.1:5000", "https://127.0.0.1:5000/v2/", "https://127.0.0.1:5001/token", true },
};

static void logins_go_to_the_registry_s_own(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(url_fini) struct url base = { 0 }, to = { 0 };
		struct err e = { 0 };
		assert_int_equal(url_parse(rows[i].base, &base, &e), 0);
		int r = realm_check(rows[i].registry, &base, rows[i].realm, &to, &e);
		row_check(wrong, (r == 0) == rows[i].ok, "%s -> %s: %s", rows[i].registry, rows[i].realm,
			  r ? e.msg : "accepted");
		row_check(wrong, r == 0 || strstr(e.msg, rows[i].registry), "%s is not named: %s", rows[i].registry,
			  e.msg);
	}
	assert_int_equal(wrong, 0);
}

static void the_message_names_both(void **state)
{
	AUTO(url_fini) struct url base = { 0 }, to = { 0 };
	struct err e = { 0 };
	assert_int_equal(url_parse("https://example.com/", &base, &e), 0);
	assert_int_equal(realm_check("example.com", &base, "https://evil.test/t?a=b", &to, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	assert_non_null(strstr(e.msg, "example.com"));
	assert_non_null(strstr(e.msg, "evil.test"));
}

static void length_has_a_limit(void **state)
{
	AUTO(url_fini) struct url base = { 0 }, to = { 0 };
	struct err e = { 0 };
	AUTO(free_drop) char *realm = x_alloc(2050);
	assert_int_equal(url_parse("https://e.x/", &base, &e), 0);
	memset(realm, 'a', 2048);
	memcpy(realm, "https://e.x/", strlen("https://e.x/"));
	for (size_t n = 2047; n <= 2049; n++) {
		memset(realm + n - 1, 'a', 1);
		realm[n] = '\0';
		url_fini(&to);
		assert_int_equal(realm_check("e.x", &base, realm, &to, &e), n <= 2048 ? 0 : -1);
		realm[n] = 'a';
	}
	assert_int_equal(e.kind, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logins_go_to_the_registry_s_own),
		cmocka_unit_test(the_message_names_both),
		cmocka_unit_test(length_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
