/* layer_reuse: frames of an earlier layer give the same layer again, and what stands in its blob is never believed. */
#include "layers.h"

#include <sys/stat.h>

#include "oci/layer_reuse.h"

enum { FILES = 400, BIG = 5 << 20 };

/* What the test's layers hold: entry i, and the content of a FILE, which differs with the seed. */
static void entry_at(size_t i, struct tar_entry *t, char path[256])
{
	*t = (struct tar_entry){ .type = TAR_FILE, .path = path, .mode = 0644, .mtime = 5 };
	if (i == 0) {
		*t = (struct tar_entry){ .type = TAR_DIR, .path = path, .mode = 0755 };
		snprintf(path, 256, "d");
	} else if (i == 1) {
		*t = (struct tar_entry){ .type = TAR_SYMLINK, .path = path, .mode = 0777, .link = (char *)"f" };
		snprintf(path, 256, "d/a");
	} else if (i == FILES / 2) {
		t->size = BIG;
		snprintf(path, 256, "d/big");
	} else {
		t->size = i * 7919 % 20000;
		snprintf(path, 256, "d/%0*zu", i % 50 ? 4 : 180, i);
	}
}

static char *content_of(size_t i, size_t n, unsigned seed)
{
	char *bytes = x_alloc(n + 1);
	uint32_t x = (uint32_t)i + seed * 1000;
	for (size_t k = 0; k < n; k++) {
		x = x * 1664525 + 1013904223;
		bytes[k] = k / 512 % 2 ? (char)(x >> 24) : "abcdefgh"[x >> 29];
	}
	return bytes;
}

static void make(struct bench *b, const struct layer_format *f, unsigned seed, int64_t mtime, struct layer *ret)
{
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	struct err e = { 0 };
	assert_int_equal(layer_writer_open(&b->store, f, NULL, &w, &e), 0);
	for (size_t i = 0; i < FILES; i++) {
		char path[256];
		struct tar_entry t;
		entry_at(i, &t, path);
		t.mtime += mtime;
		assert_int_equal(layer_writer_add(w, &t, &e), 0);
		AUTO(free_drop) char *bytes = content_of(i, t.size, seed);
		assert_int_equal(layer_writer_data(w, bytes, t.size, &e), 0);
	}
	assert_int_equal(layer_writer_finish(w, ret, &e), 0);
}

static void plan(unsigned seed, struct frame_plan *ret)
{
	struct err e = { 0 };
	for (size_t i = 0; i < FILES; i++) {
		char path[256];
		struct list_entry entry = { 0 };
		entry_at(i, &entry.tar, path);
		AUTO(free_drop) char *bytes = content_of(i, entry.tar.size, seed);
		if (entry.tar.type == TAR_FILE) {
			entry.has_digest = true;
			entry.digest = digest_of(bytes, entry.tar.size);
		}
		assert_int_equal(frame_plan_add(ret, &entry, &e), 0);
	}
	frame_plan_end(ret);
}

/* A layer of what the old one has alone. 0, or 1 when that was something else. */
static int make_again(struct bench *b, const struct layer_format *f, struct layer_reuse *r, struct layer *ret)
{
	AUTO(frame_plan_fini) struct frame_plan p = { 0 };
	AUTO(layer_writer_drop) struct layer_writer *w = NULL;
	struct err e = { 0 };
	int got = 0;
	plan(1, &p);
	assert_int_equal(layer_writer_open(&b->store, f, NULL, &w, &e), 0);
	for (size_t i = 0; i < p.runs.n && got == 0; i++) {
		const struct frame_run *run = layer_reuse_find(r, &p.runs.v[i]);
		assert_non_null(run);
		got = layer_writer_reuse(w, r, run, &e);
	}
	if (got == 0)
		got = layer_writer_finish(w, ret, &e);
	assert_int_equal(layer_writer_misfit(w), got < 0);
	if (got < 0)
		assert_int_equal(e.kind, ERR_INTEGRITY);
	return got < 0;
}

static const struct layer_format formats[] = {
	{ COMPRESSION_ZSTD, 0, 1 }, { COMPRESSION_ZSTD, 5, 3 }, { COMPRESSION_GZIP, 0, 2 },
};

