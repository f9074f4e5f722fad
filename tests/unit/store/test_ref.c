/* Names in index.json: our entries, and everybody else's kept as they are. */
#include "temp_store.h"

#include "base/fd.h"
#include "store/ref.h"

static const struct digest one = { .b = { 1 } }, two = { .b = { 2 } };

static void put(struct temp *t, const char *name, const struct digest *d)
{
	struct ref_entry entry = {
		.name = (char *)name,
		.media_type = (char *)"application/vnd.oci.image.manifest.v1+json",
		.digest = *d,
		.size = 7,
	};
	struct err e;
	if (ref_put(t->s.fd, &entry, &e) < 0)
		fail_msg("%s", e.msg);
}

/* "name=FIRSTBYTE " for each entry; "-" without name. */
static void assert_refs(struct temp *t, const char *want)
{
	struct ref_list l;
	AUTO(str_fini) struct str got = { 0 };
	struct err e;
	assert_int_equal(ref_list(t->s.fd, &l, &e), 0);
	for (size_t i = 0; i < l.n; i++)
		str_addf(&got, "%s=%d ", l.v[i].name ? l.v[i].name : "-", l.v[i].digest.b[0]);
	ref_list_fini(&l);
	assert_string_equal(str_text(&got), want);
}

static void write_index(struct temp *t, const char *text)
{
	overwrite(&t->s, "index.json", text, strlen(text));
}

static void assert_index(struct temp *t, const char *want)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err e;
	assert_int_equal(file_read(t->s.fd, "index.json", 100000, &text, &e), 0);
	assert_string_equal(str_text(&text), want);
}

static void test_put_replace_remove(void **state)
{
	struct temp *t = *state;
	bool there;
	struct err e;
	assert_refs(t, "");
	put(t, "app:1", &one);
	put(t, "app:2", &two);
	assert_refs(t, "app:1=1 app:2=2 ");
	put(t, "app:1", &two);
	assert_refs(t, "app:1=2 app:2=2 ");
	put(t, NULL, &one);
	put(t, NULL, &one);
	assert_refs(t, "app:1=2 app:2=2 -=1 ");
	assert_int_equal(ref_remove(t->s.fd, "app:1", &there, &e), 0);
	assert_true(there);
	assert_int_equal(ref_remove(t->s.fd, "app:1", &there, &e), 0);
	assert_false(there);
	assert_refs(t, "app:2=2 -=1 ");
	assert_false(faccessat(t->s.fd, "index.json.new", F_OK, 0) == 0);
}

static void test_all_members(void **state)
{
	struct temp *t = *state;
	struct ref_entry entry = {
		.name = (char *)"a",
		.media_type = (char *)"application/vnd.oci.image.index.v1+json",
		.digest = one,
		.size = 1u << 31,
		.created = (char *)"2026-11-20T18:00:00Z",
		.platform_os = (char *)"linux",
		.platform_arch = (char *)"arm",
		.platform_variant = (char *)"v7",
	};
	struct ref_list l;
	struct err e;
	assert_int_equal(ref_put(t->s.fd, &entry, &e), 0);
	assert_index(t, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":["
			"{\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
			"\"digest\":\"sha256:0100000000000000000000000000000000000000000000000000000000000000\","
			"\"size\":2147483648,"
			"\"annotations\":{\"org.opencontainers.image.created\":\"2026-11-20T18:00:00Z\","
			"\"org.opencontainers.image.ref.name\":\"a\"},"
			"\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"}}]}");
	assert_int_equal(ref_list(t->s.fd, &l, &e), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].media_type, entry.media_type);
	assert_int_equal(l.v[0].size, entry.size);
	assert_string_equal(l.v[0].created, entry.created);
	assert_string_equal(l.v[0].platform_os, "linux");
	assert_string_equal(l.v[0].platform_arch, "arm");
	assert_string_equal(l.v[0].platform_variant, "v7");
	ref_list_fini(&l);
}

#define FOREIGN \
	"{\"mediaType\":\"x/y\",\"digest\":\"sha512:ab\",\"size\":3,\"urls\":[\"u\"],\"annotations\":{\"k\":\"v\"}}"
#define NAMED(name, hex) \
	"{\"mediaType\":\"x/y\",\"digest\":\"sha256:" hex \
	"000000000000000000000000000000000000000000000000000000000000\"" \
	",\"size\":3,\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}}"

