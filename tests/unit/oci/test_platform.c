/* Platforms: the spellings of containerd's platforms package, and what runs where. */
#include "documents.h"

#include "oci/platform.h"

static const struct {
	const char *typed, *normal;
} spellings[] = {
	{ "linux/amd64", "linux/amd64" },
	{ "linux/x86_64", "linux/amd64" },
	{ "linux/x86-64", "linux/amd64" },
	{ "Linux/AMD64", "linux/amd64" },
	{ "linux/amd64/v1", "linux/amd64" },
	{ "linux/amd64/v3", "linux/amd64/v3" },
	{ "linux/i386", "linux/386" },
	{ "linux/386", "linux/386" },
	{ "linux/aarch64", "linux/arm64" },
	{ "linux/arm64/v8", "linux/arm64" },
	{ "linux/arm64/8", "linux/arm64" },
	{ "linux/arm64/v9", "linux/arm64/v9" },
	{ "linux/arm", "linux/arm/v7" },
	{ "linux/arm/7", "linux/arm/v7" },
	{ "linux/arm/v6", "linux/arm/v6" },
	{ "linux/arm/5", "linux/arm/v5" },
	{ "linux/armhf", "linux/arm/v7" },
	{ "linux/armel", "linux/arm/v6" },
	{ "linux/armhf/v6", "linux/arm/v7" },
	{ "linux/riscv64", "linux/riscv64" },
	{ "linux/ppc64le", "linux/ppc64le" },
	{ "linux/s390x", "linux/s390x" },
	{ "macos/arm64", "darwin/arm64" },
	{ "windows/amd64", "windows/amd64" },
	{ "someos/somearch", "someos/somearch" },
};

static void test_spellings(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		struct platform p;
		struct err e;
		if (platform_parse(spellings[i].typed, &p, &e) < 0)
			fail_msg("%s: %s", spellings[i].typed, e.msg);
		AUTO(free_drop) char *text = platform_text(&p);
		assert_string_equal(text, spellings[i].normal);
	}
}

static void test_single_words(void **state)
{
	struct platform host, p;
	struct err e;
	platform_host(&host);
	assert_string_equal(host.os, "linux");
	assert_int_equal(platform_parse("linux", &p, &e), 0);
	assert_true(platform_eq(&p, &host));
	assert_int_equal(platform_parse("arm64", &p, &e), 0);
	AUTO(free_drop) char *text = platform_text(&p);
	assert_string_equal(text, "linux/arm64");
	assert_int_equal(platform_parse("windows", &p, &e), 0);
	assert_string_equal(p.os, "windows");
	assert_string_equal(p.arch, host.arch);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"linux/",
		"/amd64",
		"linux//v8",
		"linux/arm/",
		"linux/arm/v7/x",
		"linux/arm*",
		"*",
		"nosuchthing",
		"linux/amd 64",
		"linux/amd64\n",
		"linux/arm/v7/",
		"lin\xc3\xbcx/amd64",
		"linux/a2345678901234567890123456789012",
		"l2345678901234567890123456789012/amd64",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct platform p;
		struct err e;
		if (platform_parse(bad[i], &p, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_USAGE);
	}
}

/* Where `want` is asked for, which images do, best first; a "!" before those that do not. */
static const struct {
	const char *want;
	const char *images[8];
} matches[] = {
	{ "linux/amd64", { "linux/amd64", "linux/386", "!linux/amd64/v2", "!linux/arm64", "!windows/amd64" } },
	{ "linux/amd64/v3", { "linux/amd64/v3", "linux/amd64/v2", "linux/amd64/v1", "linux/386", "!linux/amd64/v4" } },
	{ "linux/386", { "linux/386", "!linux/amd64" } },
	{ "linux/arm/v7", { "linux/arm/v7", "linux/arm/v6", "linux/arm/v5", "!linux/arm/v8", "!linux/arm64" } },
	{ "linux/arm/v6", { "linux/arm/v6", "linux/arm/v5", "!linux/arm/v7" } },
	{ "linux/arm/v5", { "linux/arm/v5", "!linux/arm/v6" } },
	{ "linux/arm64",
	  { "linux/arm64/v8", "linux/arm/v8", "linux/arm/v7", "linux/arm/v5", "!linux/arm64/v9", "!linux/amd64" } },
	{ "linux/arm64/v9", { "linux/arm64/v9", "linux/arm64", "linux/arm/v7" } },
	{ "linux/riscv64", { "linux/riscv64", "!linux/arm64" } },
};

static void test_matches(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
		struct platform want;
		struct err e;
		int last = INT32_MAX;
		assert_int_equal(platform_parse(matches[i].want, &want, &e), 0);
		for (size_t k = 0; k < 8 && matches[i].images[k]; k++) {
			const char *image = matches[i].images[k];
			struct platform have;
			assert_int_equal(platform_parse(image + (*image == '!'), &have, &e), 0);
			int score = platform_match(&want, &have);
			if (*image == '!' ? score != 0 : score <= 0 || score >= last)
				fail_msg("%s on %s: %d, after %d", image, matches[i].want, score, last);
			last = score;
		}
	}
}

/* Documents are not normalised: "arm" without variant is v7, "x86_64" is amd64. */
static void test_as_documents_spell_them(void **state)
{
	const struct platform amd64 = { .os = "linux", .arch = "amd64" },
			      x86 = { .os = "Linux", .arch = "x86_64", .variant = "v1" };
	const struct platform arm = { .os = "linux", .arch = "arm" },
			      v7 = { .os = "linux", .arch = "arm", .variant = "7" };
	assert_true(platform_eq(&amd64, &x86));
	assert_true(platform_eq(&arm, &v7));
	assert_true(platform_match(&arm, &v7) == platform_match(&v7, &arm));
	assert_false(platform_eq(&arm, &amd64));
}

static void test_runs_on(void **state)
{
	static const struct { const char *image; bool runs; } images[] = {
		{ "linux/amd64", true }, { "linux/amd64/v3", true }, { "linux/386", true },
		{ "linux/arm64", false }, { "linux/arm/v7", false }, { "windows/amd64", false },
	};
	const struct platform host = { .os = "linux", .arch = "amd64" }, unsaid = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(images); i++) {
		struct platform p;
		struct err e;
		assert_int_equal(platform_parse(images[i].image, &p, &e), 0);
		assert_int_equal(platform_runs_on(&p, &host), images[i].runs);
	}
	assert_true(platform_runs_on(&unsaid, &host));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_single_words),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_runs_on),
		cmocka_unit_test(test_as_documents_spell_them),
	};
	return cmocka_run_group_tests_name("oci/platform", tests, NULL, NULL);
}
