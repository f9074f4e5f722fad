/* layer_apply: what is checked of a blob, what it publishes, and that hostile archives do not reach out of the tree. */
#include "layers.h"

#include "archive/stream.h"

static const char everything[] =
	"d 711 - 3 a\n"
	"f - - 4 a/f content\n"
	"h - - - a/h a/f\n"
	"l - - 5 a/l ../a/f\n"
	"p 600 - 6 a/p\n"
	"w - - - a/w\n"
	"d - - 7 b\n"
	"O - - - b\n"
	"f 4755 - 8 b/s x\n"
	"f - - 9 c/d/e 1\n";

static const char everything_tree[] =
	"d 711 0:0 3 a\n"
	"f 644 0:0 4 a/f content\n"
	"h - - - a/h a/f\n"
	"l - 0:0 5 a/l ../a/f\n"
	"p 600 0:0 6 a/p\n"
	"w - - - a/w\n"
	"o 755 0:0 7 b\n"
	"f 4755 0:0 8 b/s x\n"
	"d 755 0:0 0 c\n"
	"d 755 0:0 0 c/d\n"
	"f 644 0:0 9 c/d/e 1\n";

static void test_round_trip(void **state)
{
	struct bench b;
	struct diffid first = { 0 };
	bench_open(&b);
	for (enum compression how = COMPRESSION_NONE; how <= COMPRESSION_ZSTD; how++) {
		struct layer l;
		struct err e = { 0 };
		struct diffid got;
		struct strv implied = { 0 };
		struct json record;
		char name[8] = { 't', (char)('0' + (int)how) };
		layer_from(&b, how, everything, &l);
		char *written = listing_text(&b, &l.diffid);
		char *file = x_asprintf("layer/%s.json", digest_hex(&l.diffid.d).s);
		int tree = scratch_dir(&b.dir, name);
		struct layer_apply a = { .store = &b.store, .blob = &l.blob, .want = &l.diffid, .tree_fd = tree,
			.digest_files = true, .implied = &implied };
		if (layer_apply(&a, &got, &e) < 0)
			fail_msg("%s", e.msg);
		assert_true(digest_eq(&got.d, &l.diffid.d));
		if (how == COMPRESSION_NONE)
			first = got;
		assert_true(digest_eq(&got.d, &first.d));
		char *read = listing_text(&b, &got), *text = tree_text_of(tree, false), *all = strv_join(&implied, " ");
		assert_string_equal(read, written);
		assert_string_equal(text, everything_tree);
		assert_string_equal(all, ". c c/d");
		assert_int_equal(store_json_get(&b.store, file, &record, &e), 0);
		assert_string_equal(json_str(&record, "digest"), digest_text(&l.blob.digest).s);
		assert_string_equal(json_str(&record, "mediaType"), l.blob.media_type);
		json_fini(&record);
		strv_fini(&implied);
		free(read);
		free(written);
		free(text);
		free(all);
		free(file);
		descriptor_fini(&l.blob);
		close(tree);
	}
	bench_close(&b);
}

static void test_listing_only(void **state)
{
	struct bench b;
	struct layer l;
	struct err e = { 0 };
	struct diffid got;
	bench_open(&b);
	layer_from(&b, COMPRESSION_GZIP, everything, &l);
	struct layer_apply a = { .store = &b.store, .blob = &l.blob, .tree_fd = -1 };
	assert_int_equal(layer_apply(&a, &got, &e), 0);
	assert_true(digest_eq(&got.d, &l.diffid.d));
	char *text = listing_text(&b, &got), *name = x_asprintf("list/%s", digest_hex(&got.d).s);
	assert_null(strstr(text, " - a/f\n")); /* what the writer knew is kept */
	free(text);
	assert_int_equal(unlinkat(b.store.fd, name, 0), 0);
	assert_int_equal(layer_apply(&a, &got, &e), 0);
	text = listing_text(&b, &got);
	assert_non_null(strstr(text, " - a/f\n"));
	free(text);
	free(name);
	descriptor_fini(&l.blob);
	bench_close(&b);
}

/* Puts bytes under the name of another blob, as a damaged disk or a lying registry would. */
static void plant_blob(struct bench *b, const struct digest *name, const void *bytes, size_t n)
{
	struct err e = { 0 };
	int dir = openat(b->store.fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_put(dir, digest_hex(name).s, bytes, n, false, &e), 0);
	close(dir);
}

static void check_damaged(struct bench *b, const struct layer *l, const char *bytes, size_t n, const char *what)
{
	struct err e = { 0 };
	struct diffid got;
	plant_blob(b, &l->blob.digest, bytes, n);
	struct layer_apply a = { .store = &b->store, .blob = &l->blob, .tree_fd = -1 };
	if (layer_apply(&a, &got, &e) == 0)
		fail_msg("accepted: %s", what);
	if (e.kind != ERR_INTEGRITY)
		fail_msg("%s: %s", what, e.msg);
	char *name = x_asprintf("list/%s", digest_hex(&l->diffid.d).s);
	struct str none = { 0 };
	assert_int_equal(store_file_get(&b->store, name, 1 << 20, &none, &e), 1);
	free(name);
}