static void test_same_layer(void **state)
{
	for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
		struct bench b;
		struct layer first, again;
		bench_open(&b);
		make(&b, &formats[f], 1, 0, &first);
		AUTO(layer_reuse_drop) struct layer_reuse *r = NULL;
		AUTO(free_drop) char *text = listing_text(&b, &first.diffid);
		assert_int_equal(layer_reuse_open(&b.store, &first, &formats[f], &r), 0);
		assert_int_equal(make_again(&b, &formats[f], r, &again), 0);
		assert_true(digest_eq(&first.diffid.d, &again.diffid.d));
		assert_true(digest_eq(&first.blob.digest, &again.blob.digest));
		assert_int_equal(first.blob.size, again.blob.size);
		AUTO(free_drop) char *text_again = listing_text(&b, &again.diffid);
		assert_string_equal(text, text_again);
		descriptor_fini(&first.blob);
		descriptor_fini(&again.blob);
		bench_close(&b);
	}
}

/* Those of the run are the test's from `first` on. */
static void check_entries(struct layer_reuse *r, const struct frame_run *run, size_t first)
{
	struct reused_run got;
	struct err e = { 0 };
	assert_int_equal(run->first, first);
	assert_int_equal(layer_reuse_load(r, run, &got, &e), 0);
	for (size_t i = 0; i < run->n; i++) {
		char path[256];
		struct tar_entry t;
		entry_at(first + i, &t, path);
		assert_string_equal(got.entries[i].tar.path, path);
		assert_int_equal(got.entries[i].tar.size, t.size);
	}
	str_fini(&got.lines);
}

/* What differs in anything is not found. */
static void test_find(void **state)
{
	struct bench b;
	struct layer first;
	bench_open(&b);
	make(&b, &formats[0], 1, 0, &first);
	AUTO(layer_reuse_drop) struct layer_reuse *r = NULL;
	AUTO(frame_plan_fini) struct frame_plan same = { 0 }, other = { 0 };
	assert_int_equal(layer_reuse_open(&b.store, &first, &formats[0], &r), 0);
	plan(1, &same);
	plan(2, &other);
	assert_true(same.runs.n > 4);
	for (size_t i = 0; i < same.runs.n; i++) {
		check_entries(r, layer_reuse_find(r, &same.runs.v[i]), same.runs.v[i].first);
		assert_null(layer_reuse_find(r, &other.runs.v[i]));
		same.runs.v[i].known = false;
		assert_null(layer_reuse_find(r, &same.runs.v[i]));
	}
	descriptor_fini(&first.blob);
	bench_close(&b);
}

static void blob_path(const struct layer *l, char ret[100])
{
	snprintf(ret, 100, "blobs/sha256/%s", digest_hex(&l->blob.digest).s);
}

static void read_blob(struct bench *b, const struct layer *l, struct str *out)
{
	char path[100];
	struct err e = { 0 };
	blob_path(l, path);
	assert_int_equal(file_read(b->store.fd, path, 64 << 20, out, &e), 0);
}

static void write_blob(struct bench *b, const struct layer *l, const char *bytes, size_t n)
{
	char path[100];
	blob_path(l, path);
	unlinkat(b->store.fd, path, 0);
	AUTO(fd_drop) int fd = openat(b->store.fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, bytes, n), n);
}

/* A blob of the right form, made of good frames, of which any says something else. */
static void test_foreign(void **state)
{
	for (size_t f = 0; f < ARRAY_LEN(formats); f++)
		for (int kind = 0; kind < 2; kind++) {
			struct bench b;
			struct layer first, other, got;
			AUTO(str_fini) struct str bytes = { 0 };
			bench_open(&b);
			make(&b, &formats[f], 1, 0, &first);
			make(&b, &formats[f], kind ? 1 : 2, kind, &other); /* other contents, other times */
			read_blob(&b, &other, &bytes);
			write_blob(&b, &first, bytes.buf, bytes.len);
			AUTO(layer_reuse_drop) struct layer_reuse *r = NULL;
			assert_int_equal(layer_reuse_open(&b.store, &first, &formats[f], &r), 0);
			assert_int_equal(make_again(&b, &formats[f], r, &got), 1);
			descriptor_fini(&first.blob);
			descriptor_fini(&other.blob);
			bench_close(&b);
		}
}

/* One bit anywhere: it is not opened, or does not fit; or, in a byte that no decoder looks at, it is in a frame that
 * comes as it is. */
