/*
 * What the tar reader accepts, the writer writes and the reader reads again as the same. Checksums are put right first,
 * or hardly any change to a header would get past them.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tar_read.h"
#include "archive/tar_write.h"
#include "base/mem.h"
#include "base/str.h"
#include "src/archive/tar_priv.h"

enum { TOTAL_MAX = 1 << 20 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool same(const char *a, const char *b)
{
	return str_eq(a, b);
}

static void compare(const struct tar_entry *a, const struct tar_entry *b)
{
	must(a->type == b->type && same(a->path, b->path) && same(a->link, b->link));
	must(a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->size == b->size);
	must(a->mtime == b->mtime && a->major == b->major && a->minor == b->minor);
	must(a->xattrs.n == b->xattrs.n);
	for (size_t i = 0; i < a->xattrs.n; i++) {
		const struct tar_xattr *x = &a->xattrs.v[i], *y = &b->xattrs.v[i];
		must(same(x->name, y->name) && x->len == y->len && memcmp(x->value, y->value, x->len) == 0);
	}
}

/* The contents are left out: a size stays, its bytes are zeros. */
static void again(const struct tar_entry *entry)
{
	static const char zeros[TOTAL_MAX];
	AUTO(str_fini) struct str tar = {0};
	AUTO(sink_drop) struct sink *out = sink_mem(&tar);
	const struct tar_entry *second;
	struct err e = {0};

	if (entry->size > TOTAL_MAX || tar_write_entry(out, entry, &e) < 0)
		return; /* a device number or attribute name that no tar of ours can hold */
	must(sink_write(out, zeros, entry->size, &e) == 0);
	must(tar_write_pad(out, entry->size, &e) == 0 && tar_write_end(out, &e) == 0);
	AUTO(source_drop) struct source *in = source_mem(tar.buf, tar.len);
	AUTO(tar_reader_drop) struct tar_reader *reader = tar_reader_new(in, "written");
	must(tar_reader_next(reader, &second, &e) == 1);
	compare(entry, second);
	must(tar_reader_next(reader, &second, &e) == 0);
}

static void put_checksums(char *bytes, size_t n)
{
	for (size_t at = 0; at + TAR_BLOCK_SIZE <= n; at += TAR_BLOCK_SIZE) {
		struct tar_header h;

		memcpy(&h, bytes + at, sizeof(h));
		if (memcmp(h.magic, "ustar", 5) != 0)
			continue;
		snprintf(h.chksum, sizeof(h.chksum), "%06o", tar_checksum(&h, NULL));
		memcpy(bytes + at, &h, sizeof(h));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	AUTO(free_drop) char *copy = x_memdup(bytes, n);
	AUTO(source_drop) struct source *in = source_mem(copy, n);
	AUTO(tar_reader_drop) struct tar_reader *reader = tar_reader_new(in, "input");
	const struct tar_entry *entry;
	struct err e = {0};
	char buf[4096];
	ssize_t got = 0;
	uint64_t total = 0;

	put_checksums(copy, n);
	while (total < TOTAL_MAX && tar_reader_next(reader, &entry, &e) > 0) {
		again(entry);
		while (total < TOTAL_MAX && (got = tar_reader_read(reader, buf, sizeof(buf), &e)) > 0)
			total += (uint64_t)got;
		if (got < 0)
			break;
	}
	return 0;
}
