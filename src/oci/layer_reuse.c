#include "oci/layer_reuse.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "oci/layer_writer.h"
#include "oci/media_type.h"
#include "run_check_priv.h"
#include "store/blob.h"

struct layer_reuse {
	struct frame_plan plan;    /* owned, as all that follows */
	VEC(size_t) lines;         /* where those of each run begin in the listing, and where the last end */
	size_t lines_end;
	struct frame_spans spans;
	int fd, listing_fd;
	struct frame_run **by_key; /* into plan */
	VEC(struct checked *) checks;
};

/* A run under check. What is in one frame is checked in one go; more frames come one after another. */
struct checked {
	const struct frame_run *run;
	struct listing entries;    /* owned; freed when they were checked */
	size_t frames;             /* that were checked */
	struct run_check check;
};

void layer_reuse_free(struct layer_reuse *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->checks.n; i++) {
		run_check_fini(&r->checks.v[i]->check);
		listing_fini(&r->checks.v[i]->entries);
		free(r->checks.v[i]);
	}
	vec_fini(&r->checks);
	frame_plan_fini(&r->plan);
	vec_fini(&r->lines);
	vec_fini(&r->spans);
	fd_drop(&r->fd);
	fd_drop(&r->listing_fd);
	free(r->by_key);
	free(r);
}

void layer_reuse_drop(struct layer_reuse **r)
{
	layer_reuse_free(ptr_take(r));
}

/* ---- opening ---- */

static int plan_entry(void *ctx, struct list_entry *entry, size_t at, struct err *e)
{
	struct layer_reuse *r = ctx;
	if (entry->kind != LIST_ENTRY)
		return err_set(e, ERR_SPEC, "it deletes files");
	if (entry->tar.type == TAR_FILE && entry->tar.size > INT64_MAX / 2)
		return err_set(e, ERR_SPEC, "a file is too large");
	if (frame_plan_add(&r->plan, entry, e) < 0)
		return -1;
	if (r->lines.n < r->plan.runs.n)
		vec_push(&r->lines, at);
	r->lines_end = at + r->plan.line.len;
	return 0;
}

static int plan_listing(struct store *s, const struct diffid *diffid, struct layer_reuse *r, struct err *e)
{
	if (listing_open(s, diffid, &r->listing_fd, e) < 0)
		return -1;
	int found = listing_walk(s, diffid, plan_entry, r, e);
	if (found)
		return found < 0 ? -1 : err_set(e, ERR_NOTFOUND, "its listing is not in the store");
	frame_plan_end(&r->plan);
	vec_push(&r->lines, r->lines_end);
	return r->plan.runs.n ? 0 : err_set(e, ERR_SPEC, "it is empty");
}

/* One more than those of the entries: the end of the archive has its own. */
static int find_frames(struct layer_reuse *r, enum compression how, struct err *e)
{
	const struct frame_run *last = &r->plan.runs.v[r->plan.runs.n - 1];
	size_t want = last->first_frame + last->n_frames + 1;
	if (frames_find(r->fd, how, want, &r->spans) != 0 || r->spans.n != want)
		return err_set(e, ERR_SPEC, "its frames are not those of its listing");
	return 0;
}

/* The frame that gained most by being compressed: what is stored as it is tells nothing of the level. */
static const struct frame_run *telling_run(const struct layer_reuse *r, size_t *ret_frame, size_t *ret_n)
{
	const struct frame_run *best = NULL;
	size_t most = 0;
	for (size_t i = 0; i < r->plan.runs.n; i++) {
		const struct frame_run *run = &r->plan.runs.v[i];
		size_t raw = run->bytes < FRAME_MAX ? (size_t)run->bytes : FRAME_MAX;
		size_t n = r->spans.v[run->first_frame].n;
		if (best && (n >= raw || raw - n <= most))
			continue;
		best = run;
		most = n < raw ? raw - n : 0;
		*ret_frame = run->first_frame;
		*ret_n = raw;
	}
	return best;
}

static bool packs_alike(const struct layer_reuse *r, struct packer *p, char *raw, char *there, char *again)
{
	size_t frame, raw_n, again_n;
	struct err ignored;
	telling_run(r, &frame, &raw_n);
	const struct frame_span *span = &r->spans.v[frame];
	return span->n <= packer_bound(p) && pread(r->fd, there, span->n, (off_t)span->offset) == (ssize_t)span->n &&
	       packer_unpack(p, there, span->n, raw, raw_n) &&
	       packer_pack(p, raw, raw_n, again, &again_n, &ignored) == 0 && again_n == span->n &&
	       memcmp(there, again, again_n) == 0;
}

