/* gzip and zstd, both ways: same bytes whatever the writes and threads; several members, padding, damage (THREATS
 * T-A15). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "archive/stream.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "src/archive/gzip_priv.h"

enum { LARGE = 5 << 20 }; /* some frames */

static char *large; /* half of it text-like, half noise */

static int setup(void **state)
{
	uint32_t x = 7;
	large = x_alloc(LARGE);
	for (size_t i = 0; i < LARGE; i++) {
		x = x * 1664525 + 1013904223;
		large[i] = i / 65536 % 2 ? (char)(x >> 24) : "abcdefgh"[x >> 29];
	}
	return 0;
}

static int teardown(void **state)
{
	free(large);
	return 0;
}

static struct str compressed(enum compression how, int level, unsigned threads, const char *bytes, size_t n,
			     size_t portion)
{
	struct str out = { 0 };
	struct err e = { 0 };
	AUTO(sink_drop) struct sink *s = sink_compress(how, level, threads, sink_mem(&out));
	for (size_t at = 0; at < n; at += portion)
		assert_int_equal(sink_write(s, bytes + at, n - at < portion ? n - at : portion, &e), 0);
	assert_int_equal(sink_finish(s, &e), 0);
	return out;
}

/* 0 and all bytes, or -1. The input comes `in_portion` bytes at a time and is all taken by the end. */
struct trickle_source {
	struct source base;
	const char *bytes;
	size_t left, portion;
};

static ssize_t trickle_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct trickle_source *t = (struct trickle_source *)s;
	size_t part = n < t->portion ? n : t->portion;
	if (part > t->left)
		part = t->left;
	if (part == 0)
		return 0;
	memcpy(buf, t->bytes, part);
	t->bytes += part;
	t->left -= part;
	return (ssize_t)part;
}

static void trickle_free(struct source *s)
{
}

static int decompress(const struct str *in, size_t in_portion, size_t out_portion, struct str *out, struct err *e)
{
	struct trickle_source t = { { trickle_read, trickle_free }, in->buf, in->len, in_portion };
	AUTO(source_drop) struct source *s = source_decompress(&t.base, "it");
	AUTO(free_drop) char *buf = x_alloc(out_portion);
	ssize_t got;
	while ((got = source_read(s, buf, out_portion, e)) > 0)
		str_addn(out, buf, (size_t)got);
	if (got == 0) {
		assert_int_equal(t.left, 0);
		assert_int_equal(source_read(s, buf, out_portion, e), 0);
	}
	return (int)got;
}

static void check_round_trip(const struct str *z, const char *bytes, size_t n, size_t in_portion, size_t out_portion)
{
	AUTO(str_fini) struct str out = { 0 };
	struct err e = { 0 };
	if (decompress(z, in_portion, out_portion, &out, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(out.len, n);
	if (n)
		assert_memory_equal(out.buf, bytes, n);
}

static const struct {
	enum compression how;
	int level;
} formats[] = {
	{ COMPRESSION_NONE, 0 }, { COMPRESSION_GZIP, 0 }, { COMPRESSION_GZIP, 1 },
	{ COMPRESSION_GZIP, 6 }, { COMPRESSION_GZIP, 9 }, { COMPRESSION_GZIP, 99 },
	{ COMPRESSION_ZSTD, 0 }, { COMPRESSION_ZSTD, 1 }, { COMPRESSION_ZSTD, 9 },
};

static void test_round_trip(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 511, 262143, 262144, 262145, 600000, LARGE };
	for (size_t f = 0; f < ARRAY_LEN(formats); f++)
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			AUTO(str_fini)
			struct str z = compressed(formats[f].how, formats[f].level, 1, large, sizes[i], 1 << 20);
			check_round_trip(&z, large, sizes[i], SIZE_MAX, 65536);
			if (sizes[i] == LARGE)
				continue;
			check_round_trip(&z, large, sizes[i], 1000, 512);
			check_round_trip(&z, large, sizes[i], SIZE_MAX, 4 << 20);
		}
}

