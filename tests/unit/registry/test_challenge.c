#include "table.h"

#include "base/err.h"
#include "src/registry/challenge_priv.h"

/* One or two header values; what is picked of them, as "SCHEME realm|service|scope", "-" for none. */
static const struct { const char *first, *second, *want; } good[] = {
	{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
	  "scope=\"repository:library/alpine:pull\"", NULL,
	  "bearer https://auth.docker.io/token|registry.docker.io|repository:library/alpine:pull" },
	{ "Basic realm=\"Registry Realm\"", NULL, "basic Registry Realm||" },
	{ "basic REALM=x", NULL, "basic x||" },
	{ "BEARER Realm=\"x\"", NULL, "bearer x||" },
	{ "Bearer realm=\"x\", service=\"y\", error=\"invalid_token\"", NULL, "bearer x|y|" },
	{ "Bearer realm=\"x\" , service=\"y\"", NULL, "bearer x|y|" },
	{ "Bearer realm = \"x\" ,, service\t=\ty", NULL, "bearer x|y|" },
	{ "Bearer   realm=\"x\"", NULL, "bearer x||" },
	{ "Basic realm=\"b\", Bearer realm=\"x\",service=\"y\"", NULL, "bearer x|y|" },
	{ "Bearer realm=\"x\",service=\"y\", Basic realm=\"b\"", NULL, "bearer x|y|" },
	{ "Basic realm=\"b\"", "Bearer realm=\"x\"", "bearer x||" },
	{ "Bearer realm=\"x\"", "Basic realm=\"b\"", "bearer x||" },
	{ "Bearer realm=\"first\"", "Bearer realm=\"second\"", "bearer first||" },
	{ "Negotiate", "Basic realm=\"b\"", "basic b||" },
	{ "Negotiate, Basic realm=\"b\"", NULL, "basic b||" },
	{ "Negotiate YWJj==, Basic realm=\"b\"", NULL, "basic b||" },
	{ "NTLM TlRMTVNTUAAC/+=", "Basic realm=\"b\"", "basic b||" },
	{ "Digest realm=\"d\", nonce=\"n\", qop=\"auth,auth-int\", Basic realm=\"b\"", NULL, "basic b||" },
	{ "Digest realm=\"d\"", NULL, "-" },
	{ "Basic", NULL, "basic ||" },
	{ "Bearer", NULL, "bearer ||" },
	{ "Bearer realm=", NULL, "bearer ||" }, /* a token68 */
	{ "Basic,", NULL, "basic ||" },
	{ ", ,Basic realm=\"b\", ,", NULL, "basic b||" },
	{ "", NULL, "-" },
	{ ",", NULL, "-" },
	{ "Bearer realm=\"a\\\"b\\\\c\"", NULL, "bearer a\"b\\c||" },
	{ "Bearer realm=\"a, Basic realm=b\"", NULL, "bearer a, Basic realm=b||" },
	{ "Bearer realm=\"\"", NULL, "bearer ||" },
	{ "Bearer realm=\"x\",scope=\"a:b:c d:e:f\"", NULL, "bearer x||a:b:c d:e:f" },
	{ "Bearer xrealm=\"no\",realm=\"x\"", NULL, "bearer x||" },
	{ "Bearer realm=\"caf\xc3\xa9\"", NULL, "bearer caf\xc3\xa9||" },
	{ "Bearerx realm=\"x\"", NULL, "-" },
};

static const char *const bad[] = {
	"Bearer realm=\"x", "Bearer realm=\"x\\", "Bearer realm=\"x\\\"", "Bearer realm=,service=\"y\"",
	"Bearer realm=\"x\" service=\"y\"", "Bearer realm=\"x\"y", "Bearer realm=x y=z", "Bearer =\"x\"",
	"Bearer realm=\"a\tb\x01\"",
	"Bearer realm=\"a\nb\"", "Bearer realm=\"a\x7f\"", "Bearer realm=\"x\",realm=\"y\"",
	"Bearer realm=\"x\",REALM=\"x\"",
	"Bearer scope=a,scope=b", "Bearer service=\"a\",service=\"a\"", "=", "\"Bearer\"", "Bearer\x01realm=\"x\"",
	"Bearer(realm)",
	"Bearer realm=\"x\", @", "Bearer realm='x y'", "realm=\"x\"", "\xc3\xa4 realm=\"x\"",
	"a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
};

static const char *describe(const struct challenge *c, char *buf, size_t n)
{
	if (!c)
		return "-";
	snprintf(buf, n, "%s %s|%s|%s", c->scheme == CHALLENGE_BEARER ? "bearer" : "basic", c->realm ? c->realm : "",
		 c->service ? c->service : "", c->scope ? c->scope : "");
	return buf;
}

static void reads_challenges(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO(strv_fini) struct strv values = { 0 };
		AUTO(challenges_fini) struct challenges c = { 0 };
		struct err e = { 0 };
		char buf[300];
		strv_push(&values, good[i].first);
		if (good[i].second)
			strv_push(&values, good[i].second);
		int r = challenges_parse(&values, &c, &e);
		const char *got = r < 0 ? e.msg : describe(challenges_pick(&c), buf, sizeof buf);
		row_check(wrong, str_eq(got, good[i].want), "%s: %s", good[i].first, got);
	}
	assert_int_equal(wrong, 0);
}

static void refuses_what_is_ambiguous_or_broken(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(strv_fini) struct strv values = { 0 };
		AUTO(challenges_fini) struct challenges c = { 0 };
		struct err e = { 0 };
		strv_push(&values, bad[i]);
		row_check(wrong, challenges_parse(&values, &c, &e) < 0 && e.kind == ERR_SPEC, "%s: was accepted",
			bad[i]);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_challenges),
		cmocka_unit_test(refuses_what_is_ambiguous_or_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
