/* Digests: one syntax (THREATS T-H4), FIPS 180-4's examples, and what is hashed in pieces. */
#include "unit.h"

#include "base/digest.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_syntax(void **state)
{
	static const char *const bad[] = {
		"",
		"sha256",
		"sha256:",
		HEX,
		":" HEX,
		"sha256" HEX,
		"SHA256:" HEX,
		"Sha256:" HEX,
		"sha512:" HEX,
		"sha256::" HEX,
		"sha256:" HEX "0",
		"sha256:0" HEX,
		" sha256:" HEX,
		"sha256:" HEX " ",
		"sha256:" HEX "\n",
		"sha256+b64:" HEX,
		"sha256:../../../../../../../../../../../../../../../../../../../../../etc",
		"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde:",
		"sha256:-123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	};
	struct digest d;
	struct err e;
	assert_int_equal(digest_parse("sha256:" HEX, &d, &e), 0);
	assert_string_equal(digest_text(&d).s, "sha256:" HEX);
	assert_string_equal(digest_hex(&d).s, HEX);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct digest before = d;
		if (digest_parse(bad[i], &d, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_SPEC);
		assert_false(digest_is_valid(bad[i]));
		assert_true(digest_eq(&d, &before));
	}
}

/* 64 KiB of hex must neither be taken nor be put into the message whole. */
static void test_long(void **state)
{
	AUTO(str_fini) struct str text = { 0 };
	struct digest d;
	struct err e;
	str_add(&text, "sha256:");
	while (text.len < 65536)
		str_add(&text, HEX);
	assert_int_equal(digest_parse(text.buf, &d, &e), -1);
	assert_true(strlen(e.msg) < 200);
}

static const struct {
	const char *text, *hex;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void test_vectors(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		size_t n = strlen(vectors[i].text);
		struct digest d = digest_of(vectors[i].text, n);
		assert_string_equal(digest_hex(&d).s, vectors[i].hex);
		for (size_t cut = 0; cut <= n; cut++) {
			struct sha s;
			sha_init(&s);
			sha_add(&s, vectors[i].text, cut);
			sha_add(&s, vectors[i].text + cut, n - cut);
			struct digest pieces = sha_end(&s);
			assert_true(digest_eq(&d, &pieces));
		}
	}
}

static struct digest of_fields(const char *a, const char *b)
{
	struct sha s;
	sha_init(&s);
	sha_add_str(&s, a);
	sha_add_str(&s, b);
	return sha_end(&s);
}

static void test_fields_stay_apart(void **state)
{
	struct digest a = of_fields("ab", "c"), b = of_fields("a", "bc"), c = of_fields("abc", ""),
		      d = of_fields("", "abc");
	assert_false(digest_eq(&a, &b));
	assert_false(digest_eq(&a, &c));
	assert_false(digest_eq(&c, &d));
	struct sha unfinished;
	sha_init(&unfinished);
	sha_drop(&unfinished);
	sha_drop(&unfinished);
}

static void test_zero(void **state)
{
	struct digest zero = { 0 }, one = { .b = { [31] = 1 } };
	assert_true(digest_is_zero(&zero));
	assert_false(digest_is_zero(&one));
}

static void test_random(void **state)
{
	char a[33], b[33];
	random_hex(a, 16);
	random_hex(b, 16);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),  cmocka_unit_test(test_long),
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_fields_stay_apart),
		cmocka_unit_test(test_zero),    cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests_name("base/digest", tests, NULL, NULL);
}
