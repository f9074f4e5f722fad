/*
 * The list of modules in a program that Go made: Go's src/debug/buildinfo. Since Go 1.18:
 *
 *	0   "\xff Go buildinf:"     at a multiple of 16, in the first writable segment
 *	14  size of a pointer       of the older form
 *	15  flags                   1: big-endian; 2: strings follow inline
 *	32  version of Go           length as a varint, and bytes
 *	    modules                 the same: 16 bytes of a mark, lines, 16 bytes of a mark
 *
 * In the older form two pointers follow the flags, each to a string's header: where its bytes are, and how many.
 */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "sbom_priv.h"

static const char magic[] = "\xff Go buildinf:";

enum {
	MAGIC_SIZE = sizeof magic - 1,
	ALIGN = 16,
	HEADER_SIZE = 32,
	MARK_SIZE = 16,
	SEGMENTS_MAX = 64, /* a linker makes about ten */
	FLAG_BIG = 1,
	FLAG_INLINE = 2,
	PT_LOAD = 1,
	PF_W = 2,
};

struct segment {
	uint64_t address, offset, size; /* in the file, whose end it does not pass */
	bool writable;
};
struct program {
	const unsigned char *bytes;
	uint64_t n;
	bool big;
	struct segment segments[SEGMENTS_MAX];
	size_t n_segments;
};
struct text {
	const unsigned char *v;
	uint64_t n;
};

static bool get(const struct program *p, uint64_t at, unsigned width, bool big, uint64_t *ret)
{
	uint64_t value = 0;
	if (at > p->n || p->n - at < width)
		return false;
	for (unsigned i = 0; i < width; i++)
		value = value << 8 | p->bytes[at + (big ? i : width - 1 - i)];
	*ret = value;
	return true;
}

/* ---- ELF: elf(5) ---- */

/* Where the fields of headers are, in files of 32 and 64 bits. */
static const struct elf_form {
	unsigned width, table, entry_size, count;        /* of the file's header */
	unsigned flags, offset, address, file_size;      /* of a segment's */
} forms[] = {
	{ 4, 28, 42, 44, 24, 4, 8, 16 },
	{ 8, 32, 54, 56, 4, 8, 16, 32 },
};

static void add_segment(struct program *p, const struct elf_form *f, uint64_t at)
{
	uint64_t type, flags, offset, address, size;
	if (!get(p, at, 4, p->big, &type) || type != PT_LOAD || !get(p, at + f->flags, 4, p->big, &flags) ||
	    !get(p, at + f->offset, f->width, p->big, &offset) || !get(p, at + f->address, f->width, p->big, &address) ||
	    !get(p, at + f->file_size, f->width, p->big, &size) || offset >= p->n)
		return;
	p->segments[p->n_segments++] = (struct segment){
		.address = address,
		.offset = offset,
		.size = size < p->n - offset ? size : p->n - offset,
		.writable = flags & PF_W,
	};
}

static bool read_segments(struct program *p)
{
	uint64_t table, entry_size, count;
	if (p->n < 64 || memcmp(p->bytes, "\177ELF", 4) != 0 || p->bytes[4] < 1 || p->bytes[4] > 2 || p->bytes[5] < 1 ||
	    p->bytes[5] > 2)
		return false;
	const struct elf_form *f = &forms[p->bytes[4] - 1];
	p->big = p->bytes[5] == 2;
	if (!get(p, f->table, f->width, p->big, &table) || !get(p, f->entry_size, 2, p->big, &entry_size) ||
	    !get(p, f->count, 2, p->big, &count) || table >= p->n)
		return false;
	for (uint64_t i = 0; i < count && i < SEGMENTS_MAX; i++)
		add_segment(p, f, table + i * entry_size);
	return true;
}

/* ---- strings ---- */

static bool inline_string(const struct program *p, uint64_t *at, struct text *ret)
{
	uint64_t n = 0, byte = 0x80;
	for (unsigned shift = 0; byte & 0x80; shift += 7) {
		if (shift > 56 || !get(p, (*at)++, 1, false, &byte))
			return false;
		n |= (byte & 0x7f) << shift;
	}
	if (*at > p->n || p->n - *at < n)
		return false;
	*ret = (struct text){ p->bytes + *at, n };
	*at += n;
	return true;
}

static bool find_address(const struct program *p, uint64_t address, uint64_t n, uint64_t *ret)
{
	for (size_t i = 0; i < p->n_segments; i++) {
		const struct segment *s = &p->segments[i];
		if (address < s->address || address - s->address > s->size || s->size - (address - s->address) < n)
			continue;
		*ret = s->offset + (address - s->address);
		return true;
	}
	return false;
}

static bool pointed_string(const struct program *p, uint64_t at, unsigned width, bool big, struct text *ret)
{
	uint64_t header, where, bytes, n;
	if (!get(p, at, width, big, &header) || !find_address(p, header, 2 * (uint64_t)width, &where) ||
	    !get(p, where, width, big, &bytes) || !get(p, where + width, width, big, &n) || !find_address(p, bytes, n, &where))
		return false;
	*ret = (struct text){ p->bytes + where, n };
	return true;
}

/* ---- the list ---- */

static bool read_info(const struct program *p, uint64_t at, struct text *version, struct text *modules)
{
	if (p->n - at < HEADER_SIZE)
		return false;
	unsigned width = p->bytes[at + MAGIC_SIZE], flags = p->bytes[at + MAGIC_SIZE + 1];
	uint64_t strings = at + HEADER_SIZE, pointers = at + MAGIC_SIZE + 2;
	bool big = flags & FLAG_BIG;
	if (flags & FLAG_INLINE)
		return inline_string(p, &strings, version) && inline_string(p, &strings, modules);
	return (width == 4 || width == 8) && pointed_string(p, pointers, width, big, version) &&
	       pointed_string(p, pointers + width, width, big, modules);
}

/* The same bytes are in programs that read such lists, as a constant: it is the right place if a version stands there. */
static bool search(const struct program *p, const struct segment *s, struct text *version, struct text *modules)
{
	uint64_t at = s->offset, end = s->offset + s->size;
	while (at < end) {
		const unsigned char *found = memmem(p->bytes + at, end - at, magic, MAGIC_SIZE);
		if (!found)
			return false;
		at = (uint64_t)(found - p->bytes);
		if (at % ALIGN == 0 && read_info(p, at, version, modules) && version->n > 2 &&
		    (memcmp(version->v, "go", 2) == 0 || memcmp(version->v, "de", 2) == 0))
			return true;
		at++;
	}
	return false;
}

char *sbom_go_text(const void *bytes, size_t n)
{
	struct program p = { .bytes = bytes, .n = n };
	struct text version, modules;
	struct str out = { 0 };
	uint64_t left = n; /* segments that lie over each other are not all searched */
	if (!read_segments(&p))
		return NULL;
	for (size_t i = 0; i < p.n_segments; i++) {
		const struct segment *s = &p.segments[i];
		if (!s->writable || s->size > left)
			continue;
		left -= s->size;
		if (!search(&p, s, &version, &modules))
			continue;
		str_add(&out, "go\t");
		str_addn(&out, version.v, version.n);
		str_addc(&out, '\n');
		if (modules.n > 2 * MARK_SIZE && modules.v[modules.n - MARK_SIZE - 1] == '\n')
			str_addn(&out, modules.v + MARK_SIZE, modules.n - 2 * MARK_SIZE);
		return str_take(&out);
	}
	return NULL;
}