static void test_others_entries_are_kept(void **state)
{
	struct temp *t = *state;
	bool there;
	struct err e;
	write_index(t, "{\"manifests\":[" FOREIGN "," NAMED("a", "0900") "," NAMED("b", "0800") "," NAMED(
			       "a", "0700") "],\"schemaVersion\":2,\"annotations\":{\"x\":\"y\"}}");
	assert_refs(t, "a=9 b=8 a=7 ");
	assert_int_equal(ref_remove(t->s.fd, "a", &there, &e), 0);
	assert_index(
		t,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[" FOREIGN
		"," NAMED("b", "0800") "],\"annotations\":{\"x\":\"y\"}}");
}

static void test_damaged(void **state)
{
	struct temp *t = *state;
	static const char *const texts[] = {
		"", "[]", "{", "{\"manifests\":{}}", "{\"manifests\":[],\"manifests\":[]}", "null",
	};
	struct ref_entry entry = { .name = (char *)"a", .media_type = (char *)"x/y", .digest = one };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct ref_list l;
		struct err e;
		write_index(t, texts[i]);
		assert_int_equal(ref_list(t->s.fd, &l, &e), -1);
		assert_int_equal(e.kind, ERR_SPEC);
		assert_int_equal(ref_put(t->s.fd, &entry, &e), -1);
		assert_index(t, texts[i]);
	}
}

/* Digests, sizes and types that are none: the entry does not count, the others do (T-H4). */
static void test_bad_entries(void **state)
{
	struct temp *t = *state;
	static const char *const entries[] = {
		"1",
		"null",
		"{}",
		"{\"mediaType\":\"x/y\",\"size\":1}",
		"{\"mediaType\":\"x/y\",\"size\":1,\"digest\":\"sha256:../../../x\"}",
		("{\"mediaType\":\"x/y\",\"size\":-1,\"digest\":\"sha256:"
		 "0000000000000000000000000000000000000000000000000000000000000000\"}"),
		("{\"mediaType\":1,\"size\":1,\"digest\":\"sha256:"
		 "0000000000000000000000000000000000000000000000000000000000000000\"}"),
	};
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		AUTO(free_drop) char *text = x_asprintf("{\"manifests\":[%s,%s]}", entries[i], NAMED("a", "0900"));
		write_index(t, text);
		assert_refs(t, "a=9 ");
	}
}

static void test_index_of_another_kind(void **state)
{
	struct temp *t = *state;
	struct ref_list l;
	struct err e;
	assert_int_equal(unlinkat(t->s.fd, "index.json", 0), 0);
	assert_int_equal(symlinkat("/etc/hostname", t->s.fd, "index.json"), 0);
	assert_int_equal(ref_list(t->s.fd, &l, &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
}

enum { WRITERS = 6, NAMES = 15 };

static int write_names(struct temp *t, int writer)
{
	for (int i = 0; i < NAMES; i++) {
		char name[32];
		snprintf(name, sizeof name, "w%d:%d", writer, i);
		struct ref_entry entry = { .name = name, .media_type = (char *)"x/y", .digest = one };
		struct err e;
		if (ref_put(t->s.fd, &entry, &e) < 0)
			return 1;
	}
	return 0;
}

static void test_no_name_is_lost(void **state)
{
	struct temp *t = *state;
	pid_t pids[WRITERS];
	struct ref_list l;
	struct err e;
	for (int i = 0; i < WRITERS; i++)
		if ((pids[i] = fork()) == 0)
			_exit(write_names(t, i));
	for (int i = 0; i < WRITERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(ref_list(t->s.fd, &l, &e), 0);
	assert_int_equal(l.n, WRITERS * NAMES);
	ref_list_fini(&l);
}

/* A directory of an output: what it holds, and what layout_init says. */
static const struct {
	const char *layout;
	bool ok;
} layouts[] = {
	{ NULL, true },
	{ "{\"imageLayoutVersion\":\"1.0.0\"}", true },
	{ "{\"imageLayoutVersion\": \"1.0.0\", \"more\": 1}\n", true },
	{ "{\"imageLayoutVersion\":\"2.0.0\"}", false },
	{ "{}", false },
	{ "", false },
};

static void test_layout_init(void **state)
{
	struct temp *t = *state;
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		AUTO(free_drop) char *path = x_asprintf("%s/out%zu", t->dir, i);
		struct err e;
		struct stat st;
		assert_int_equal(mkdir(path, 0755), 0);
		AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (layouts[i].layout)
			assert_int_equal(
				file_put(dir, "oci-layout", layouts[i].layout, strlen(layouts[i].layout), false, &e),
				0);
		assert_int_equal(layout_init(dir, path, &e), layouts[i].ok ? 0 : -1);
		if (!layouts[i].ok) {
			assert_int_equal(e.kind, ERR_SPEC);
			continue;
		}
		assert_int_equal(layout_init(dir, path, &e), 0);
		assert_int_equal(fstatat(dir, "blobs/sha256", &st, 0), 0);
		struct temp out = { .s.fd = dir };
		put(&out, "x", &one);
		assert_int_equal(layout_init(dir, path, &e), 0);
		assert_refs(&out, "x=1 ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_put_replace_remove),
		TEST(test_all_members),
		TEST(test_others_entries_are_kept),
		TEST(test_damaged),
		TEST(test_bad_entries),
		TEST(test_index_of_another_kind),
		TEST(test_no_name_is_lost),
		TEST(test_layout_init),
	};
	return cmocka_run_group_tests_name("store/ref", tests, NULL, NULL);
}
