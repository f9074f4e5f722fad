#include "archive/tar_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "tar_priv.h"

/* The largest values that fit their octal digits. */
enum { ID_MAX = 07777777 };
static const uint64_t size_max = 077777777777;

static const char zeros[2 * TAR_BLOCK_SIZE];

/* size - 1 octal digits and a NUL; what does not fit is written as 0, for a pax record has it. */
static void put_octal(char *field, size_t size, uint64_t value)
{
	if (value >> (3 * (size - 1)))
		value = 0;
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
	field[size - 1] = '\0';
}

/* Readers that know nothing of pax see a field as bytes of their own character set; only ASCII is the same for all. */
static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

/* For what a pax record says better: something readable for those who ignore the record. */
static void put_name_hint(char *field, size_t size, const char *name)
{
	for (size_t i = 0; i < size && name[i]; i++)
		field[i] = (unsigned char)name[i] < 0x80 ? name[i] : '_';
}

/* ustar splits a long name at a slash: at most 155 bytes before it, at most 100 after. False when there is none. */
static bool put_name(struct tar_header *h, const char *name)
{
	size_t n = strlen(name);
	if (!is_ascii(name))
		return false;
	if (n <= TAR_NAME) {
		memcpy(h->name, name, n);
		return true;
	}
	if (n > TAR_PREFIX + 1 + TAR_NAME)
		return false;
	/* The first slash that leaves a rest short enough, but not empty: a closing slash does not count. */
	for (size_t at = n - TAR_NAME - 1; at <= TAR_PREFIX && at + 1 < n; at++) {
		if (name[at] != '/' || at == 0)
			continue;
		memcpy(h->prefix, name, at);
		memcpy(h->name, name + at + 1, n - at - 1);
		return true;
	}
	return false;
}

/*
 * A pax record is "LEN KEY=VALUE\n" where LEN counts all of it, its own digits included: adding a digit may make
 * another one necessary.
 */
static void add_record(struct str *records, const char *prefix, const char *key, const void *value, size_t n)
{
	size_t rest = strlen(prefix) + strlen(key) + n + 3, len = rest;
	for (;;) {
		size_t next = rest + (size_t)snprintf(NULL, 0, "%zu", len);
		if (next == len)
			break;
		len = next;
	}
	str_addf(records, "%zu %s%s=", len, prefix, key);
	str_addn(records, value, n);
	str_addc(records, '\n');
}

static void add_number(struct str *records, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)value);
	add_record(records, "", key, text, (size_t)n);
}

static int add_xattrs(struct str *records, const struct tar_entry *t, struct err *e)
{
	for (size_t i = 0; i < t->xattrs.n; i++) {
		const struct tar_xattr *x = &t->xattrs.v[i];
		/* Readers take the key up to the first '='. */
		if (!x->name[0] || strchr(x->name, '='))
			return err_set(e, ERR_SPEC, "%s: a tar can not hold an attribute named \"%s\"", t->path,
				       x->name);
		add_record(records, "SCHILY.xattr.", x->name, x->value, x->len);
		if (records->len > LIMIT_PAX_ENTRY)
			return err_set(e, ERR_LIMIT, "%s: more than %u bytes of attributes", t->path, LIMIT_PAX_ENTRY);
	}
	return 0;
}

static void finish_header(struct tar_header *h)
{
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	snprintf(h->chksum, sizeof h->chksum, "%06o", tar_checksum(h, NULL));
	h->chksum[7] = ' ';
}

static void add_padding(struct str *out, uint64_t size)
{
	size_t over = size % TAR_BLOCK_SIZE;
	if (over)
		str_addn(out, zeros, TAR_BLOCK_SIZE - over);
}

static void write_records(struct str *out, const struct str *records)
{
	struct tar_header h = { .name = "././@PaxHeader", .type = 'x' };
	put_octal(h.mode, sizeof h.mode, 0644);
	put_octal(h.uid, sizeof h.uid, 0);
	put_octal(h.gid, sizeof h.gid, 0);
	put_octal(h.size, sizeof h.size, records->len);
	put_octal(h.mtime, sizeof h.mtime, 0);
	finish_header(&h);
	str_addn(out, &h, sizeof h);
	str_addn(out, records->buf, records->len);
	add_padding(out, records->len);
}

static char type_flag(enum tar_type type)
{
	switch (type) {
	case TAR_FILE:
		return '0';
	case TAR_HARDLINK:
		return '1';
	case TAR_SYMLINK:
		return '2';
	case TAR_CHAR:
		return '3';
	case TAR_BLOCK:
		return '4';
	case TAR_DIR:
		return '5';
	case TAR_FIFO:
		return '6';
	}
	abort();
}

