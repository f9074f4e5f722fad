/* rpm's headers: a good one, and what must not be taken from broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "src/build/sbom_priv.h"

enum { ENTRIES = 7, DATA = 8 + ENTRIES * 16, EPOCH = 12, SIZE = DATA + 40 };
enum { NAME_ENTRY = 8, VERSION_ENTRY = 24, RELEASE_ENTRY = 40, EPOCH_ENTRY = 56, ARCH_ENTRY = 72, TYPE = 4, OFFSET = 8, COUNT = 12 };

#define GOOD "pkg:rpm/Name@1.2-3?arch=x86&epoch=7"

static const struct { uint32_t tag, type, offset, count; } entries[ENTRIES] = {
	{ 1000, 6, 0, 1 },  { 1001, 6, 16, 1 }, { 1002, 6, 20, 1 },  { 1003, 4, EPOCH, 1 },
	{ 1022, 6, 22, 1 }, { 1014, 9, 26, 2 }, { 1011, 8, 33, 1 },
};
/* The name and a number, each in its place, and strings, of which the license is in two languages. */
static const char data[] = "Name\0\0\0\0\0\0\0\0" "\0\0\0\7" "1.2\0" "3\0" "x86\0" "MIT\0mi\0" "Vendor";
_Static_assert(sizeof data == SIZE - DATA, "the offsets are those of the strings");

static void put(unsigned char *at, uint32_t v)
{
	v = htobe32(v);
	memcpy(at, &v, sizeof v);
}

static void make_header(unsigned char *out)
{
	put(out, ENTRIES);
	put(out + 4, SIZE - DATA);
	for (size_t i = 0; i < ENTRIES; i++) {
		put(out + 8 + i * 16, entries[i].tag);
		put(out + 8 + i * 16 + TYPE, entries[i].type);
		put(out + 8 + i * 16 + OFFSET, entries[i].offset);
		put(out + 8 + i * 16 + COUNT, entries[i].count);
	}
	memcpy(out + DATA, data, sizeof data);
}

/* Of its own size, so that a sanitizer sees what is read behind it. */
static struct sbom read_header(const unsigned char *bytes, size_t n)
{
	struct sbom s = { 0 };
	struct err e;
	unsigned char *copy = x_alloc(n + !n);
	memcpy(copy, bytes, n);
	assert_int_equal(sbom_parse_rpm("f", copy, n, &s.packages, &e), 0);
	free(copy);
	return s;
}

static void expect(const unsigned char *bytes, size_t n, const char *want, const char *what)
{
	struct sbom s = read_header(bytes, n);
	char *got = s.packages.n ? sbom_purl(&s, &s.packages.v[0]) : NULL;
	if (!str_eq(got, want))
		fail_msg("%s: %s, not %s", what, got ? got : "nothing", want ? want : "nothing");
	free(got);
	sbom_fini(&s);
}

static void good_header(void **state)
{
	unsigned char h[SIZE];
	(void)state;
	make_header(h);
	expect(h, SIZE, GOOD, "all of it");
	struct sbom s = read_header(h, SIZE);
	assert_string_equal(s.packages.v[0].version, "1.2-3");
	assert_string_equal(s.packages.v[0].license, "MIT");
	assert_string_equal(s.packages.v[0].maintainer, "Vendor");
	s.system = x_strdup("fedora");
	s.system_version = x_strdup("40");
	char *url = sbom_purl(&s, &s.packages.v[0]);
	assert_string_equal(url, "pkg:rpm/fedora/Name@1.2-3?arch=x86&distro=fedora-40&epoch=7");
	free(url);
	sbom_fini(&s);
}

/* A number of the good header, and what is left when it is another one; its last string does not end. */
static const struct { const char *what; size_t at; uint32_t value; const char *want; } broken[] = {
	{ "no entries", 0, 0, NULL },
	{ "more entries than there are bytes for", 0, ENTRIES + 3, NULL },
	{ "entries whose bytes do not fit 32 bits", 0, 0x10000001, NULL },
	{ "all the entries there can be", 0, UINT32_MAX, NULL },
	{ "data longer than it is", 4, SIZE - DATA + 1, NULL },
	{ "data without end", 4, UINT32_MAX, NULL },
	{ "no data", 4, 0, NULL },
	{ "data that ends in the version", 4, 19, NULL },
	{ "data that ends behind the release", 4, 22, "pkg:rpm/Name@1.2-3?epoch=7" },
	{ "no name", NAME_ENTRY, 999, NULL },
	{ "a name that is a number", NAME_ENTRY + TYPE, 4, NULL },
	{ "a name behind the data", NAME_ENTRY + OFFSET, SIZE - DATA, NULL },
	{ "a name before it", NAME_ENTRY + OFFSET, UINT32_MAX, NULL },
	{ "a name of no strings", NAME_ENTRY + COUNT, 0, NULL },
	{ "an empty name", NAME_ENTRY + OFFSET, 4, NULL },
	{ "a version of any count", VERSION_ENTRY + COUNT, UINT32_MAX, GOOD },
	{ "an empty version", VERSION_ENTRY + OFFSET, 4, NULL },
	{ "no release", RELEASE_ENTRY, 0, NULL },
	{ "no epoch", EPOCH_ENTRY, 0, "pkg:rpm/Name@1.2-3?arch=x86" },
	{ "an epoch that is a string", EPOCH_ENTRY + TYPE, 6, "pkg:rpm/Name@1.2-3?arch=x86" },
	{ "an epoch half behind the data", EPOCH_ENTRY + OFFSET, SIZE - DATA - 3, "pkg:rpm/Name@1.2-3?arch=x86" },
	{ "the largest epoch", DATA + EPOCH, UINT32_MAX, "pkg:rpm/Name@1.2-3?arch=x86&epoch=4294967295" },
	{ "another name behind the first", ARCH_ENTRY, 1000, "pkg:rpm/Name@1.2-3?epoch=7" },
	{ "a string that does not end", ARCH_ENTRY + OFFSET, SIZE - DATA - 1, "pkg:rpm/Name@1.2-3?epoch=7" },
};

static void broken_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		unsigned char h[SIZE];
		make_header(h);
		h[SIZE - 1] = 'X';
		put(h + broken[i].at, broken[i].value);
		expect(h, SIZE, broken[i].want, broken[i].what);
	}
}

static void cut_headers(void **state)
{
	unsigned char h[SIZE];
	(void)state;
	make_header(h);
	for (size_t n = 0; n < SIZE; n++)
		expect(h, n, NULL, "cut off");
}

static void keys(void **state)
{
	static const char key[] = "gpg-pubkey";
	unsigned char h[SIZE];
	(void)state;
	make_header(h);
	put(h + EPOCH_ENTRY, 0);
	memcpy(h + DATA, key, sizeof key);
	expect(h, SIZE, NULL, "a key");
	h[DATA] = 'G';
	expect(h, SIZE, "pkg:rpm/Gpg-pubkey@1.2-3?arch=x86", "a package");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_header),
		cmocka_unit_test(broken_headers),
		cmocka_unit_test(cut_headers),
		cmocka_unit_test(keys),
	};
	return cmocka_run_group_tests_name("build/sbom_rpm", tests, NULL, NULL);
}
