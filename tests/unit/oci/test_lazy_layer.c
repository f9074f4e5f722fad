/* Layers whose files can be fetched one by one: what the tables say is where the bytes are. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/frames.h"
#include "archive/tar_read.h"
#include "archive/tar_write.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "oci/lazy_layer.h"

enum { LARGE = 2 * FRAME_MAX + 12345 };

/* Every kind of entry; files of one byte, of one frame exactly, of several. */
static const struct tar_entry entries[] = {
	{ .type = TAR_DIR, .path = (char *)"etc", .mode = 0755, .mtime = 1 },
	{ .type = TAR_FILE, .path = (char *)"etc/empty", .mode = 0644 },
	{ .type = TAR_FILE, .path = (char *)"etc/one", .mode = 04755, .uid = 7, .gid = 8, .size = 1, .mtime = 1600000000 },
	{ .type = TAR_FILE, .path = (char *)"frame", .mode = 0644, .size = FRAME_MAX },
	{ .type = TAR_FILE, .path = (char *)"large", .mode = 0644, .size = LARGE },
	{ .type = TAR_HARDLINK, .path = (char *)"linked", .link = (char *)"large", .mode = 0644 },
	{ .type = TAR_SYMLINK, .path = (char *)"soft", .link = (char *)"etc/one", .mode = 0777 },
	{ .type = TAR_CHAR, .path = (char *)"null", .mode = 0666, .major = 1, .minor = 3 },
	{ .type = TAR_FILE, .path = (char *)"\xc3\xa9 last", .mode = 0600, .size = 513 },
};

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 2654435761u >> 13 ^ i / 1000);
}

static void make_tar(struct str *out)
{
	struct err e;
	AUTO(sink_drop) struct sink *to = sink_mem(out);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		assert_int_equal(tar_write_entry(to, &entries[i], &e), 0);
		for (uint64_t at = 0; at < entries[i].size; at++) {
			uint8_t b = byte_at(at);
			assert_int_equal(sink_write(to, &b, 1, &e), 0);
		}
		assert_int_equal(tar_write_pad(to, entries[i].size, &e), 0);
	}
	assert_int_equal(tar_write_end(to, &e), 0);
	assert_int_equal(sink_finish(to, &e), 0);
}

struct made {
	struct str tar, blob;
	struct lazy_layer layer;
};

static void make(enum lazy_format format, struct made *m)
{
	struct err e;
	struct lazy_options o = { .format = format, .threads = 2 };
	make_tar(&m->tar);
	AUTO(fd_drop) int fd = memfd_create("blob", MFD_CLOEXEC);
	AUTO(source_drop) struct source *in = source_mem(m->tar.buf, m->tar.len);
	assert_int_equal(lazy_layer_write(&o, in, "layer", fd, &m->layer, &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, 100 << 20, "blob", &m->blob, &e), 0);
	struct digest d = digest_of(m->blob.buf, m->blob.len);
	assert_true(digest_eq(&d, &m->layer.digest));
	assert_int_equal(m->blob.len, m->layer.size);
}

static void made_fini(struct made *m)
{
	str_fini(&m->tar);
	str_fini(&m->blob);
	lazy_layer_fini(&m->layer);
}

static void unpack(const char *bytes, size_t n, size_t limit, struct str *out)
{
	struct err e;
	char buf[4096];
	ssize_t got;
	AUTO(source_drop) struct source *in = source_decompress(source_mem(bytes, n), "blob");
	while (out->len < limit && (got = source_read(in, buf, sizeof buf, &e)) != 0) {
		assert_true(got > 0);
		str_addn(out, buf, (size_t)got);
	}
}

static const char *annotation(const struct made *m, const char *key)
{
	for (size_t i = 0; i < m->layer.annotations.n; i++)
		if (strncmp(m->layer.annotations.v[i], key, strlen(key)) == 0)
			return m->layer.annotations.v[i] + strlen(key) + 1;
	fail_msg("no annotation %s", key);
	return NULL;
}

static size_t parse_toc(const struct str *text, struct json *ret)
{
	struct err e;
	assert_int_equal(json_parse(text->buf, text->len, "toc", ret, &e), 0);
	assert_int_equal(json_int(ret, "version", 0), 1);
	return json_len(json_get(ret, "entries"));
}

/* The content that an entry of the table names, as a runtime would fetch it. */
static void check_piece(const struct made *m, const struct json *entry, uint64_t from, uint64_t n)
{
	struct str got = { 0 };
	size_t at = (size_t)json_int(entry, "offset", -1);
	assert_true(at < m->blob.len);
	unpack(m->blob.buf + at, m->blob.len - at, n, &got);
	assert_true(got.len >= n);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal((uint8_t)got.buf[i], byte_at(from + i));
	const char *digest = json_str(entry, "chunkDigest");
	struct digest d = digest_of(got.buf, n);
	if (digest)
		assert_string_equal(digest, digest_text(&d).s);
	str_fini(&got);
}

static void check_toc(const struct made *m, const struct json *toc, size_t skipped)
{
	const struct json *list = json_get(toc, "entries");
	size_t at = skipped;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const struct json *entry = json_at(list, at++);
		uint64_t size = entries[i].size;
		size_t len = strlen(entries[i].path);
		assert_memory_equal(json_str(entry, "name"), entries[i].path, len);
		assert_string_equal(json_str(entry, "name") + len, entries[i].type == TAR_DIR ? "/" : "");
		assert_int_equal(json_int(entry, "mode", -1), entries[i].mode);
		assert_int_equal(json_int(entry, "uid", -1), entries[i].uid);
		assert_int_equal(json_int(entry, "size", 0), size);
		for (uint64_t from = 0; from < size; from += FRAME_MAX) {
			const struct json *piece = from ? json_at(list, at++) : entry;
			uint64_t n = size - from < FRAME_MAX ? size - from : FRAME_MAX;
			assert_string_equal(json_str(piece, "type"), from ? "chunk" : "reg");
			assert_int_equal(json_int(piece, "chunkOffset", 0), from);
			check_piece(m, piece, from, n);
		}
	}
	assert_int_equal(at, json_len(list));
}