static void put_names(struct tar_header *h, const struct tar_entry *t, struct str *records)
{
	AUTO(free_drop) char *name = x_asprintf("%s%s", t->path, t->type == TAR_DIR ? "/" : "");
	if (!put_name(h, name)) {
		put_name_hint(h->name, sizeof h->name, name);
		add_record(records, "", "path", name, strlen(name));
	}
	if (!t->link)
		return;
	size_t n = strlen(t->link);
	put_name_hint(h->linkname, sizeof h->linkname, t->link);
	if (n > sizeof h->linkname || !is_ascii(t->link))
		add_record(records, "", "linkpath", t->link, n);
}

static void put_numbers(struct tar_header *h, const struct tar_entry *t, struct str *records)
{
	put_octal(h->mode, sizeof h->mode, t->mode & 07777);
	put_octal(h->uid, sizeof h->uid, t->uid);
	put_octal(h->gid, sizeof h->gid, t->gid);
	put_octal(h->size, sizeof h->size, t->type == TAR_FILE ? t->size : 0);
	put_octal(h->mtime, sizeof h->mtime, t->mtime < 0 ? 0 : (uint64_t)t->mtime);
	if (t->type == TAR_FILE && t->size > size_max)
		add_number(records, "size", (int64_t)t->size);
	if (t->uid > ID_MAX)
		add_number(records, "uid", t->uid);
	if (t->gid > ID_MAX)
		add_number(records, "gid", t->gid);
	if (t->mtime < 0 || (uint64_t)t->mtime > size_max)
		add_number(records, "mtime", t->mtime);
	bool device = t->type == TAR_CHAR || t->type == TAR_BLOCK;
	put_octal(h->devmajor, sizeof h->devmajor, device ? t->major : 0);
	put_octal(h->devminor, sizeof h->devminor, device ? t->minor : 0);
}

static int check_entry(const struct tar_entry *t, struct err *e)
{
	/* There is no pax record for device numbers. Linux has 12 and 20 bits of them. */
	if ((t->type == TAR_CHAR || t->type == TAR_BLOCK) && (t->major > ID_MAX || t->minor > ID_MAX))
		return err_set(e, ERR_SPEC, "%s: a tar can not hold device numbers %u:%u", t->path, t->major, t->minor);
	if (t->type == TAR_FILE && t->size > INT64_MAX)
		return err_set(e, ERR_LIMIT, "%s: size does not fit a tar", t->path);
	return 0;
}

int tar_header_add(struct str *out, const struct tar_entry *t, struct err *e)
{
	AUTO(str_fini) struct str records = { 0 };
	struct tar_header h = { .type = type_flag(t->type) };
	if (check_entry(t, e) < 0)
		return -1;
	put_names(&h, t, &records);
	put_numbers(&h, t, &records);
	if (add_xattrs(&records, t, e) < 0)
		return -1;
	finish_header(&h);
	if (records.len)
		write_records(out, &records);
	str_addn(out, &h, sizeof h);
	return 0;
}

/* Whether a plain header holds it. */
static bool fits_ustar(const struct tar_entry *t)
{
	size_t n = strlen(t->path) + (t->type == TAR_DIR);
	return n <= TAR_NAME && is_ascii(t->path) && (!t->link || (strlen(t->link) <= TAR_NAME && is_ascii(t->link))) &&
	       !t->xattrs.n && t->uid <= ID_MAX && t->gid <= ID_MAX && t->mtime >= 0 && (uint64_t)t->mtime <= size_max &&
	       t->size <= size_max;
}

int tar_entry_size(const struct tar_entry *t, struct str *scratch, uint64_t *ret, struct err *e)
{
	uint64_t header = sizeof(struct tar_header);
	if (check_entry(t, e) < 0)
		return -1;
	if (!fits_ustar(t)) {
		str_clear(scratch);
		if (tar_header_add(scratch, t, e) < 0)
			return -1;
		header = scratch->len;
	}
	*ret = header + tar_padded(t->type == TAR_FILE ? t->size : 0);
	return 0;
}

int tar_write_entry(struct sink *out, const struct tar_entry *t, struct err *e)
{
	AUTO(str_fini) struct str header = { 0 };
	return tar_header_add(&header, t, e) < 0 ? -1 : sink_write(out, header.buf, header.len, e);
}

uint64_t tar_padded(uint64_t size)
{
	return (size + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE * TAR_BLOCK_SIZE;
}

int tar_write_pad(struct sink *out, uint64_t size, struct err *e)
{
	size_t over = size % TAR_BLOCK_SIZE;
	return over ? sink_write(out, zeros, TAR_BLOCK_SIZE - over, e) : 0;
}

int tar_write_end(struct sink *out, struct err *e)
{
	return sink_write(out, zeros, sizeof zeros, e);
}