/* Byte by byte on both sides: every state of the decoders is entered with nothing to read. */
static void test_byte_by_byte(void **state)
{
	for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
		AUTO(str_fini)
		struct str z = compressed(formats[f].how, formats[f].level, 1, large + 60000, 10000, 10000);
		check_round_trip(&z, large + 60000, 10000, 1, 1);
	}
}

static void test_same_bytes(void **state)
{
	static const size_t portions[] = { 1000, 262144, 777777, LARGE };
	/* 256 KiB is what is compressed without threads. */
	static const size_t sizes[] = { 0, 262144, 262145, LARGE - 1 };
	for (size_t f = 0; f < ARRAY_LEN(formats); f++)
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			size_t n = sizes[i];
			AUTO(str_fini)
			struct str want = compressed(formats[f].how, formats[f].level, 0, large, n, 4096);
			for (size_t p = 0; p < ARRAY_LEN(portions); p++) {
				unsigned threads = (unsigned)p;
				AUTO(str_fini)
				struct str got =
					compressed(formats[f].how, formats[f].level, threads, large, n, portions[p]);
				assert_int_equal(got.len, want.len);
				assert_memory_equal(str_text(&got), str_text(&want), want.len);
			}
		}
}

/* A write of nothing is no write. */
static void test_empty_writes(void **state)
{
	for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
		AUTO(str_fini)
		struct str none = compressed(formats[f].how, formats[f].level, 0, "", 0, 1), some = { 0 };
		AUTO(sink_drop) struct sink *s = sink_compress(formats[f].how, formats[f].level, 0, sink_mem(&some));
		struct err e = { 0 };
		assert_int_equal(sink_write(s, "", 0, &e), 0);
		assert_int_equal(sink_finish(s, &e), 0);
		assert_int_equal(none.len, some.len);
		assert_memory_equal(str_text(&none), str_text(&some), some.len);
	}
}

static void test_headers(void **state)
{
	for (int level = 0; level <= 9; level++) {
		AUTO(str_fini) struct str gz = compressed(COMPRESSION_GZIP, level, 1, "x", 1, 1);
		/* method 8, an extra field, no time; system unknown; the length of the member */
		assert_memory_equal(gz.buf, "\x1f\x8b\x08\4\0\0\0\0\0\xff\x08\0NF\4\0", 16);
		assert_int_equal((unsigned char)gz.buf[16], gz.len);
	}
	/* No frame asks its decoder for more than 8 MiB. */
	for (int level = 17; level <= 22; level++) {
		AUTO(str_fini) struct str z = compressed(COMPRESSION_ZSTD, level, 1, large, 100000, 100000);
		AUTO(str_fini) struct str out = { 0 };
		ZSTD_DCtx *ctx = ZSTD_createDCtx();
		ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, 23);
		str_reserve(&out, 200000);
		ZSTD_inBuffer in = { z.buf, z.len, 0 };
		ZSTD_outBuffer o = { out.buf, 200000, 0 };
		assert_int_equal(ZSTD_decompressStream(ctx, &o, &in), 0);
		assert_int_equal(o.pos, 100000);
		ZSTD_freeDCtx(ctx);
	}
}

/* ---- what stands in a compressed file ---- */

