#include "table.h"

#include <unistd.h>

#include "base/err.h"
#include "src/registry/registries_priv.h"
#include "src/registry/url_priv.h"

#define NULL_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static const char conf[] =
	"unqualified-search-registries = ['one.example', 'docker.io']\n"
	"[aliases]\n"
	"short = 'quay.example/team/short'\n"
	"gone = ''\n"
	"[[registry]]\n"
	"prefix = 'a.example/x'\n"
	"location = 'inner.example:5000/y'\n"
	"insecure = true\n"
	"[[registry.mirror]]\n"
	"location = 'm1.example/z'\n"
	"[[registry.mirror]]\n"
	"location = 'm2.example/z'\n"
	"insecure = true\n"
	"pull-from-mirror = 'digest-only'\n"
	"[[registry.mirror]]\n"
	"location = 'm3.example/z'\n"
	"pull-from-mirror = 'tag-only'\n"
	"[[registry]]\n"
	"location = 'bad.example'\n"
	"blocked = true\n"
	"[[registry]]\n"
	"prefix = 'bad.example/but-this'\n"
	"[[registry]]\n"
	"prefix = '*.wild.example'\n"
	"location = 'tame.example'\n"
	"[[registry]]\n"
	"prefix = 'by-digest.example'\n"
	"mirror-by-digest-only = true\n"
	"[[registry.mirror]]\n"
	"location = 'm.example'\n";

static const struct { const char *typed, *sources; } rows[] = {
	{ "other.example/x:1", "other.example/x:1" },
	{ "a.example/x/img:1", "m1.example/z/img:1 m3.example/z/img:1 inner.example:5000/y/img:1!" },
	{ "a.example/x@" NULL_DIGEST,
	  "m1.example/z@" NULL_DIGEST " m2.example/z@" NULL_DIGEST "! inner.example:5000/y@" NULL_DIGEST "!" },
	{ "a.example/x:2", "m1.example/z:2 m3.example/z:2 inner.example:5000/y:2!" },
	{ "a.example/xx:2", "a.example/xx:2" },
	{ "a.example:5000/x:2", "a.example:5000/x:2" },
	{ "b.a.example/x:2", "b.a.example/x:2" },
	{ "bad.example/x", "blocks" },
	{ "bad.example/but-this:1", "bad.example/but-this:1" },
	{ "bad.example/but-this/too:1", "bad.example/but-this/too:1" },
	{ "bad.example/but-thistle:1", "blocks" },
	{ "bad.example:5000/x:1", "bad.example:5000/x:1" },
	{ "a.wild.example/x:1", "tame.example/x:1" },
	{ "a.b.wild.example/x:1", "tame.example/x:1" },
	{ "wild.example/x:1", "wild.example/x:1" },
	{ "awild.example/x:1", "awild.example/x:1" },
	{ "evil.example/a.wild.example/x:1", "evil.example/a.wild.example/x:1" },
	{ "by-digest.example/x:1", "by-digest.example/x:1" },
	{ "by-digest.example/x@" NULL_DIGEST, "m.example/x@" NULL_DIGEST " by-digest.example/x@" NULL_DIGEST },
	{ "short:3", "quay.example/team/short:3" },
	{ "short", "quay.example/team/short:latest" },
	{ "gone", "one.example/gone:latest docker.io/library/gone:latest" },
	{ "user/app:1", "one.example/user/app:1 docker.io/user/app:1" },
	{ "docker.io/library/short", "docker.io/library/short:latest" },
};

static char path[] = "/tmp/registries-XXXXXX";

static void use(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	setenv("CONTAINERS_REGISTRIES_CONF", path, 1);
}