/* T-H5: nothing is published of a blob that is not what its descriptor says. */
static void test_damage(void **state)
{
	for (enum compression how = COMPRESSION_NONE; how <= COMPRESSION_ZSTD; how++) {
		struct bench b;
		struct layer l;
		struct err e = { 0 };
		struct str blob = { 0 };
		bench_open(&b);
		layer_from(&b, how, everything, &l);
		assert_int_equal(blob_read(&b.store, &l.blob.digest, 1 << 20, &blob, &e), 0);
		char *name = x_asprintf("list/%s", digest_hex(&l.diffid.d).s);
		assert_int_equal(unlinkat(b.store.fd, name, 0), 0);
		free(name);
		size_t step = blob.len / 40 + 1;
		for (size_t at = 0; at < blob.len; at += step) {
			blob.buf[at] ^= 0x10;
			check_damaged(&b, &l, blob.buf, blob.len, "a flipped bit");
			blob.buf[at] ^= 0x10;
			check_damaged(&b, &l, blob.buf, at, "too short");
		}
		str_addc(&blob, '\0');
		check_damaged(&b, &l, blob.buf, blob.len, "one byte too long");
		str_fini(&blob);
		descriptor_fini(&l.blob);
		bench_close(&b);
	}
}

static void test_promises(void **state)
{
	struct bench b;
	struct layer l;
	struct err e = { 0 };
	struct diffid got, other = { .d = digest_of("x", 1) };
	bench_open(&b);
	layer_from(&b, COMPRESSION_ZSTD, everything, &l);
	struct layer_apply a = { .store = &b.store, .blob = &l.blob, .want = &other, .tree_fd = -1 };
	assert_int_equal(layer_apply(&a, &got, &e), -1);
	assert_int_equal(e.kind, ERR_INTEGRITY);
	assert_non_null(strstr(e.msg, digest_text(&l.diffid.d).s));
	assert_non_null(strstr(e.msg, digest_text(&other.d).s));
	a.want = &l.diffid;
	l.blob.size++;
	assert_int_equal(layer_apply(&a, &got, &e), -1);
	assert_int_equal(e.kind, ERR_INTEGRITY);
	l.blob.digest = other.d;
	assert_int_equal(layer_apply(&a, &got, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	descriptor_fini(&l.blob);
	bench_close(&b);
}

/* A tar from members whose names nobody checked; whiteouts by their names in the tar. */
static void raw_tar(const char *lines, struct str *out)
{
	struct err e = { 0 };
	struct sink *s = sink_mem(out);
	for (const char *p = lines; *p;) {
		size_t len = strcspn(p, "\n");
		struct tar_entry m;
		char kind, *content;
		member_parse(p, len, &m, &kind, &content);
		assert_int_equal(tar_write_entry(s, &m, &e), 0);
		if (kind == 'f') {
			assert_int_equal(sink_write(s, content, m.size, &e), 0);
			assert_int_equal(tar_write_pad(s, m.size, &e), 0);
		}
		tar_entry_fini(&m);
		free(content);
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	assert_int_equal(tar_write_end(s, &e), 0);
	assert_int_equal(sink_finish(s, &e), 0);
	sink_free(s);
}

struct hostile {
	const char *members;
	const char *tree; /* NULL: must be refused as ERR_SPEC */
};

static const struct hostile hostile[] = {
	{ "f - - - ../x 1\n", NULL },
	{ "f - - - a/../../x 1\n", NULL },
	{ "d - - - ..\n", NULL },
	{ "f - - - /x 1\n", "f 644 0:0 7 x 1\n" },
	{ "f - - - ././/x 1\n", "f 644 0:0 7 x 1\n" },
	{ "l - - - . /\n", NULL },
	{ "l - - - ./ /\n", NULL },
	{ "l - - - / /\n", NULL },
	{ "p - - - ./.\n", NULL },
	{ "h - - - h ../../etc/passwd\n", NULL },
	{ "h - - - h /etc/passwd\n", NULL },
	{ "f - - - .wh. -\n", NULL },
	{ "f - - - .wh.. -\n", NULL },
	{ "f - - - .wh... -\n", NULL },
	{ "f - - - d/.wh... -\n", NULL },
	{ "d - - - .wh.d\nf - - - .wh.d/x 1\n", NULL },
	{ "f - - - .wh..wh.plnk/1.2 1\nf - - - .wh..wh.aufs 1\nd - - - .wh..wh.orph\n", "" },
	{ "f - - - .wh.x ignored\n", "w - - - x\n" },
	{ "d - - - .wh.x\n", "w - - - x\n" },
	{ "f - - - x 1\nf - - - .wh.x -\n", "f 644 0:0 7 x 1\n" },
	{ "f - - - .wh.x -\nf - - - x 1\n", "f 644 0:0 7 x 1\n" },
	{ "f - - - d/x 1\nf - - - d/.wh..wh..opq -\n", "o 755 0:0 0 d\nf 644 0:0 7 d/x 1\n" },
};

static void check_hostile(struct bench *b, size_t i)
{
	const struct hostile *h = &hostile[i];
	struct str tar = { 0 };
	struct err e = { 0 };
	struct diffid got;
	char name[16];
	snprintf(name, sizeof name, "h%zu", i);
	raw_tar(h->members, &tar);
	struct descriptor d = { .media_type = (char *)"x", .size = tar.len };
	assert_int_equal(blob_put(&b->store, tar.buf, tar.len, &d.digest, &e), 0);
	int tree = scratch_dir(&b->dir, name);
	struct layer_apply a = { .store = &b->store, .blob = &d, .tree_fd = tree };
	int r = layer_apply(&a, &got, &e);
	char *text = tree_text_of(tree, false);
	if (!h->tree && r == 0)
		fail_msg("accepted: %s%s", h->members, text);
	if (!h->tree && e.kind != ERR_SPEC)
		fail_msg("%s: %s", h->members, e.msg);
	if (h->tree && r < 0)
		fail_msg("%s: %s", h->members, e.msg);
	if (h->tree && strcmp(text, h->tree) != 0)
		fail_msg("%s:\n%swanted:\n%s", h->members, text, h->tree);
	free(text);
	str_fini(&tar);
	close(tree);
}

static void test_hostile(void **state)
{
	struct bench b;
	bench_open(&b);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
		check_hostile(&b, i);
	bench_close(&b);
}

static size_t count(const char *dir)
{
	struct strv names = { 0 };
	struct err e;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dir_names(fd, &names, &e), 0);
	close(fd);
	size_t n = names.n;
	strv_fini(&names);
	return n;
}

/* T-A14: layers that end at any byte leave neither descriptors nor threads. */
static void test_no_leak(void **state)
{
	struct bench b;
	struct str tar = { 0 };
	struct err e = { 0 };
	struct diffid got;
	struct layer whole;
	bench_open(&b);
	layer_from(&b, COMPRESSION_NONE, everything, &whole);
	assert_int_equal(blob_read(&b.store, &whole.blob.digest, 1 << 20, &tar, &e), 0);
	size_t fds = count("/proc/self/fd"), threads = count("/proc/self/task");
	for (size_t n = 0; n < tar.len; n += 97) {
		struct descriptor d = { .media_type = (char *)"x", .size = n };
		char name[24];
		snprintf(name, sizeof name, "n%zu", n);
		assert_int_equal(blob_put(&b.store, tar.buf, n, &d.digest, &e), 0);
		int tree = scratch_dir(&b.dir, name);
		struct layer_apply a = { .store = &b.store, .blob = &d, .tree_fd = tree };
		(void)!layer_apply(&a, &got, &e);
		close(tree);
	}
	assert_int_equal(count("/proc/self/fd"), fds);
	assert_int_equal(count("/proc/self/task"), threads);
	descriptor_fini(&whole.blob);
	str_fini(&tar);
	bench_close(&b);
}

/* T-A13: markers cost the same however often they come, and however large the directory is. */
static void test_many_marks(void **state)
{
	struct bench b;
	struct str lines = { 0 }, tar = { 0 };
	struct err e = { 0 };
	struct diffid got;
	bench_open(&b);
	for (int i = 0; i < 2000; i++)
		str_addf(&lines, "f - - - d/f%d -\n", i);
	for (int i = 0; i < 20000; i++)
		str_add(&lines, "f - - - d/.wh..wh..opq -\n");
	raw_tar(lines.buf, &tar);
	struct descriptor d = { .media_type = (char *)"x", .size = tar.len };
	assert_int_equal(blob_put(&b.store, tar.buf, tar.len, &d.digest, &e), 0);
	int tree = scratch_dir(&b.dir, "t");
	struct layer_apply a = { .store = &b.store, .blob = &d, .tree_fd = tree };
	assert_int_equal(layer_apply(&a, &got, &e), 0);
	char path[96];
	snprintf(path, sizeof path, "%s/t/d", b.dir.path);
	assert_int_equal(count(path), 2000);
	close(tree);
	str_fini(&tar);
	str_fini(&lines);
	bench_close(&b);
}

/* ---- tree_fix_implied ---- */

struct fix {
	const char *what;
	const char *lowers[3]; /* members of each, the topmost first */
	const char *top;
	const char *tree;      /* directories that were implied have what is below */
};

static const struct fix fixes[] = {
	{ "the nearest layer that has it", { "d 700 - 3 a\n", "d 711 - 4 a\nd 711 - 4 a/b\n" }, "f - - - a/b/x 1\n",
	  "d 700 0:0 3 a\nd 711 0:0 4 a/b\nf 644 0:0 7 a/b/x 1\n" },
	{ "nothing below", { "d 700 - 3 z\n" }, "f - - - a/x 1\n", "d 755 0:0 0 a\nf 644 0:0 7 a/x 1\n" },
	{ "deleted between", { "w - - - a\n", "d 700 - 3 a\n" }, "f - - - a/x 1\n", "d 755 0:0 0 a\nf 644 0:0 7 a/x 1\n" },
	{ "a file between", { "f - - - a 1\n", "d 700 - 3 a\n" }, "f - - - a/x 1\n", "d 755 0:0 0 a\nf 644 0:0 7 a/x 1\n" },
	{ "a link between", { "l - - - a b\nd 711 - 9 b\n", "d 700 - 3 a\n" }, "f - - - a/x 1\n",
	  "d 755 0:0 0 a\nf 644 0:0 7 a/x 1\n" },
	{ "opaque between", { "d 711 - 4 a\nO - - - a\n", "d 700 - 3 a\nd 700 - 3 a/b\n" }, "f - - - a/b/x 1\n",
	  "d 711 0:0 4 a\nd 755 0:0 0 a/b\nf 644 0:0 7 a/b/x 1\n" },
	{ "opaque here", { "d 711 - 4 a\nd 711 - 4 a/b\n" }, "d 700 - 5 a\nO - - - a\nf - - - a/b/x 1\n",
	  "o 700 0:0 5 a\nd 755 0:0 0 a/b\nf 644 0:0 7 a/b/x 1\n" },
	{ "itself opaque", { "d 711 - 4 a\n" }, "O - - - a\nf - - - a/x 1\n", "o 711 0:0 4 a\nf 644 0:0 7 a/x 1\n" },
};

static void check_fix(const struct fix *f)
{
	struct scratch dir;
	struct err e = { 0 };
	struct strv implied = { 0 };
	int lowers[3];
	size_t n = 0;
	scratch_open(&dir);
	for (; n < ARRAY_LEN(f->lowers) && f->lowers[n]; n++) {
		char name[8] = { 'l', (char)('0' + (int)n) };
		lowers[n] = scratch_dir(&dir, name);
		assert_int_equal(tree_from(lowers[n], f->lowers[n], NULL, &e), 0);
	}
	int top = scratch_dir(&dir, "top");
	assert_int_equal(tree_from(top, f->top, &implied, &e), 0);
	if (tree_fix_implied(top, &implied, lowers, n, &e) < 0)
		fail_msg("%s: %s", f->what, e.msg);
	char *text = tree_text_of(top, false);
	if (strcmp(text, f->tree) != 0)
		fail_msg("%s:\n%swanted:\n%s", f->what, text, f->tree);
	free(text);
	strv_fini(&implied);
	for (size_t i = 0; i < n; i++)
		close(lowers[i]);
	close(top);
	scratch_close(&dir);
}

static void test_fix_implied(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(fixes); i++)
		check_fix(&fixes[i]);
}

static void test_fix_root(void **state)
{
	struct scratch dir;
	struct err e = { 0 };
	struct strv implied = { 0 };
	struct stat st;
	char value[8];
	scratch_open(&dir);
	int lower = scratch_dir(&dir, "lower"), top = scratch_dir(&dir, "top");
	assert_int_equal(tree_from(lower, "d 1777 - 5 .\n", NULL, &e), 0);
	assert_int_equal(fsetxattr(lower, "user.x", "1", 1, 0), 0);
	assert_int_equal(fsetxattr(lower, "user.overlay.origin", "1", 1, 0), 0);
	assert_int_equal(tree_from(top, "f - - - x 1\n", &implied, &e), 0);
	assert_int_equal(tree_fix_implied(top, &implied, &lower, 1, &e), 0);
	assert_int_equal(fstat(top, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(st.st_mtim.tv_sec, 5);
	assert_int_equal(fgetxattr(top, "user.x", value, sizeof value), 1);
	assert_int_equal(fgetxattr(top, "user.overlay.origin", value, sizeof value), -1);
	strv_fini(&implied);
	close(lower);
	close(top);
	scratch_close(&dir);
}

int main(void)
{
	enter_userns();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_listing_only),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_promises),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_no_leak),
		cmocka_unit_test(test_many_marks),
		cmocka_unit_test(test_fix_implied),
		cmocka_unit_test(test_fix_root),
	};
	return cmocka_run_group_tests_name("layer_apply", tests, NULL, NULL);
}