static void add_part(struct str *out, char kind)
{
	AUTO(str_fini) struct str z = { 0 };
	switch (kind) {
	case 'g': /* a gzip member of "hello\n" */
		z = compressed(COMPRESSION_GZIP, 0, 0, "hello\n", 6, 6);
		break;
	case 'G': /* one with all fields its header can have */
		str_addn(&z, "\x1f\x8b\x08\x1e\1\2\3\4\0\3\4\0moreNAME\0COMMENT\0", 29);
		z.len += 2;
		z.buf[z.len - 2] = (char)(crc32(0, (Bytef *)z.buf, 29) & 255);
		z.buf[z.len - 1] = (char)(crc32(0, (Bytef *)z.buf, 29) >> 8 & 255);
		str_addn(&z, "\xcb\x48\xcd\xc9\xc9\xe7\x02\0\x20\x30\x3a\x36\6\0\0\0", 16);
		break;
	case 'H': /* one whose header has a wrong checksum */
		add_part(&z, 'G');
		z.buf[29]++;
		break;
	case 'e': /* a member of nothing */
		z = compressed(COMPRESSION_GZIP, 9, 0, "", 0, 1);
		break;
	case '0': /* padding */
		str_reserve(&z, 1000);
		z.len = 1000;
		memset(z.buf, 0, 1000);
		break;
	case 'z': /* a zstd frame */
		z = compressed(COMPRESSION_ZSTD, 0, 0, "hello\n", 6, 6);
		break;
	case 's': /* a skippable frame */
		str_addn(&z, "\x5f\x2a\x4d\x18\5\0\0\0empty", 13);
		break;
	case 'S': /* one that claims 4 GiB */
		str_addn(&z, "\x50\x2a\x4d\x18\xff\xff\xff\xff", 8);
		break;
	case 'w': /* a frame header with a window of 2^28 */
		str_addn(&z, "\x28\xb5\x2f\xfd\0\x90\1\0\0", 9);
		break;
	case 'd': /* one that wants a dictionary */
		str_addn(&z, "\x28\xb5\x2f\xfd\x01\x58\x07\1\0\0", 10);
		break;
	case 'p': /* plain */
		str_add(&z, "plain");
		break;
	default:
		fail();
	}
	str_addn(out, z.buf, z.len);
}

static void test_parts(void **state)
{
	static const struct {
		const char *parts, *text; /* NULL: refused */
		enum err_kind kind;
	} cases[] = {
		{ "g", "hello\n" },
		{ "gg", "hello\nhello\n" },
		{ "geggG", "hello\nhello\nhello\nhello\n" },
		{ "G", "hello\n" },
		{ "e", "" },
		{ "g0", "hello\n" },
		{ "gg00000000", "hello\nhello\n" },
		{ "z", "hello\n" },
		{ "zz", "hello\nhello\n" },
		{ "zszss", "hello\nhello\n" },
		{ "sz", "hello\n" },
		{ "s", "" },
		{ "p", "plain" },
		{ "pg", NULL }, /* plain; compared below */
		{ "H", NULL, ERR_SPEC },
		{ "gp", NULL, ERR_SPEC },
		{ "gz", NULL, ERR_SPEC },
		{ "g0g", NULL, ERR_SPEC },
		{ "g0p", NULL, ERR_SPEC },
		{ "zp", NULL, ERR_SPEC },
		{ "z0", NULL, ERR_SPEC },
		{ "zg", NULL, ERR_SPEC },
		{ "S", NULL, ERR_SPEC },
		{ "w", NULL, ERR_LIMIT },
		{ "zw", NULL, ERR_LIMIT },
		{ "d", NULL, ERR_SPEC },
	};
	static const size_t portions[] = { 1, 7, 1000, SIZE_MAX };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t p = 0; p < ARRAY_LEN(portions); p++) {
			AUTO(str_fini) struct str in = { 0 }, out = { 0 };
			struct err e = { 0 };
			for (const char *c = cases[i].parts; *c; c++)
				add_part(&in, *c);
			const char *text = cases[i].parts[0] == 'p' ? str_text(&in) : cases[i].text;
			int got = decompress(&in, portions[p], p % 2 ? 4096 : 300000, &out, &e);
			if (got != (text ? 0 : -1) || (!text && e.kind != cases[i].kind))
				fail_msg("%s: %s", cases[i].parts, e.msg);
			if (text)
				assert_string_equal(str_text(&out), text);
		}
}

/* Cut anywhere a stream is refused; with any bit changed it is refused or, where no reader looks, gives the same bytes.
 */
