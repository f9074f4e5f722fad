/* Tar archives in tests: made header by header, each field as it shall stand there, and read back as lines of text. */
#ifndef NACRE_TESTS_TARS_H
#define NACRE_TESTS_TARS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tar_read.h"
#include "archive/tar_write.h"
#include "base/mem.h"
#include "base/str.h"
#include "src/archive/tar_priv.h"

/* Bytes that may hold NULs. */
struct bytes {
	const char *p;
	size_t n;
};
#define B(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

/* A member; what is not set gets a sound value. */
struct raw {
	char type; /* 0 stands for '0', ANCIENT for NUL */
	const char *name, *link;
	struct bytes mode, uid, gid, size, mtime, chksum, magic, major, minor, prefix, tail;
	struct bytes body;
	const char *pax; /* body of lines "KEY=VALUE\n", made into records */
	bool signed_chksum;
	bool no_padding;
};
enum { ANCIENT = 1 };

static inline void put_field(char *field, size_t size, const struct bytes *b, const char *otherwise)
{
	if (b->p)
		memcpy(field, b->p, b->n < size ? b->n : size);
	else
		memcpy(field, otherwise, strlen(otherwise));
}

static inline void add_pax_record(struct str *out, const char *record, size_t n)
{
	size_t len = n + 2;
	while (len != n + 1 + (size_t)snprintf(NULL, 0, "%zu", len))
		len++;
	str_addf(out, "%zu ", len);
	str_addn(out, record, n);
}

static inline void pax_lines(struct str *out, const char *lines)
{
	for (const char *p = lines; *p;) {
		size_t n = strcspn(p, "\n") + 1;
		add_pax_record(out, p, n);
		p += n;
	}
}

static inline void raw_add(struct str *out, const struct raw *r)
{
	AUTO(str_fini) struct str body = { 0 };
	struct tar_header h = { .type = r->type == ANCIENT ? '\0' : r->type ? r->type : '0' };
	char size[16];
	str_addn(&body, r->body.p, r->body.n);
	if (r->pax)
		pax_lines(&body, r->pax);
	snprintf(size, sizeof size, "%011o", (unsigned)body.len);
	memcpy(h.name, r->name ? r->name : "m", strnlen(r->name ? r->name : "m", sizeof h.name));
	if (r->link)
		memcpy(h.linkname, r->link, strnlen(r->link, sizeof h.linkname));
	put_field(h.mode, sizeof h.mode, &r->mode, "0000644");
	put_field(h.uid, sizeof h.uid, &r->uid, "0000000");
	put_field(h.gid, sizeof h.gid, &r->gid, "0000000");
	put_field(h.size, sizeof h.size, &r->size, size);
	put_field(h.mtime, sizeof h.mtime, &r->mtime, "00000000007");
	put_field(h.devmajor, sizeof h.devmajor, &r->major, "");
	put_field(h.devminor, sizeof h.devminor, &r->minor, "");
	put_field(h.prefix, sizeof h.prefix, &r->prefix, "");
	memcpy(h.magic, "ustar\00000", 8);
	if (r->magic.p)
		memcpy(h.magic, r->magic.p, 8);
	if (r->tail.p)
		memcpy((char *)&h + sizeof h - r->tail.n, r->tail.p, r->tail.n);
	int32_t with_sign;
	uint32_t sum = tar_checksum(&h, &with_sign);
	snprintf(h.chksum, sizeof h.chksum, "%06o", r->signed_chksum ? (unsigned)with_sign : sum);
	h.chksum[7] = ' ';
	if (r->chksum.p)
		memcpy(h.chksum, r->chksum.p, r->chksum.n);
	str_addn(out, &h, sizeof h);
	str_addn(out, body.buf, body.len);
	while (!r->no_padding && out->len % TAR_BLOCK_SIZE)
		str_addc(out, '\0');
}

static inline void tar_end(struct str *out)
{
	static const char zeros[2 * TAR_BLOCK_SIZE];
	str_addn(out, zeros, sizeof zeros);
}

/* "TYPE MODE UID:GID SIZE MTIME[.NS] PATH[ -> LINK][ MAJOR:MINOR][ {XATTR=VALUE}]…", and for small files their bytes,
 * NULs as ".". */
static inline void add_entry_text(struct str *out, const struct tar_entry *t)
{
	str_addf(out, "%c %o %u:%u %llu %lld", t->type, (unsigned)t->mode, t->uid, t->gid, (unsigned long long)t->size,
		 (long long)t->mtime);
	if (t->mtime_ns)
		str_addf(out, ".%09u", t->mtime_ns);
	str_addf(out, " %s", t->path);
	if (t->link)
		str_addf(out, " -> %s", t->link);
	if (t->type == TAR_CHAR || t->type == TAR_BLOCK)
		str_addf(out, " %u:%u", t->major, t->minor);
	for (size_t i = 0; i < t->xattrs.n; i++) {
		str_addf(out, " {%s=", t->xattrs.v[i].name);
		str_add_printable(out, t->xattrs.v[i].value, t->xattrs.v[i].len);
		str_addc(out, '}');
	}
}

enum { SHOWN_MAX = 4096 };

static inline int add_contents(struct str *out, struct tar_reader *r, uint64_t size, size_t portion, struct err *e)
{
	char buf[8192];
	uint64_t total = 0;
	ssize_t got;
	if (size && size <= SHOWN_MAX)
		str_addc(out, ' ');
	while ((got = tar_reader_read(r, buf, portion, e)) > 0) {
		total += (uint64_t)got;
		for (ssize_t i = 0; i < got && size <= SHOWN_MAX; i++)
			str_addc(out, buf[i] ? buf[i] : '.');
	}
	if (got == 0)
		assert_int_equal(total, size);
	return (int)got;
}

/* All members, a line each, into out; -1 and *e at the first that is refused. Contents are read `portion` bytes at a
 * time, 0 = not. */
static inline int read_tar(const void *bytes, size_t n, size_t portion, struct str *out, struct err *e)
{
	AUTO(source_drop) struct source *in = source_mem(bytes, n);
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, "test.tar");
	const struct tar_entry *entry;
	int more;
	while ((more = tar_reader_next(r, &entry, e)) > 0) {
		add_entry_text(out, entry);
		if (portion && entry->type == TAR_FILE && add_contents(out, r, entry->size, portion, e) < 0)
			return -1;
		str_addc(out, '\n');
	}
	if (more == 0) /* and stays at the end */
		assert_int_equal(tar_reader_next(r, &entry, e), 0);
	return more;
}

#endif