static void zstd_chunked(void **state)
{
	struct made m = { 0 };
	struct str text = { 0 }, tar = { 0 };
	struct json toc;
	unsigned long long at, n, size, split_at, split_n, split_size;
	int type;
	(void)state;
	make(LAZY_ZSTD_CHUNKED, &m);
	unpack(m.blob.buf, m.blob.len, SIZE_MAX, &tar);
	assert_int_equal(tar.len, m.tar.len);
	assert_memory_equal(tar.buf, m.tar.buf, tar.len);
	struct digest d = digest_of(tar.buf, tar.len);
	assert_true(digest_eq(&d, &m.layer.diffid.d));
	assert_int_equal(sscanf(annotation(&m, "io.github.containers.zstd-chunked.manifest-position"), "%llu:%llu:%llu:%d",
				&at, &n, &size, &type), 4);
	assert_int_equal(type, 1);
	d = digest_of(m.blob.buf + at, n);
	assert_string_equal(annotation(&m, "io.github.containers.zstd-chunked.manifest-checksum"), digest_text(&d).s);
	unpack(m.blob.buf + at, n, SIZE_MAX, &text);
	assert_int_equal(text.len, size);
	parse_toc(&text, &toc);
	check_toc(&m, &toc, 0);
	assert_int_equal(sscanf(annotation(&m, "io.github.containers.zstd-chunked.tarsplit-position"), "%llu:%llu:%llu",
				&split_at, &split_n, &split_size), 3);
	d = digest_of(m.blob.buf + split_at, split_n);
	assert_string_equal(json_str(&toc, "tarSplitDigest"), digest_text(&d).s);
	assert_int_equal(split_at + split_n + 8 + 64, m.blob.len);
	assert_memory_equal(m.blob.buf + m.blob.len - 8, "GNUlInUx", 8);
	json_fini(&toc);
	str_fini(&text);
	str_fini(&tar);
	made_fini(&m);
}

static void estargz(void **state)
{
	struct made m = { 0 };
	struct str text = { 0 }, tar = { 0 };
	struct json toc;
	struct err e;
	const struct tar_entry *t;
	char offset[17] = "";
	(void)state;
	make(LAZY_ESTARGZ, &m);
	unpack(m.blob.buf, m.blob.len, SIZE_MAX, &tar);
	struct digest d = digest_of(tar.buf, tar.len);
	assert_true(digest_eq(&d, &m.layer.diffid.d));
	/* The members of the tar: landmark, what was there, table. */
	AUTO(source_drop) struct source *in = source_mem(tar.buf, tar.len);
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, "tar");
	assert_int_equal(tar_reader_next(r, &t, &e), 1);
	assert_string_equal(t->path, ".no.prefetch.landmark");
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		assert_int_equal(tar_reader_next(r, &t, &e), 1);
		assert_string_equal(t->path, entries[i].path);
	}
	assert_int_equal(tar_reader_next(r, &t, &e), 1);
	assert_string_equal(t->path, "stargz.index.json");
	str_reserve(&text, t->size);
	text.len = (size_t)t->size;
	assert_int_equal(tar_reader_read(r, text.buf, text.len, &e), text.len);
	assert_int_equal(tar_reader_next(r, &t, &e), 0);
	d = digest_of(text.buf, text.len);
	assert_string_equal(annotation(&m, "containerd.io/snapshot/stargz/toc.digest"), digest_text(&d).s);
	parse_toc(&text, &toc);
	check_toc(&m, &toc, 1);
	/* The footer of 51 bytes leads to the member with the table. */
	memcpy(offset, m.blob.buf + m.blob.len - 51 + 16, 16);
	size_t at = strtoul(offset, NULL, 16);
	str_clear(&tar);
	unpack(m.blob.buf + at, m.blob.len - at, 512, &tar);
	assert_string_equal(tar.buf, "stargz.index.json");
	json_fini(&toc);
	str_fini(&text);
	str_fini(&tar);
	made_fini(&m);
}

static void refusals(void **state)
{
	struct err e;
	struct str tar = { 0 };
	struct lazy_layer layer;
	const struct tar_entry t = { .type = TAR_FILE, .path = (char *)"stargz.index.json", .mode = 0444 };
	(void)state;
	AUTO(sink_drop) struct sink *to = sink_mem(&tar);
	assert_int_equal(tar_write_entry(to, &t, &e) | tar_write_end(to, &e) | sink_finish(to, &e), 0);
	for (size_t cut = 0; cut < 2; cut++) {
		AUTO(fd_drop) int fd = memfd_create("blob", MFD_CLOEXEC);
		AUTO(source_drop) struct source *in = source_mem(tar.buf, cut ? 700 : tar.len);
		struct lazy_options o = { .format = LAZY_ESTARGZ };
		assert_int_equal(lazy_layer_write(&o, in, "layer", fd, &layer, &e), -1);
		assert_int_equal(e.kind, ERR_SPEC);
	}
	str_fini(&tar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zstd_chunked),
		cmocka_unit_test(estargz),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
