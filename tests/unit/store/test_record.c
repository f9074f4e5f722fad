/* Records: what was put is got, what is damaged is absent. */
#include "temp_store.h"

#include "base/json.h"
#include "store/record.h"

static void test_json(void **state)
{
	struct temp *t = *state;
	struct json j = { 0 };
	struct err e;
	assert_int_equal(store_json_get(&t->s, "step/x.json", &j, &e), 1);
	assert_int_equal(store_json_put(&t->s, "step/x.json", "{\"a\":1}", &e), 0);
	assert_int_equal(store_json_get(&t->s, "step/x.json", &j, &e), 0);
	assert_int_equal(json_int(&j, "a", 0), 1);
	json_fini(&j);
	assert_int_equal(store_json_put(&t->s, "step/x.json", "{\"a\":2}", &e), 0);
	assert_int_equal(store_json_get(&t->s, "step/x.json", &j, &e), 0);
	assert_int_equal(json_int(&j, "a", 0), 2);
	json_fini(&j);
	assert_int_equal(count_in(&t->s, "tmp"), 0);
	assert_int_equal(count_in(&t->s, "step"), 1);
}

static void test_directories_are_made(void **state)
{
	struct temp *t = *state;
	struct json j = { 0 };
	struct err e;
	assert_int_equal(store_json_put(&t->s, "log/b1/deep/events.json", "[]", &e), 0);
	assert_int_equal(store_json_get(&t->s, "log/b1/deep/events.json", &j, &e), 0);
	json_fini(&j);
	assert_int_equal(store_json_get(&t->s, "log/b1/deep/events.json/below", &j, &e), 1);
}

static void test_damaged_json_is_absent(void **state)
{
	struct temp *t = *state;
	static const struct {
		const char *bytes;
		size_t n;
	} damages[] = {
		{ "", 0 },           { "{\"a\":", 5 }, { "\0\0\0\0\0\0\0", 7 }, { "{\"a\":\"b\0\0\0\"}", 12 },
		{ "{\"a\":1}x", 8 },
	};
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		struct json j = { 0 };
		struct err e;
		overwrite(&t->s, "layer/x.json", damages[i].bytes, damages[i].n);
		assert_int_equal(store_json_get(&t->s, "layer/x.json", &j, &e), 1);
	}
}

/* A wrong bit anywhere: the record is absent, or says what it said. */
static void test_flipped_bits(void **state)
{
	struct temp *t = *state;
	static const char text[] = "{\"a\":1,\"b\":\"text\",\"c\":[true,{\"d\":\"2026\"}]}\n";
	char bytes[200];
	struct err e;
	assert_int_equal(store_json_put(&t->s, "step/x.json", text, &e), 0);
	int fd = openat(t->s.fd, "step/x.json", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, sizeof bytes);
	close(fd);
	assert_int_equal(n, sizeof text - 1 + strlen(",\"sum\":\"0123456789abcdef\""));
	for (size_t i = 0; i < 8 * (size_t)n; i++) {
		AUTO(json_fini) struct json j = { 0 };
		bytes[i / 8] ^= (char)(1 << i % 8);
		overwrite(&t->s, "step/x.json", bytes, (size_t)n);
		bytes[i / 8] ^= (char)(1 << i % 8);
		if (store_json_get(&t->s, "step/x.json", &j, &e) == 1)
			continue;
		assert_int_equal(json_int(&j, "a", 0), 1);
		assert_string_equal(json_str(&j, "b"), "text");
		assert_string_equal(json_str(json_at(json_get(&j, "c"), 1), "d"), "2026");
	}
}

/* As they were written before there was a sum, and as others may lay them out. */
static void test_without_sum(void **state)
{
	struct temp *t = *state;
	static const char *const texts[] = { "{\"a\":1}", "{\"a\":1,\"sum\":\"0123\"}", " { \"a\" : 1 } \n\n",
					     "{\"sum\":\"0123456789abcdef\",\"a\":1}" };
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(json_fini) struct json j = { 0 };
		overwrite(&t->s, "step/x.json", texts[i], strlen(texts[i]));
		assert_int_equal(store_json_get(&t->s, "step/x.json", &j, &e), 0);
		assert_int_equal(json_int(&j, "a", 0), 1);
	}
	static const char *const small[] = { "{}", "[]", "{ }", "" };
	for (size_t i = 0; i < ARRAY_LEN(small); i++) {
		AUTO(json_fini) struct json j = { 0 };
		assert_int_equal(store_json_put(&t->s, "step/x.json", small[i], &e), 0);
		assert_int_equal(store_json_get(&t->s, "step/x.json", &j, &e), !*small[i]);
	}
}

