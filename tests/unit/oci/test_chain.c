/* chainIDs, against values computed with sha256sum as image-spec config.md, "Layer ChainID", says. */
#include "documents.h"

#include "oci/chain.h"

static struct diffid diffid(const char *text)
{
	struct diffid d;
	struct err e;
	assert_int_equal(digest_parse(text, &d.d, &e), 0);
	return d;
}

/* printf %s "sha256:1111… sha256:2222…" | sha256sum, and that with " sha256:0000…" */
#define TWO "sha256:9932074217c35353d2e03a3f5a86549f7c67bfeb0ba53e23d69f4d4c8f7958f5"
#define THREE "sha256:9a91e0f080658ae676024dfc64a4d578e66c2ac6ef342cb0b8cf23ae02d1ca90"

static void test_vector(void **state)
{
	struct chainid c = { 0 };
	struct diffid a = diffid(SHA1), b = diffid(SHA2), z = diffid(SHA0);
	c = chain_next(&c, &a);
	assert_string_equal(digest_text(&c.d).s, SHA1);
	c = chain_next(&c, &b);
	assert_string_equal(digest_text(&c.d).s, TWO);
	c = chain_next(&c, &z);
	assert_string_equal(digest_text(&c.d).s, THREE);
}

static void test_order_counts(void **state)
{
	struct chainid none = { 0 };
	struct diffid a = diffid(SHA1), b = diffid(SHA2);
	struct chainid ab = chain_next(&none, &a), ba = chain_next(&none, &b);
	ab = chain_next(&ab, &b);
	ba = chain_next(&ba, &a);
	assert_false(digest_eq(&ab.d, &ba.d));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vector), cmocka_unit_test(test_order_counts) };
	return cmocka_run_group_tests_name("oci/chain", tests, NULL, NULL);
}