static void test_damage(void **state)
{
	for (size_t f = 0; f < ARRAY_LEN(formats); f += 2) {
		struct bench b;
		struct layer first, got;
		AUTO(str_fini) struct str bytes = { 0 };
		bench_open(&b);
		make(&b, &formats[f], 1, 0, &first);
		read_blob(&b, &first, &bytes);
		for (size_t i = 1; i < 24; i++) {
			size_t at = bytes.len / 24 * i;
			AUTO(layer_reuse_drop) struct layer_reuse *r = NULL;
			bytes.buf[at] ^= 1;
			write_blob(&b, &first, bytes.buf, bytes.len);
			if (layer_reuse_open(&b.store, &first, &formats[f], &r) == 0)
				assert_int_equal(make_again(&b, &formats[f], r, &got), 1);
			bytes.buf[at] ^= 1;
		}
		/* It becomes shorter after it was opened. */
		AUTO(layer_reuse_drop) struct layer_reuse *r = NULL;
		write_blob(&b, &first, bytes.buf, bytes.len);
		assert_int_equal(layer_reuse_open(&b.store, &first, &formats[f], &r), 0);
		char path[100];
		blob_path(&first, path);
		AUTO(fd_drop) int fd = openat(b.store.fd, path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(ftruncate(fd, (off_t)bytes.len / 2), 0);
		assert_int_equal(make_again(&b, &formats[f], r, &got), 1);
		descriptor_fini(&first.blob);
		bench_close(&b);
	}
}

/* The listing is another when its lines are read for the second time. */
static void test_listing_changes(void **state)
{
	struct bench b;
	struct layer first, got;
	struct err e = { 0 };
	AUTO(str_fini) struct str text = { 0 };
	bench_open(&b);
	make(&b, &formats[0], 1, 0, &first);
	AUTO(free_drop) char *name = x_asprintf("list/%s", digest_hex(&first.diffid.d).s);
	assert_int_equal(file_read(b.store.fd, name, 1 << 20, &text, &e), 0);
	for (int shorter = 0; shorter < 2; shorter++) {
		AUTO(layer_reuse_drop) struct layer_reuse *r = NULL;
		assert_int_equal(layer_reuse_open(&b.store, &first, &formats[0], &r), 0);
		AUTO(fd_drop) int fd = openat(b.store.fd, name, O_WRONLY | O_CLOEXEC);
		char *at = memchr(text.buf + text.len / 2, '\n', text.len / 2);
		if (shorter)
			assert_int_equal(ftruncate(fd, (off_t)text.len / 2), 0);
		else
			assert_int_equal(pwrite(fd, "l", 1, at + 1 - text.buf), 1);
		assert_int_equal(make_again(&b, &formats[0], r, &got), 1);
		assert_int_equal(pwrite(fd, text.buf, text.len, 0), text.len);
	}
	descriptor_fini(&first.blob);
	bench_close(&b);
}

static void refuse(struct bench *b, const struct layer *l, const struct layer_format *f)
{
	struct layer_reuse *r = NULL;
	assert_int_equal(layer_reuse_open(&b->store, l, f, &r), 1);
	assert_null(r);
}

static void test_refused(void **state)
{
	static const struct layer_format none = { COMPRESSION_NONE, 0, 0 };
	struct bench b;
	struct layer l, plain, deletes;
	AUTO(str_fini) struct str bytes = { 0 };
	bench_open(&b);
	make(&b, &formats[0], 1, 0, &l);
	make(&b, &none, 1, 0, &plain);
	layer_from(&b, COMPRESSION_ZSTD, "f - - 0 a 234\nw - - - gone\n", &deletes);
	refuse(&b, &l, &formats[1]);
	refuse(&b, &l, &formats[2]);
	refuse(&b, &l, &none);
	refuse(&b, &plain, &none);
	refuse(&b, &deletes, &formats[0]);
	read_blob(&b, &l, &bytes);
	write_blob(&b, &l, bytes.buf, bytes.len - 1);
	refuse(&b, &l, &formats[0]);
	write_blob(&b, &l, bytes.buf, bytes.len / 2);
	refuse(&b, &l, &formats[0]);
	write_blob(&b, &l, bytes.buf, 0);
	refuse(&b, &l, &formats[0]);
	str_addn(&bytes, "\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", 9); /* a frame of nothing */
	write_blob(&b, &l, bytes.buf, bytes.len);
	refuse(&b, &l, &formats[0]);
	write_blob(&b, &l, bytes.buf, bytes.len - 9);
	AUTO(layer_reuse_drop) struct layer_reuse *r = NULL;
	assert_int_equal(layer_reuse_open(&b.store, &l, &formats[0], &r), 0);
	AUTO(free_drop) char *name = x_asprintf("list/%s", digest_hex(&l.diffid.d).s);
	assert_int_equal(unlinkat(b.store.fd, name, 0), 0);
	refuse(&b, &l, &formats[0]);
	descriptor_fini(&l.blob);
	descriptor_fini(&plain.blob);
	descriptor_fini(&deletes.blob);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_layer), cmocka_unit_test(test_find),    cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_damage),     cmocka_unit_test(test_refused), cmocka_unit_test(test_listing_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