static void test_damage(void **state)
{
	for (size_t f = 1; f < ARRAY_LEN(formats); f++) {
		AUTO(str_fini) struct str z = compressed(formats[f].how, formats[f].level, 0, large + 65000, 700, 700);
		for (size_t n = 4; n < z.len; n++) {
			AUTO(str_fini) struct str out = { 0 };
			AUTO(free_drop) char *part = x_memdup(z.buf, n);
			const struct str in = { part, n, n };
			struct err e = { 0 };
			assert_int_equal(decompress(&in, SIZE_MAX, 4096, &out, &e), -1);
			assert_int_equal(e.kind, ERR_SPEC);
		}
		for (size_t bit = 0; bit < z.len * 8; bit++) {
			AUTO(str_fini) struct str out = { 0 };
			struct err e = { 0 };
			z.buf[bit / 8] = (char)(z.buf[bit / 8] ^ 1 << bit % 8);
			/* Without its magic number it is plain data. */
			bool plain = bit < 16 || (formats[f].how == COMPRESSION_ZSTD && bit < 32);
			if (!plain && decompress(&z, SIZE_MAX, 4096, &out, &e) == 0) {
				assert_int_equal(out.len, 700);
				assert_memory_equal(out.buf, large + 65000, 700);
			}
			z.buf[bit / 8] = (char)(z.buf[bit / 8] ^ 1 << bit % 8);
		}
	}
}

static void test_checksums(void **state)
{
	AUTO(str_fini) struct str gz = { 0 }, z = { 0 };
	struct err e = { 0 };
	add_part(&gz, 'g');
	add_part(&z, 'z');
	for (size_t from_end = 1; from_end <= 8; from_end++) { /* CRC-32 and length */
		AUTO(str_fini) struct str out = { 0 };
		gz.buf[gz.len - from_end]++;
		assert_int_equal(decompress(&gz, SIZE_MAX, 4096, &out, &e), -1);
		gz.buf[gz.len - from_end]--;
	}
	for (size_t from_end = 1; from_end <= 4; from_end++) { /* XXH64, its lower half */
		AUTO(str_fini) struct str out = { 0 };
		z.buf[z.len - from_end]++;
		assert_int_equal(decompress(&z, SIZE_MAX, 4096, &out, &e), -1);
		z.buf[z.len - from_end]--;
	}
}

/* Each library reads what the other wrote, and they end members at the same byte. */
static void test_inflaters_agree(void **state)
{
	struct inflater *all[] = {
		inflater_zlib(),
#if HAVE_ISAL
		inflater_isal(),
#endif
	};
	AUTO(free_drop) uint8_t *out = x_alloc(700000);
	for (size_t n = 0; n < 600000; n = n * 3 + 1)
		for (int level = 1; level <= 9; level += 4)
			for (size_t i = 0; i < ARRAY_LEN(all); i++) {
				AUTO(str_fini)
				struct str gz = compressed(COMPRESSION_GZIP, level, 0, large, n, 1 << 20);
				size_t len = gz.len;
				str_add(&gz, "rest");
				struct inflate_span span = { (const uint8_t *)gz.buf, gz.len, out, 700000 };
				enum inflate_status status;
				while ((status = all[i]->run(all[i], &span)) == INFLATE_MORE)
					assert_true(span.in_n);
				assert_int_equal(status, INFLATE_END);
				assert_int_equal(span.in_n, gz.len - len);
				assert_int_equal(span.out - out, n);
				assert_memory_equal(out, large, n);
				all[i]->reset(all[i]);
			}
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		all[i]->free(all[i]);
}

static void test_below_is_drained(void **state)
{
	AUTO(str_fini) struct str in = { 0 };
	struct sha sha;
	struct err e = { 0 };
	uint64_t count = 0;
	add_part(&in, 'g');
	for (int i = 0; i < 1000; i++)
		add_part(&in, '0');
	sha_init(&sha);
	AUTO(source_drop)
	struct source *s = source_decompress(source_digest(source_mem(in.buf, in.len), &sha, &count), "it");
	assert_int_equal(source_drain(s, &e), 0);
	struct digest got = sha_end(&sha), want = digest_of(in.buf, in.len);
	assert_true(digest_eq(&got, &want));
	assert_int_equal(count, in.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_same_bytes),      cmocka_unit_test(test_headers),
		cmocka_unit_test(test_empty_writes),    cmocka_unit_test(test_parts),
		cmocka_unit_test(test_damage),          cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_inflaters_agree), cmocka_unit_test(test_below_is_drained),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
