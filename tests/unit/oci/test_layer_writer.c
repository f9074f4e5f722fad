/* layer_writer: the same entries give the same blob whatever the portions and threads, and all records agree with it.
 */
#include "layers.h"

#include "archive/tar_read.h"
#include "base/digest.h"

#include <dirent.h>

static const char members[] = "d 755 - 3 a\n"
			      "f 644 - 4 a/f content\n"
			      "h - - - a/h a/f\n"
			      "l - - 5 a/l ../a/f\n"
			      "w - - - a/w\n"
			      "w - - - w\n"
			      "d - - 7 b\n"
			      "O - - - b\n"
			      "f 600 - 8 e\n";

static const char members_listing[] =
	"nacre-listing 1\n"
	"d 0755 0 0 0 3 - - a\n"
	"f 0644 0 0 7 4 - ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73 a/f\n"
	"h 0644 0 0 0 7 - - a/h a/f\n"
	"l 0777 0 0 0 5 - - a/l ../a/f\n"
	"w 0000 0 0 0 0 - - a/w\n"
	"w 0000 0 0 0 0 - - w\n"
	"d 0755 0 0 0 7 - - b\n"
	"o 0000 0 0 0 0 - - b\n"
	"f 0600 0 0 0 8 - e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 e\n";

/* The names in the layer, as they stand in its tar. */
static void tar_names(struct bench *b, const struct digest *blob, struct str *out, struct diffid *ret)
{
	struct err e = { 0 };
	struct sha sha;
	AUTO(fd_drop) int fd = -1;
	const struct tar_entry *entry;
	assert_int_equal(blob_open(&b->store, blob, &fd, &e), 0);
	sha_init(&sha);
	AUTO(source_drop)
	struct source *in = source_digest(source_decompress(source_fd(fd, "blob"), "blob"), &sha, NULL);
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, "blob");
	while (tar_reader_next(r, &entry, &e) > 0)
		str_addf(out, "%s %c %o %lld\n", entry->path, entry->type, (unsigned)entry->mode,
			 (long long)entry->mtime);
	assert_int_equal(e.kind, ERR_NONE);
	assert_int_equal(source_drain(in, &e), 0);
	ret->d = sha_end(&sha);
}

static void check_record(struct bench *b, const struct layer *l)
{
	AUTO(free_drop) char *name = x_asprintf("layer/%s.json", digest_hex(&l->diffid.d).s);
	AUTO(json_fini) struct json j = { 0 };
	struct err e = { 0 };
	uint64_t size = 0;
	assert_int_equal(store_json_get(&b->store, name, &j, &e), 0);
	assert_string_equal(json_str(&j, "mediaType"), l->blob.media_type);
	assert_string_equal(json_str(&j, "digest"), digest_text(&l->blob.digest).s);
	assert_int_equal(json_int(&j, "size", -1), l->blob.size);
	assert_true(blob_exists(&b->store, &l->blob.digest, &size));
	assert_int_equal(size, l->blob.size);
}

static void test_formats(void **state)
{
	static const char *const types[] = {
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd",
	};
	struct bench b;
	struct diffid first = { 0 };
	bench_open(&b);
	for (enum compression how = COMPRESSION_NONE; how <= COMPRESSION_ZSTD; how++) {
		AUTO(str_fini) struct str names = { 0 };
		struct diffid seen;
		struct layer l;
		layer_from(&b, how, members, &l);
		if (how == COMPRESSION_NONE)
			first = l.diffid;
		assert_string_equal(l.blob.media_type, types[how]);
		assert_true(digest_eq(&l.diffid.d, &first.d));
		check_record(&b, &l);
		AUTO(free_drop) char *text = listing_text(&b, &l.diffid);
		assert_string_equal(text, members_listing);
		tar_names(&b, &l.blob.digest, &names, &seen);
		assert_true(digest_eq(&seen.d, &l.diffid.d));
		assert_string_equal(str_text(&names),
				    "a d 755 3\na/f f 644 4\na/h h 644 7\na/l l 777 5\na/.wh.w f 0 0\n.wh.w f 0 0\n"
				    "b d 755 7\nb/.wh..wh..opq f 0 0\ne f 600 8\n");
		descriptor_fini(&l.blob);
	}
	bench_close(&b);
}

