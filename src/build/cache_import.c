/*
 * Blobs, listings and mounts go into the store as they come, each verified or unpacked aside first. Records wait for
 * the end, since what they lead to may come after them: one counts only when all of that is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "carry_priv.h"
#include "oci/listing.h"
#include "store/blob.h"
#include "store/record.h"
#include "store_job_priv.h"

enum { BUFFER = 256 << 10, NOTES_MAX = 64 << 10 };

struct import {
	struct store *store; /* what is imported counts as used */
	const struct cache_import_options *options;
	bool marked;         /* the marker was seen */
	VEC(struct carried_record) records;
	size_t record_bytes;
	char *buf;           /* BUFFER bytes; owned */
	struct cache_report report;
};

/* An object that is no good ends nothing, whatever its names and owners make the kernel say; a disk that is full does. */
static int refuse(struct import *m, const char *name, const struct err *why, struct err *e)
{
	AUTO(str_fini) struct str safe = { 0 };
	int n = why->kind == ERR_SYS ? why->sysno : 0;
	if (n == ENOSPC || n == EDQUOT || n == EROFS || n == EIO || n == EMFILE || n == ENFILE) {
		*e = *why;
		return -1;
	}
	m->report.counts.refused++;
	str_add_printable(&safe, name, strlen(name));
	if (m->report.notes.len < NOTES_MAX)
		str_addf(&m->report.notes, "%.200s is refused: %s\n", str_text(&safe), why->msg);
	return 0;
}

static void count(struct import *m, enum object_kind kind, uint64_t size)
{
	m->report.counts.n[kind]++;
	m->report.counts.bytes[kind] += size;
}

static int read_text(struct import *m, struct source *in, size_t limit, struct str *out, struct err *e)
{
	ssize_t n;
	while ((n = source_read(in, m->buf, BUFFER, e)) > 0) {
		if ((size_t)n > limit - out->len)
			return err_set(e, ERR_LIMIT, "it has more than %zu bytes", limit);
		str_addn(out, m->buf, (size_t)n);
	}
	return n < 0 ? -1 : 0;
}

static int take_listing(struct import *m, const struct digest *id, struct source *in, struct err *e)
{
	enum { END = 64 }; /* more than what store_file_put adds */
	AUTO(str_fini) struct str text = { 0 };
	AUTO(listing_fini) struct listing there = { 0 }, parsed = { 0 };
	const struct diffid diffid = { *id };
	int r = listing_load(m->store, &diffid, &there, e);
	if (r != 1)
		return r < 0 ? -1 : 1;
	if (read_text(m, in, LIMIT_LISTING + END, &text, e) < 0)
		return -1;
	if (!store_file_open(&text))
		return err_set(e, ERR_INTEGRITY, "it is damaged");
	if (listing_parse(str_text(&text), text.len, "it", &parsed, e) < 0)
		return -1;
	return listing_save(m->store, &diffid, &text, e);
}

static int take_mount(struct import *m, const struct digest *id, struct source *in, struct err *e)
{
	AUTO(source_drop) struct source *tar = source_decompress(carry_borrow(in), "it");
	int r = carry_mount_unpack(m->store, id, tar, m->options->replace, e);
	if (r == 1 && m->options->replace)
		str_addf(&m->report.notes, "cache mount %s stays as it is: a build is using it\n", digest_hex(id).s);
	return r;
}

/* Counted when it is written. */
static int take_record(struct import *m, enum object_kind kind, const struct digest *id, struct source *in,
		       struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	struct carried_record r = { 0 };
	if (read_text(m, in, LIMIT_STORE_JSON, &text, e) < 0 ||
	    carried_record_parse(kind, id, str_text(&text), text.len, &r, e) < 0)
		return -1;
	m->record_bytes += strlen(r.text) + sizeof r;
	if (m->record_bytes > LIMIT_CACHE_RECORDS) {
		carried_record_fini(&r);
		return err_set(e, ERR_LIMIT, "the records before it have %u bytes already", LIMIT_CACHE_RECORDS);
	}
	vec_push(&m->records, r);
	return 0;
}