/* The layer must be as if nothing had been reused. */
static int try_one(const struct layer_reuse *r, const struct layer_format *f, struct err *e)
{
	AUTO(packer_drop) struct packer *p = packer_new(f->how, f->level);
	AUTO(free_drop) char *raw = x_realloc(NULL, FRAME_MAX + 1, 1);
	AUTO(free_drop) char *there = x_realloc(NULL, packer_bound(p), 1);
	AUTO(free_drop) char *again = x_realloc(NULL, packer_bound(p), 1);
	if (!packs_alike(r, p, raw, there, again))
		return err_set(e, ERR_SPEC, "it was compressed in another way");
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct frame_run *const *x = a, *const *y = b;
	return memcmp((*x)->key.b, (*y)->key.b, DIGEST_BYTES);
}

static void sort_runs(struct layer_reuse *r)
{
	size_t n = r->plan.runs.n;
	r->by_key = x_alloc(n * sizeof *r->by_key);
	for (size_t i = 0; i < n; i++)
		r->by_key[i] = &r->plan.runs.v[i];
	qsort(r->by_key, n, sizeof *r->by_key, by_key);
}

static int open_all(struct store *s, const struct layer *old, const struct layer_format *f, struct layer_reuse *r,
		    struct err *e)
{
	if (f->how == COMPRESSION_NONE || !str_eq(old->blob.media_type, media_type_layer(f->how)))
		return err_set(e, ERR_SPEC, "it has another compression");
	if (plan_listing(s, &old->diffid, r, e) < 0 || blob_open(s, &old->blob.digest, &r->fd, e) < 0 || find_frames(r, f->how, e) < 0)
		return -1;
	return try_one(r, f, e);
}

int layer_reuse_open(struct store *s, const struct layer *old, const struct layer_format *f, struct layer_reuse **ret)
{
	AUTO(layer_reuse_drop) struct layer_reuse *r = x_alloc(sizeof *r);
	struct err e = { 0 };
	r->fd = r->listing_fd = -1;
	if (open_all(s, old, f, r, &e) < 0) {
		log_debug("layer %s is not reused: %s", digest_text(&old->blob.digest).s, e.msg);
		return 1;
	}
	sort_runs(r);
	*ret = ptr_take(&r);
	return 0;
}

/* ---- use ---- */

const struct frame_run *layer_reuse_find(const struct layer_reuse *r, const struct frame_run *run)
{
	struct frame_run **found = bsearch(&run, r->by_key, r->plan.runs.n, sizeof *r->by_key, by_key);
	return run->known && found && (*found)->known && (*found)->bytes == run->bytes ? *found : NULL;
}

int layer_reuse_fd(const struct layer_reuse *r)
{
	return r->fd;
}

const struct frame_span *layer_reuse_frames(const struct layer_reuse *r, const struct frame_run *run)
{
	return &r->spans.v[run->first_frame];
}

static bool check_frame(void *ctx, const void *raw, size_t n)
{
	struct checked *c = ctx;
	bool last = ++c->frames == c->run->n_frames;
	if (c->frames == 1)
		run_check_init(&c->check, c->entries.v, c->entries.n);
	bool good = run_check_add(&c->check, raw, n) && (!last || run_check_is_done(&c->check));
	if (last || !good) {
		run_check_fini(&c->check);
		listing_fini(&c->entries);
	}
	return good;
}

static int read_lines(const struct layer_reuse *r, const struct frame_run *run, struct str *ret, struct err *e)
{
	size_t i = (size_t)(run - r->plan.runs.v), n = r->lines.v[i + 1] - r->lines.v[i];
	struct digest d = { 0 };
	str_reserve(ret, n);
	if (pread(r->listing_fd, ret->buf, n, (off_t)r->lines.v[i]) == (ssize_t)n)
		d = digest_of(ret->buf, n);
	if (!digest_eq(&d, &run->key))
		return err_set(e, ERR_INTEGRITY, "the listing of an earlier layer changed while it was read");
	ret->len = n;
	return 0;
}

int layer_reuse_load(struct layer_reuse *r, const struct frame_run *run, struct reused_run *ret, struct err *e)
{
	AUTO(str_fini) struct str lines = { 0 }, text = { 0 };
	struct listing entries;
	if (read_lines(r, run, &lines, e) < 0)
		return -1;
	listing_add_lines(&text, lines.buf, lines.len);
	if (listing_parse(text.buf, text.len, "the listing of an earlier layer", &entries, e) < 0)
		return -1;
	struct checked *c = x_alloc(sizeof *c);
	c->run = run;
	c->entries = entries;
	vec_push(&r->checks, c);
	*ret = (struct reused_run){ lines, entries.v, { check_frame, c, run->n_frames > 1 } };
	lines = (struct str){ 0 };
	return 0;
}