/* Two blocks of zeros; this diffID is that of every empty layer there is. */
static void test_empty(void **state)
{
	struct bench b;
	struct layer l;
	bench_open(&b);
	layer_from(&b, COMPRESSION_NONE, "", &l);
	assert_string_equal(digest_text(&l.diffid.d).s,
			    "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
	assert_true(digest_eq(&l.diffid.d, &l.blob.digest));
	assert_int_equal(l.blob.size, 1024);
	AUTO(free_drop) char *text = listing_text(&b, &l.diffid);
	assert_string_equal(text, "nacre-listing 1\n");
	check_record(&b, &l);
	descriptor_fini(&l.blob);
	bench_close(&b);
}

enum { LARGE = 9 << 20 };

static void large_layer(struct bench *b, const struct layer_format *f, const char *bytes, size_t portion,
			struct layer *ret)
{
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	struct err e = { 0 };
	assert_int_equal(layer_writer_open(&b->store, f, NULL, &w, &e), 0);
	for (size_t file = 0; file < 3; file++) {
		char name[] = { (char)('a' + file), 0 };
		struct tar_entry t = { TAR_FILE,          name,       .mode = 0644,
				       .size = LARGE / 3, .mtime = 1, .mtime_ns = (uint32_t)portion };
		assert_int_equal(layer_writer_add(w, &t, &e), 0);
		for (size_t at = 0; at < t.size; at += portion) {
			size_t n = t.size - at < portion ? t.size - at : portion;
			assert_int_equal(layer_writer_data(w, bytes + file * t.size + at, n, &e), 0);
		}
	}
	assert_int_equal(layer_writer_finish(w, ret, &e), 0);
}

static void test_same_bytes(void **state)
{
	static const size_t portions[] = { 1000, 100000, LARGE };
	AUTO(free_drop) char *bytes = x_alloc(LARGE);
	struct bench b;
	uint32_t x = 5;
	for (size_t i = 0; i < LARGE; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(i / 70000 % 2 ? x >> 24 : x >> 30);
	}
	bench_open(&b);
	for (enum compression how = COMPRESSION_NONE; how <= COMPRESSION_ZSTD; how++) {
		struct layer first = { 0 };
		for (size_t p = 0; p < ARRAY_LEN(portions); p++) {
			struct layer l;
			large_layer(&b, &(struct layer_format){ how, 0, (unsigned)p * 2 }, bytes, portions[p], &l);
			if (p == 0) {
				first = l;
				continue;
			}
			assert_true(digest_eq(&l.diffid.d, &first.diffid.d));
			assert_true(digest_eq(&l.blob.digest, &first.blob.digest));
			descriptor_fini(&l.blob);
		}
		descriptor_fini(&first.blob);
	}
	bench_close(&b);
}

static size_t count_files(struct bench *b, const char *dir)
{
	AUTO(free_drop) char *path = x_asprintf("%s/store/%s", b->dir.path, dir);
	DIR *d = opendir(path);
	size_t n = 0;
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void test_files(void **state)
{
	struct bench b;
	struct err e = { 0 };
	struct layer l;
	bench_open(&b);
	AUTO(fd_drop) int fd = openat(b.dir.fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	assert_int_equal(layer_writer_open(&b.store, &(struct layer_format){ 0 }, NULL, &w, &e), 0);
	/* From the offset on, and no more than the size that was said. */
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	assert_int_equal(layer_writer_add(w, &(struct tar_entry){ TAR_FILE, "a", .size = 3 }, &e), 0);
	assert_int_equal(layer_writer_fd(w, fd, "f", &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	assert_int_equal(layer_writer_add(w, &(struct tar_entry){ TAR_FILE, "b", .size = 6 }, &e), 0);
	assert_int_equal(layer_writer_fd(w, fd, "f", &e), -1);
	assert_int_equal(e.kind, ERR_BUILD);
	layer_writer_free(ptr_take(&w));
	assert_int_equal(count_files(&b, "tmp"), 0);
	assert_int_equal(count_files(&b, "blobs/sha256"), 0);

	layer_from(&b, COMPRESSION_NONE, "f - - 0 a 234\n", &l);
	AUTO(free_drop) char *text = listing_text(&b, &l.diffid);
	AUTO(free_drop)
	char *want = x_asprintf("nacre-listing 1\nf 0644 0 0 3 0 - %s a\n",
				digest_hex(&(struct digest[]){ digest_of("234", 3) }[0]).s);
	assert_string_equal(text, want);
	descriptor_fini(&l.blob);
	bench_close(&b);
}

static void refuse(struct layer_writer *w, const char *path)
{
	struct err e = { 0 };
	struct tar_entry t = { TAR_DIR, (char *)(uintptr_t)path };
	assert_int_equal(layer_writer_add(w, &t, &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
	e = (struct err){ 0 };
	assert_int_equal(layer_writer_whiteout(w, path, &e), -1);
	assert_int_equal(e.kind, ERR_SPEC);
}

/* A layer has no way to say these (T-B5). */
static void test_reserved_names(void **state)
{
	struct bench b;
	struct err e = { 0 };
	bench_open(&b);
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	assert_int_equal(layer_writer_open(&b.store, &(struct layer_format){ 0 }, NULL, &w, &e), 0);
	refuse(w, ".wh.a");
	refuse(w, "d/.wh..wh..opq");
	refuse(w, "d/.wh.");
	assert_int_equal(layer_writer_add(w, &(struct tar_entry){ TAR_FILE, "big", .size = 65ull << 30 }, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	layer_writer_free(ptr_take(&w));
	bench_close(&b);
}

/* Dropped at any moment: nothing stays, also with the second thread at work. */
static void test_dropped(void **state)
{
	AUTO(free_drop) char *bytes = x_alloc(LARGE);
	struct bench b;
	struct err e = { 0 };
	bench_open(&b);
	for (int i = 0; i < 20; i++) {
		AUTO(layer_writer_drop) struct layer_writer *w = NULL;
		struct layer_format f = { (enum compression)(i % 3), 0, 2 };
		assert_int_equal(layer_writer_open(&b.store, &f, NULL, &w, &e), 0);
		assert_int_equal(layer_writer_add(w, &(struct tar_entry){ TAR_FILE, "a", .size = LARGE }, &e), 0);
		assert_int_equal(layer_writer_data(w, bytes, (size_t)i * 300000, &e), 0);
	}
	assert_int_equal(count_files(&b, "tmp"), 0);
	assert_int_equal(count_files(&b, "blobs/sha256"), 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),        cmocka_unit_test(test_empty),
		cmocka_unit_test(test_same_bytes),     cmocka_unit_test(test_files),
		cmocka_unit_test(test_reserved_names), cmocka_unit_test(test_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
