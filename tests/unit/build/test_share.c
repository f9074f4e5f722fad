#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/media_type.h"
#include "src/build/share_priv.h"

enum { DAY = 24 * 60 * 60, NOW = 2000000000 };

/* ---- options ---- */

static void check_spec(const char *text, bool to, enum share_kind kind, const char *place, bool all)
{
	struct share_spec s = { 0 };
	struct err e = { 0 };
	if (share_spec_parse(text, to, &s, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(s.kind, kind);
	assert_int_equal(s.all, all);
	if (place)
		assert_string_equal(s.ref ? s.ref : s.dir, place);
	share_spec_fini(&s);
}

static void test_specs(void **state)
{
	(void)state;
	check_spec("example.com/app:cache", false, SHARE_REGISTRY, "example.com/app:cache", false);
	check_spec("type=registry,ref=example.com/app:cache", false, SHARE_REGISTRY, "example.com/app:cache", false);
	check_spec("type=registry,ref=a,mode=max,image-manifest=true", true, SHARE_REGISTRY, "a", true);
	check_spec("ref=a,type=registry,mode=min", true, SHARE_REGISTRY, "a", false);
	check_spec("type=local,dest=/c", true, SHARE_LOCAL, "/c", false);
	check_spec("\"type=local\",\"src=/c,d\",tag=x", false, SHARE_LOCAL, "/c,d", false);
	check_spec("type=inline", true, SHARE_INLINE, NULL, false);
}

static void test_specs_refused(void **state)
{
	static const struct { const char *text; bool to; const char *why; } cases[] = {
		{ "type=gha", true, "registry, local and inline" },
		{ "type=gha,scope=x", false, "registry and local" },
		{ "type=s3,bucket=b", true, "type=s3 is not supported" },
		{ "type=azblob", false, "type=azblob is not supported" },
		{ "type=inline", false, "type=registry,ref=IMAGE" },
		{ "type=registry", true, "ref=NAME" },
		{ "type=local", true, "dest=DIR" },
		{ "type=local", false, "src=DIR" },
		{ "type=local,dest=/c", false, "did you mean" },
		{ "type=local,src=/c,ref=a", false, "ref= is for" },
		{ "ref=a", true, "type= is missing" },
		{ "type=registry,ref=a,mode=all", true, "min or max" },
		{ "type=registry,ref=a,mode=max", false, "unknown field" },
		{ "type=registry,ref=a,ignore-error=perhaps", true, "true or false" },
		{ "type=registry,ref=A:b:c", true, "A:b:c" },
		{ "type=registry,rev=a", true, "did you mean ref" },
		{ "UPPER", false, "UPPER" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct share_spec s = { 0 };
		struct err e = { 0 };
		if (share_spec_parse(cases[i].text, cases[i].to, &s, &e) == 0)
			fail_msg("%s is taken", cases[i].text);
		assert_int_equal(e.kind, ERR_USAGE);
		if (!strstr(e.msg, cases[i].why))
			fail_msg("%s: %s", cases[i].text, e.msg);
	}
}

/* ---- records ---- */

static struct digest numbered(size_t n)
{
	return digest_of(&n, sizeof n);
}

/* One step without a layer, of that key. */
static void add(struct share_records *r, size_t n, int64_t used)
{
	struct share_step *s = vec_add(&r->steps);
	s->key = numbered(n);
	s->used = used;
	share_records_sort(r);
}

static void test_merge(void **state)
{
	struct share_records there = { 0 }, ours = { 0 };
	(void)state;
	add(&there, 1, NOW - 5 * DAY);
	add(&there, 2, NOW - 60);
	add(&ours, 2, NOW);
	assert_false(share_records_merge(&there, &ours, NOW)); /* used today: nothing to write */
	share_records_fini(&ours);
	add(&ours, 1, NOW);
	add(&ours, 3, NOW);
	assert_true(share_records_merge(&there, &ours, NOW));
	assert_int_equal(there.steps.n, 3);
	struct digest first = numbered(1), third = numbered(3), none = numbered(4);
	assert_int_equal(share_step_find(&there, &first)->used, NOW);
	assert_non_null(share_step_find(&there, &third));
	assert_null(share_step_find(&there, &none));
	share_records_fini(&ours);
	share_records_fini(&there);
}

static void test_trim_by_age(void **state)
{
	struct share_records r = { 0 };
	(void)state;
	add(&r, 1, NOW - 30 * DAY - 1);
	add(&r, 2, NOW - 30 * DAY);
	add(&r, 3, INT64_MAX); /* counts as used now */
	assert_true(share_records_trim(&r, NOW));
	assert_int_equal(r.steps.n, 2);
	struct digest future = numbered(3);
	assert_int_equal(share_step_find(&r, &future)->used, NOW);
	assert_false(share_records_trim(&r, NOW));
	share_records_fini(&r);
}

static void test_trim_by_number(void **state)
{
	struct share_records r = { 0 };
	(void)state;
	for (size_t i = 0; i < LIMIT_SHARE_RECORDS + 1; i++) {
		struct share_step *s = vec_add(&r.steps);
		s->key = numbered(i);
		s->used = NOW - (int64_t)i;
	}
	share_records_sort(&r);
	assert_true(share_records_trim(&r, NOW));
	assert_int_equal(r.steps.n, LIMIT_SHARE_RECORDS);
	struct digest oldest = numbered(LIMIT_SHARE_RECORDS);
	assert_null(share_step_find(&r, &oldest));
	share_records_fini(&r);
}

static int parse_many(size_t n, struct err *e)
{
	struct share_records r = { 0 }, ret = { 0 };
	for (size_t i = 0; i < n; i++)
		vec_add(&r.steps)->key = numbered(i);
	AUTO(free_drop) char *text = share_records_write(&r);
	int rc = share_records_parse(text, strlen(text), "text", &ret, e);
	share_records_fini(&r);
	share_records_fini(&ret);
	return rc;
}

static void test_limits(void **state)
{
	struct err e = { 0 };
	struct share_records ret = { 0 };
	(void)state;
	assert_int_equal(parse_many(LIMIT_SHARE_RECORDS - 1, &e), 0);
	assert_int_equal(parse_many(LIMIT_SHARE_RECORDS, &e), 0);
	assert_int_equal(parse_many(LIMIT_SHARE_RECORDS + 1, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	AUTO(free_drop) char *blank = x_alloc(LIMIT_SHARE_BYTES + 2);
	memset(blank, ' ', LIMIT_SHARE_BYTES + 1);
	memcpy(blank, "{\"version\":1}", 13);
	assert_int_equal(share_records_parse(blank, LIMIT_SHARE_BYTES - 1, "text", &ret, &e), 0);
	assert_int_equal(share_records_parse(blank, LIMIT_SHARE_BYTES, "text", &ret, &e), 0);
	assert_int_equal(share_records_parse(blank, LIMIT_SHARE_BYTES + 1, "text", &ret, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static int parse_listing_of(uint64_t size, struct err *e)
{
	struct share_records r = { 0 }, ret = { 0 };
	struct share_listing *l = vec_add(&r.listings);
	l->blob = (struct descriptor){ .media_type = x_strdup(MT_SHARE_LISTING), .size = size };
	AUTO(free_drop) char *text = share_records_write(&r);
	int rc = share_records_parse(text, strlen(text), "text", &ret, e);
	share_records_fini(&r);
	share_records_fini(&ret);
	return rc;
}

static void test_listing_limit(void **state)
{
	struct err e = { 0 };
	(void)state;
	assert_int_equal(parse_listing_of(LIMIT_SHARE_LISTING - 1, &e), 0);
	assert_int_equal(parse_listing_of(LIMIT_SHARE_LISTING, &e), 0);
	assert_int_equal(parse_listing_of(LIMIT_SHARE_LISTING + 1, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
}

/* A full cache must be one that can be read again. */
static void test_full_manifest(void **state)
{
	struct share_records r = { 0 };
	struct descriptor records = { .media_type = (char *)(uintptr_t)MT_SHARE_RECORDS, .size = LIMIT_SHARE_BYTES };
	(void)state;
	for (size_t i = 0; i < LIMIT_SHARE_RECORDS; i++) {
		struct share_step *s = vec_add(&r.steps);
		s->record.has_layer = true;
		s->record.layer.blob.media_type = x_strdup(MT_LAYER "+zstd");
		s->record.layer.blob.digest = numbered(i);
		s->record.layer.blob.size = LIMIT_LAYER_BYTES;
		struct share_listing *l = vec_add(&r.listings);
		l->blob.media_type = x_strdup(MT_SHARE_LISTING);
		l->blob.digest = numbered(LIMIT_SHARE_RECORDS + i);
		l->blob.size = LIMIT_SHARE_LISTING;
	}
	AUTO(free_drop) char *text = share_manifest_write(&records, &r);
	assert_true(strlen(text) <= LIMIT_MANIFEST);
	AUTO(free_drop) char *document = share_records_write(&r);
	assert_true(strlen(document) <= LIMIT_SHARE_BYTES);
	share_records_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_specs),
		cmocka_unit_test(test_specs_refused),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_trim_by_age),
		cmocka_unit_test(test_trim_by_number),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_listing_limit),
		cmocka_unit_test(test_full_manifest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