static int take_marker(struct import *m, struct source *in, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	if (read_text(m, in, 64, &text, e) < 0 || !str_eq(str_text(&text), carry_marker_text))
		return err_set(e, ERR_SPEC, "%s was exported by another version of nacre", m->options->path);
	m->marked = true;
	return 0;
}

/* 0 new, 1 the store has it, -1. */
static int take(struct import *m, enum object_kind kind, const struct digest *id, struct source *in, uint64_t size,
		struct err *e)
{
	if (kind == OBJECT_BLOB)
		return blob_take(m->store, id, in, size, e);
	if (kind == OBJECT_LISTING)
		return take_listing(m, id, in, e);
	return kind == OBJECT_MOUNT ? take_mount(m, id, in, e) : take_record(m, kind, id, in, e);
}

static bool is_record(enum object_kind kind)
{
	return kind == OBJECT_STEP || kind == OBJECT_LAYER || kind == OBJECT_BASE;
}

static int each(void *ctx, const char *name, uint64_t size, struct source *in, struct err *e)
{
	struct import *m = ctx;
	struct err why;
	enum object_kind kind;
	struct digest id;
	AUTO(free_drop) char *own = x_strdup(name); /* the archive's goes when its data is read */
	if (str_eq(own, carry_marker) && in)
		return take_marker(m, in, e);
	if (!in || !carry_name_parse(own, &kind, &id)) {
		err_set(&why, ERR_SPEC, "an exported cache holds no such %s", in ? "file" : "thing");
		return refuse(m, own, &why, e);
	}
	if (kind == OBJECT_MOUNT && m->options->no_mounts)
		return 0;
	int r = take(m, kind, &id, in, size, &why);
	if (r < 0)
		return refuse(m, own, &why, e);
	if (r == 1)
		m->report.counts.same++;
	else if (!is_record(kind))
		count(m, kind, size);
	return 0;
}

/* What is in the store and whole stays: it was made here. */
static int put_record(struct import *m, const struct carried_record *r, struct err *e)
{
	AUTO(free_drop) char *name = carry_name(r->kind, &r->id);
	AUTO(carried_record_fini) struct carried_record there = { 0 };
	struct err why;
	if (!carried_record_is_whole(m->store, r)) {
		err_set(&why, ERR_INTEGRITY, "what it leads to, %s, is not whole", digest_text(&r->blob).s);
		return refuse(m, name, &why, e);
	}
	int rc = carried_record_get(m->store, r->kind, &r->id, &there, e);
	if (rc < 0)
		return -1;
	if (rc == 0 && carried_record_is_whole(m->store, &there)) {
		m->report.counts.same++;
		return 0;
	}
	count(m, r->kind, strlen(r->text));
	return store_json_put(m->store, name, r->text, e);
}

static int import_all(struct import *m, struct err *e)
{
	if (carry_in_read(m->options->path, each, m, &m->report.counts.broken, e) < 0)
		return -1;
	if (!m->marked && m->report.counts.broken.kind == ERR_NONE)
		return err_set(e, ERR_SPEC, "%s is no exported cache: it has no file \"%s\"", m->options->path,
			       carry_marker);
	for (size_t i = 0; i < m->records.n && m->marked; i++)
		if (put_record(m, &m->records.v[i], e) < 0)
			return -1;
	return 0;
}

static int import_work(struct store *observer, void *ctx, struct str *result, struct err *e)
{
	struct import *m = ctx;
	(void)observer;
	m->buf = x_alloc(BUFFER);
	int r = import_all(m, e);
	for (size_t i = 0; i < m->records.n; i++)
		carried_record_fini(&m->records.v[i]);
	vec_fini(&m->records);
	free_drop(&m->buf);
	carry_report_write(&m->report, result);
	cache_report_fini(&m->report);
	return r;
}

int cache_import(struct store *s, const struct cache_import_options *o, struct cache_report *ret, struct err *e)
{
	struct import m = { .store = s, .options = o };
	AUTO(str_fini) struct str result = { 0 };
	if (store_job(s, "nacre-import", import_work, &m, &result, e) < 0)
		return -1;
	return carry_report_read(&result, ret, e);
}
