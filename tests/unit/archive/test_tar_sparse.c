/* tar_reader: files with holes, in the forms there are (THREATS T-A11). */
#include "tar_cases.h"

static const struct archive_case sparse[] = {
	{ "sparse-old",
	  "f 644 0:0 10 7 a ..AB...C..\n",
	  { { .type = 'S',
	      .name = "a",
	      .magic = GNU_MAGIC,
	      .body = B("ABC"),
	      .tail = B("00000000002\00000000000002\00000000000007\00000000000001\00000000000012\00000000000000\0"
			"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			"00000000012\0"
			"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") } } },
	{ "sparse-0.0",
	  "f 644 0:0 6 7 a ..AB.C\n",
	  { { .type = 'x',
	      .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=2\nGNU.sparse.offset=2\nGNU.sparse.numbytes=2\n"
		     "GNU.sparse.offset=5\nGNU.sparse.numbytes=1\n" },
	    { .name = "a", .body = B("ABC") } } },
	{ "sparse-0.1",
	  "f 644 0:0 6 7 real ..AB.C\n",
	  { { .type = 'x',
	      .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=2\nGNU.sparse.map=2,2,5,1\nGNU.sparse.name=real\n" },
	    { .name = "GNUSparseFile.0/real", .body = B("ABC") } } },
	{ "sparse-all-hole",
	  "f 644 0:0 4 7 real ....\n",
	  { { .type = 'x',
	      .pax = "GNU.sparse.size=4\nGNU.sparse.numblocks=1\nGNU.sparse.map=4,0\nGNU.sparse.name=real\n" },
	    { .name = "x" } } },
	{ "sparse-empty",
	  "f 644 0:0 0 7 real\n",
	  { { .type = 'x',
	      .pax = "GNU.sparse.size=0\nGNU.sparse.numblocks=0\nGNU.sparse.map=\nGNU.sparse.name=real\n" },
	    { .name = "x" } } },
	{ "refuse-sparse-overlap",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=2\nGNU.sparse.map=2,2,3,1\n" },
	    { .body = B("ABC") } } },
	{ "refuse-sparse-backwards",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=2\nGNU.sparse.map=4,1,0,2\n" },
	    { .body = B("ABC") } } },
	{ "refuse-sparse-outside",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=3\nGNU.sparse.numblocks=1\nGNU.sparse.map=2,2\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-overflow",
	  "sparse",
	  { { .type = 'x',
	      .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=1\nGNU.sparse.map=18446744073709551615,2\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-too-little",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,4\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-too-much",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,1\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-count",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=2\nGNU.sparse.map=0,2\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-odd",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,2,3\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-comma",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,,2\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-number",
	  "sparse",
	  { { .type = 'x',
	      .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,99999999999999999999\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-no-size",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.numblocks=1\nGNU.sparse.map=0,2\n" }, { .body = B("AB") } } },
	{ "refuse-sparse-version",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.major=2\nGNU.sparse.minor=0\nGNU.sparse.realsize=2\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-map-twice",
	  "bad value",
	  { { .type = 'x',
	      .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,2\nGNU.sparse.map=0,2\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-offsets",
	  "alternate",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.offset=0\nGNU.sparse.offset=1\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-numbytes",
	  "alternate",
	  { { .type = 'x', .pax = "GNU.sparse.numbytes=0\n" }, { .body = B("AB") } } },
	{ "refuse-sparse-offset-alone",
	  "alternate",
	  { { .type = 'x', .pax = "GNU.sparse.offset=0\n" }, { .body = B("AB") } } },
	{ "refuse-sparse-unknown",
	  "bad value",
	  { { .type = 'x', .pax = "GNU.sparse.other=0\n" }, { .body = B("AB") } } },
	{ "refuse-sparse-directory",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.size=6\nGNU.sparse.numblocks=0\nGNU.sparse.map=\n" },
	    { .type = '5', .name = "a" } } },
	{ "refuse-sparse-name-dotdot",
	  "..",
	  { { .type = 'x',
	      .pax = "GNU.sparse.size=2\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,2\nGNU.sparse.name=../x\n" },
	    { .body = B("AB") } } },
	{ "refuse-sparse-huge",
	  "bytes of files",
	  { { .type = 'x', .pax = "GNU.sparse.size=9000000000000000000\nGNU.sparse.numblocks=0\nGNU.sparse.map=\n" },
	    { .name = "a" } } },
	{ "refuse-sparse-old-realsize",
	  "sparse",
	  { { .type = 'S',
	      .name = "a",
	      .tail = B("x\0\0\0\0\0\0\0\0\0\0\0"
			"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") } } },
	{ "refuse-sparse-old-empty-chain",
	  "sparse",
	  { { .type = 'S',
	      .name = "a",
	      .tail = B("\x01"
			"00000000000\0"
			"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") } } },
	{ "refuse-sparse-text-count",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.major=1\nGNU.sparse.minor=0\nGNU.sparse.realsize=2\n" },
	    { .body = B("x\n") } } },
	{ "refuse-sparse-text-outside",
	  "sparse",
	  { { .type = 'x', .pax = "GNU.sparse.major=1\nGNU.sparse.minor=0\nGNU.sparse.realsize=2\n" },
	    { .body = B("1\n0\n") } } },
};

static void test_sparse(void **state)
{
	check_all(sparse, ARRAY_LEN(sparse));
}

/* Form 1.0 has its map in front of the data, and old GNU may have it in blocks after the header. */
static void test_sparse_blocks(void **state)
{
	char map[TAR_BLOCK_SIZE + 3] = "2\n2\n2\n5\n1\n";
	memcpy(map + TAR_BLOCK_SIZE, "ABC", 3);
	const struct archive_case text = {
		"sparse-1.0",
		"f 644 0:0 6 7 real ..AB.C\nf 644 0:0 1 7 next x\n",
		{ { .type = 'x',
		    .pax = "GNU.sparse.major=1\nGNU.sparse.minor=0\nGNU.sparse.name=real\nGNU.sparse.realsize=6\n" },
		  { .name = "GNUSparseFile.0/real", .body = { map, sizeof map } },
		  { .name = "next", .body = B("x") } }
	};
	check_all(&text, 1);

	AUTO(str_fini) struct str tar = { 0 };
	struct tar_sparse_block block = { .slot = { { "00000000005", "00000000001" } } };
	raw_add(&tar, &(struct raw){ .type = 'S',
				     .name = "a",
				     .magic = GNU_MAGIC,
				     .size = B("00000000002"),
				     .tail = B("00000000000\00000000000000\00000000000001\00000000000000\00000000000002"
					       "\00000000000001\0"
					       "00000000004\00000000000000\0\x01"
					       "00000000006\0"
					       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") });
	str_addn(&tar, &block, sizeof block);
	str_addn(&tar, "AB", 2);
	while (tar.len % TAR_BLOCK_SIZE)
		str_addc(&tar, '\0');
	raw_add(&tar, &(struct raw){ .name = "next" });
	tar_end(&tar);
	const struct archive_case old = { "sparse-old-extended",
					  "f 644 0:0 6 7 a ..A..B\nf 644 0:0 0 7 next\n",
					  { { 0 } } };
	check(&old, &tar, 8192);
}

/* A header of 1 KiB may claim a hole of any size: the sum counts. */
static void test_limit_of_files(void **state)
{
	AUTO(str_fini) struct str tar = { 0 };
	for (int i = 0; i < 4; i++) {
		raw_add(&tar,
			&(struct raw){
				.type = 'x',
				.pax = "GNU.sparse.size=17179869184\nGNU.sparse.numblocks=0\nGNU.sparse.map=\n" });
		raw_add(&tar, &(struct raw){ .name = "a" });
	}
	AUTO(str_fini) struct str text = { 0 };
	struct err e = { 0 };
	assert_int_equal(read_tar(tar.buf, tar.len, 0, &text, &e), 0);
	raw_add(&tar, &(struct raw){ .name = "b", .body = B("x") });
	assert_int_equal(read_tar(tar.buf, tar.len, 0, &text, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_sparse_blocks),
		cmocka_unit_test(test_limit_of_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
