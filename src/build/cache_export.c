#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "carry_priv.h"
#include "store/blob.h"
#include "store/record.h"
#include "store_job_priv.h"

struct export {
	struct store *store; /* what is exported counts as used, so that no prune takes it away meanwhile */
	const struct cache_export_options *options;
	struct carry_out *out;
	struct cache_report report;
};

void cache_report_fini(struct cache_report *r)
{
	str_fini(&r->notes);
}

static int put(struct export *x, enum object_kind kind, const struct digest *id, struct source *in, uint64_t size,
	       struct err *e)
{
	int r = carry_out_put(x->out, kind, id, in, size, e);
	if (r < 0)
		return -1;
	if (r == 1) {
		x->report.counts.same++;
		return 0;
	}
	x->report.counts.n[kind]++;
	x->report.counts.bytes[kind] += size;
	return 0;
}

static int put_text(struct export *x, enum object_kind kind, const struct digest *id, const char *text, struct err *e)
{
	AUTO(source_drop) struct source *in = source_mem(text, strlen(text));
	return put(x, kind, id, in, strlen(text), e);
}

static int put_fd(struct export *x, enum object_kind kind, const struct digest *id, int fd, struct err *e)
{
	struct stat st;
	AUTO(source_drop) struct source *in = source_fd(fd, object_kind_name(kind));
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat an object of %s", x->store->path);
	return put(x, kind, id, in, (uint64_t)st.st_size, e);
}

static int put_blob(struct export *x, const struct digest *id, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	uint64_t size;
	if (blob_exists(x->store, id, &size) && carry_out_keep(x->out, OBJECT_BLOB, id, &size)) {
		x->report.counts.same++;
		return 0;
	}
	return blob_open(x->store, id, &fd, e) < 0 ? -1 : put_fd(x, OBJECT_BLOB, id, fd, e);
}

/* A damaged one is made again by the next build, here and there. */
static int put_listing(struct export *x, const struct digest *id, struct err *e)
{
	AUTO(free_drop) char *name = carry_name(OBJECT_LISTING, id);
	AUTO(str_fini) struct str text = { 0 };
	AUTO(fd_drop) int fd = -1;
	int r = store_file_get(x->store, name, LIMIT_LISTING, &text, e);
	if (r)
		return r < 0 ? -1 : 0;
	return fd_open_regular(x->store->fd, name, &fd, e) < 0 ? -1 : put_fd(x, OBJECT_LISTING, id, fd, e);
}

static int put_record(struct export *x, enum object_kind kind, const struct digest *id, struct err *e)
{
	AUTO(carried_record_fini) struct carried_record r = { 0 };
	int rc = carried_record_get(x->store, kind, id, &r, e);
	if (rc)
		return rc < 0 ? -1 : 0;
	return put_text(x, kind, id, r.text, e);
}

static int put_mount(struct export *x, const struct digest *id, struct err *e)
{
	struct blob_writer aside = { 0 };
	if (blob_writer_open(x->store, &aside, e) < 0)
		return -1;
	int r = carry_mount_pack(x->store, id, aside.fd, e);
	if (r == 0 && lseek(aside.fd, 0, SEEK_SET) < 0)
		r = err_sys(e, "read a cache mount again");
	if (r == 0)
		r = put_fd(x, OBJECT_MOUNT, id, aside.fd, e);
	blob_writer_drop(&aside);
	if (r != 1)
		return r;
	carry_out_keep(x->out, OBJECT_MOUNT, id, NULL);
	str_addf(&x->report.notes, "cache mount %s is left out: a build is using it\n", digest_hex(id).s);
	return 0;
}

static int put_one(struct export *x, enum object_kind kind, const struct digest *id, struct err *e)
{
	if (kind == OBJECT_BLOB)
		return put_blob(x, id, e);
	if (kind == OBJECT_LISTING)
		return put_listing(x, id, e);
	return kind == OBJECT_MOUNT ? put_mount(x, id, e) : put_record(x, kind, id, e);
}

static int put_all(struct export *x, const struct carry_set *set, struct err *e)
{
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		for (size_t i = 0; i < set->of[k].n; i++)
			if (put_one(x, k, &set->of[k].v[i], e) < 0)
				return -1;
	for (size_t i = 0; i < set->bases.n; i++) {
		AUTO(free_drop) char *text = carry_base_text(&set->bases.v[i].manifest);
		if (put_text(x, OBJECT_BASE, &set->bases.v[i].memo, text, e) < 0)
			return -1;
	}
	return 0;
}

static int export_work(struct store *observer, void *ctx, struct str *result, struct err *e)
{
	struct export *x = ctx;
	struct carry_set set = { 0 };
	(void)observer;
	int r = carry_select(x->store, x->options, &set, e);
	if (r == 0)
		r = carry_out_open(x->options->path, &x->out, e);
	if (r == 0)
		r = put_all(x, &set, e);
	if (r == 0)
		r = carry_out_finish(x->out, &x->report.counts.removed, e);
	carry_out_free(x->out);
	carry_set_fini(&set);
	carry_report_write(&x->report, result);
	cache_report_fini(&x->report);
	return r;
}

int cache_export(struct store *s, const struct cache_export_options *o, struct cache_report *ret, struct err *e)
{
	struct export x = { .store = s, .options = o };
	AUTO(str_fini) struct str result = { 0 };
	if (store_job(s, "nacre-export", export_work, &x, &result, e) < 0)
		return -1;
	return carry_report_read(&result, ret, e);
}

void carry_report_write(const struct cache_report *r, struct str *out)
{
	str_addn(out, &r->counts, sizeof r->counts);
	str_add(out, str_text(&r->notes));
}

int carry_report_read(const struct str *text, struct cache_report *ret, struct err *e)
{
	if (text->len < sizeof ret->counts)
		return err_set(e, ERR_SYS, "a worker sent a broken report");
	memcpy(&ret->counts, text->buf, sizeof ret->counts);
	str_add(&ret->notes, text->buf + sizeof ret->counts);
	return 0;
}