static void test_other_kinds_are_absent(void **state)
{
	struct temp *t = *state;
	struct json j = { 0 };
	struct err e;
	assert_int_equal(symlinkat("../version", t->s.fd, "step/link.json"), 0);
	assert_int_equal(mkfifoat(t->s.fd, "step/fifo.json", 0600), 0);
	assert_int_equal(mkdirat(t->s.fd, "step/dir.json", 0700), 0);
	assert_int_equal(store_json_get(&t->s, "step/link.json", &j, &e), 1);
	assert_int_equal(store_json_get(&t->s, "step/fifo.json", &j, &e), 1);
	assert_int_equal(store_json_get(&t->s, "step/dir.json", &j, &e), 1);
}

static void test_file(void **state)
{
	struct temp *t = *state;
	static const struct {
		const char *bytes;
		size_t n;
	} contents[] = {
		{ "", 0 }, { "a", 1 }, { "a\0b", 3 }, { "nacre-listing 1\nf 1\n", 20 }, { "12345678", 8 },
	};
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		AUTO(str_fini) struct str got = { 0 };
		struct err e;
		assert_int_equal(store_file_put(&t->s, "list/x", contents[i].bytes, contents[i].n, &e), 0);
		assert_int_equal(store_file_get(&t->s, "list/x", contents[i].n, &got, &e), 0);
		assert_int_equal(got.len, contents[i].n);
		assert_memory_equal(str_text(&got), contents[i].bytes, contents[i].n);
		/* What was there stays. */
		assert_int_equal(store_file_get(&t->s, "list/x", contents[i].n, &got, &e), 0);
		assert_int_equal(got.len, 2 * contents[i].n);
	}
	AUTO(str_fini) struct str none = { 0 };
	struct err e;
	assert_int_equal(store_file_get(&t->s, "list/y", 100, &none, &e), 1);
}

/* Every prefix, and every eight bytes turned to zero. */
static void test_damaged_file_is_absent(void **state)
{
	struct temp *t = *state;
	char text[100];
	AUTO(str_fini) struct str whole = { 0 };
	struct err e;
	memset(text, 'x', sizeof text);
	assert_int_equal(store_file_put(&t->s, "list/x", text, sizeof text, &e), 0);
	int fd = openat(t->s.fd, "list/x", O_RDONLY | O_CLOEXEC);
	char bytes[200];
	ssize_t n = read(fd, bytes, sizeof bytes);
	close(fd);
	assert_int_equal(n, 139);
	for (size_t i = 0; i < (size_t)n; i++) {
		overwrite(&t->s, "list/x", bytes, i);
		assert_int_equal(store_file_get(&t->s, "list/x", sizeof text, &whole, &e), 1);
	}
	for (size_t i = 0; i + 8 <= (size_t)n; i++) {
		char copy[200];
		memcpy(copy, bytes, sizeof copy);
		memset(copy + i, 0, 8);
		overwrite(&t->s, "list/x", copy, (size_t)n);
		assert_int_equal(store_file_get(&t->s, "list/x", sizeof text, &whole, &e), 1);
	}
	overwrite(&t->s, "list/x", bytes, (size_t)n);
	assert_int_equal(store_file_get(&t->s, "list/x", sizeof text - 1, &whole, &e), 1);
	assert_int_equal(store_file_get(&t->s, "list/x", sizeof text, &whole, &e), 0);
}

static void test_no_space(void **state)
{
	struct temp *t = *state;
	struct err e;
	/* A final name that cannot be: what was written aside must not stay. */
	assert_int_equal(mkdirat(t->s.fd, "step/x.json", 0700), 0);
	assert_int_equal(store_json_put(&t->s, "step/x.json", "{}", &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_int_equal(count_in(&t->s, "tmp"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_json),
		TEST(test_directories_are_made),
		TEST(test_damaged_json_is_absent),
		TEST(test_flipped_bits),
		TEST(test_without_sum),
		TEST(test_other_kinds_are_absent),
		TEST(test_file),
		TEST(test_damaged_file_is_absent),
		TEST(test_no_space),
	};
	return cmocka_run_group_tests_name("store/record", tests, NULL, NULL);
}