/* "REFERENCE" with "!" when it is insecure, between blanks; or the error. */
static char *resolve(const char *typed)
{
	AUTO(reference_fini) struct reference ref = { 0 };
	AUTO(pull_sources_fini) struct pull_sources got = { 0 };
	struct str out = { 0 };
	struct err e = { 0 };
	assert_int_equal(reference_parse(typed, &ref, &e), 0);
	if (registries_sources(&ref, &got, &e) < 0)
		return x_strdup(e.msg);
	for (size_t i = 0; i < got.n; i++) {
		AUTO(free_drop) char *text = reference_text(&got.v[i].ref);
		str_addf(&out, "%s%s%s", i ? " " : "", text, got.v[i].insecure ? "!" : "");
	}
	return str_take(&out);
}

static void where_to_pull_from(void **state)
{
	int wrong = 0;
	use(conf);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(free_drop) char *got = resolve(rows[i].typed);
		bool ok = str_eq(rows[i].sources, "blocks") ? strstr(got, "blocks") != NULL : str_eq(got, rows[i].sources);
		row_check(wrong, ok, "%s: %s", rows[i].typed, got);
	}
	assert_int_equal(wrong, 0);
}

static void what_is_refused(void **state)
{
	static const struct { const char *text, *message; } bad[] = {
		{ "short-name-mode = 'enforcing'\nunqualified-search-registries = ['a.example', 'b.example']", "does not say which" },
		{ "[registries.search]\nregistries = ['a.example']", "version 1" },
		{ "unqualified-search-registries = [1]", "no string" },
		{ "unqualified-search-registries = ['no registry']", "not a registry" },
		{ "aliases = { x = 1 }", "line 1" },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		use(bad[i].text);
		AUTO(free_drop) char *got = resolve("alpine");
		row_check(wrong, strstr(got, bad[i].message), "%s: %s", bad[i].text, got);
	}
	assert_int_equal(wrong, 0);
	setenv("CONTAINERS_REGISTRIES_CONF", "/nowhere/registries.conf", 1);
	AUTO(free_drop) char *got = resolve("alpine");
	assert_non_null(strstr(got, "there is no"));
}

static void without_a_file(void **state)
{
	use("");
	AUTO(free_drop) char *got = resolve("alpine");
	assert_string_equal(got, "docker.io/library/alpine:latest");
}

static void a_push_goes_where_it_is_told(void **state)
{
	static const struct { const char *typed; int result; bool insecure; } to[] = {
		{ "a.example/x/img", 0, true }, { "a.example/y", 0, false }, { "bad.example/x", -1, false }, { "short", 0, false },
	};
	use(conf);
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		AUTO(reference_fini) struct reference ref = { 0 };
		struct err e = { 0 };
		bool insecure = false;
		assert_int_equal(reference_parse(to[i].typed, &ref, &e), 0);
		assert_int_equal(registries_destination(&ref, &insecure, &e), to[i].result);
		assert_int_equal(insecure, to[i].insecure);
	}
}

/* T-G6: by the literal host and port, never by a part of it. */
static void trust_is_for_one_host_and_port(void **state)
{
	static const struct { const char *url; bool trusted; } urls[] = {
		{ "https://reg.example/v2/", true }, { "http://reg.example/v2/", true }, { "https://reg.example:443/", true },
		{ "https://reg.example:5000/", false }, { "https://xreg.example/", false }, { "https://a.reg.example/", false },
		{ "https://reg.example.evil/", false }, { "https://port.example:5000/", true }, { "http://port.example:5000/", true },
		{ "https://port.example/", false }, { "http://port.example:80/", false }, { "http://reg.example:443/", false },
	};
	int wrong = 0;
	registries_trust("reg.example");
	registries_trust("port.example:5000");
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		AUTO(url_fini) struct url u = { 0 };
		struct err e = { 0 };
		assert_int_equal(url_parse(urls[i].url, &u, &e), 0);
		row_check(wrong, registries_trusts(&u) == urls[i].trusted, "%s", urls[i].url);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_to_pull_from), cmocka_unit_test(what_is_refused),
		cmocka_unit_test(without_a_file), cmocka_unit_test(a_push_goes_where_it_is_told),
		cmocka_unit_test(trust_is_for_one_host_and_port),
	};
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return r;
}
