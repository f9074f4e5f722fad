/* Where a program's list of modules is found: files of both sizes, byte orders and forms, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "src/build/sbom_priv.h"

#define ADDRESS 0x400000u
#define MARK    "0123456789abcdef"
#define MODULES MARK "path\ta\nmod\ta\tv1\n" MARK
#define WANTED  "go\tgo1.20\npath\ta\nmod\ta\tv1\n"

enum { DATA = 0x100, INFO = DATA + 0x40, STRINGS = INFO + 0x40, SIZE = 0x300 };

struct file {
	unsigned char v[SIZE];
	bool wide, big;
};

static void put(struct file *f, size_t at, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		f->v[at + (f->big ? width - 1 - i : i)] = (unsigned char)(value >> (8 * i));
}

/* A file with one segment, from DATA to its end. */
static void make_elf(struct file *f, bool wide, bool big, unsigned flags)
{
	*f = (struct file){ .wide = wide, .big = big };
	memcpy(f->v, "\177ELF", 4);
	f->v[4] = wide ? 2 : 1;
	f->v[5] = big ? 2 : 1;
	unsigned width = wide ? 8 : 4, table = 64;
	put(f, wide ? 32 : 28, width, table);
	put(f, wide ? 54 : 42, 2, wide ? 56 : 32);
	put(f, wide ? 56 : 44, 2, 1);
	put(f, table, 4, 1);
	put(f, table + (wide ? 4 : 24), 4, flags);
	put(f, table + (wide ? 8 : 4), width, DATA);
	put(f, table + (wide ? 16 : 8), width, ADDRESS);
	put(f, table + (wide ? 32 : 16), width, SIZE - DATA);
}

static void make_info(struct file *f, size_t at, bool is_inline, const char *version)
{
	unsigned width = f->wide ? 8 : 4;
	size_t text = STRINGS + 4 * width, n = strlen(version), m = strlen(MODULES);
	memcpy(f->v + at, "\xff Go buildinf:", 14);
	f->v[at + 14] = (unsigned char)width;
	f->v[at + 15] = (unsigned char)((f->big ? 1 : 0) | (is_inline ? 2 : 0));
	if (is_inline) {
		f->v[at + 32] = (unsigned char)n;
		memcpy(f->v + at + 33, version, n);
		f->v[at + 33 + n] = (unsigned char)m;
		memcpy(f->v + at + 34 + n, MODULES, m);
		return;
	}
	put(f, at + 16, width, ADDRESS + STRINGS - DATA);
	put(f, at + 16 + width, width, ADDRESS + STRINGS - DATA + 2 * width);
	put(f, STRINGS, width, ADDRESS + text - DATA);
	put(f, STRINGS + width, width, n);
	put(f, STRINGS + 2 * width, width, ADDRESS + text + n - DATA);
	put(f, STRINGS + 3 * width, width, m);
	memcpy(f->v + text, version, n);
	memcpy(f->v + text + n, MODULES, m);
}

static void expect(const struct file *f, size_t n, const char *want, const char *what)
{
	/* Of its own size, so that a sanitizer sees what is read behind it. */
	unsigned char *copy = x_alloc(n + !n);
	memcpy(copy, f->v, n);
	char *got = sbom_go_text(copy, n);
	if (!got != !want || (got && strcmp(got, want) != 0))
		fail_msg("%s: %s, not %s", what, got ? got : "nothing", want ? want : "nothing");
	free(got);
	free(copy);
}

static void forms(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct file f;
		char what[64];
		snprintf(what, sizeof what, "wide %u, big %u, inline %u", i & 1, i >> 1 & 1, i >> 2);
		make_elf(&f, i & 1, i & 2, 6);
		make_info(&f, INFO, i & 4, "go1.20");
		expect(&f, SIZE, WANTED, what);
		f.v[INFO + 15] ^= 2;
		expect(&f, SIZE, NULL, what);
	}
}

/* An edit of a good file, at each of which one thing is wrong. */
static const struct { const char *what; size_t at; unsigned char value; bool is_inline; } broken[] = {
	{ "no ELF", 0, 0, true },
	{ "a size of none", 4, 3, true },
	{ "the other byte order", 5, 2, true },
	{ "segments behind the end", 33, 0x10, true },
	{ "no segment", 56, 0, true },
	{ "no writable segment", 68, 4, true },
	{ "a segment behind the end", 73, 0x10, true },
	{ "no magic", INFO, 0, true },
	{ "a version too long", INFO + 32, 0xff, true },
	{ "a version of something else", INFO + 33, 'x', true },
	{ "pointers of another size", INFO + 14, 5, false },
	{ "a pointer to nowhere", INFO + 18, 0x7f, false },
	{ "a length without end", STRINGS + 15, 0xff, false },
};

static void broken_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct file f;
		make_elf(&f, true, false, 6);
		make_info(&f, INFO, broken[i].is_inline, "go1.20");
		expect(&f, SIZE, WANTED, "the good file");
		f.v[broken[i].at] = broken[i].value;
		expect(&f, SIZE, NULL, broken[i].what);
	}
}

static void places(void **state)
{
	struct file f;
	(void)state;
	make_elf(&f, true, false, 6);
	make_info(&f, INFO + 8, true, "go1.20");
	expect(&f, SIZE, NULL, "not aligned");
	make_elf(&f, true, false, 6);
	memcpy(f.v + DATA, "\xff Go buildinf:", 14);
	make_info(&f, INFO, true, "go1.20");
	expect(&f, SIZE, WANTED, "behind the same bytes");
	for (size_t n = 0; n < INFO + 34 + 6 + strlen(MODULES); n++)
		expect(&f, n, NULL, "cut off");
	memset(f.v + INFO + 32, 0xff, 16);
	expect(&f, SIZE, NULL, "a number without end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(broken_files),
		cmocka_unit_test(places),
	};
	return cmocka_run_group_tests_name("build/sbom_go", tests, NULL, NULL);
}
