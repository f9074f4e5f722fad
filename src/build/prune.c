#include "build/prune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "roots_priv.h"
#include "store/claim.h"
#include "store/use.h"
#include "store_job_priv.h"

struct prune {
	struct store *store;
	const struct prune_options *options;
	struct objects objects;
	struct digest_set named, cached;
	int64_t since, now;    /* nanoseconds */
	struct prune_result result;
};

static bool digest_of_name(const char *name, struct digest *ret)
{
	struct err ignored;
	char text[DIGEST_TEXT + 1];
	snprintf(text, sizeof text, "sha256:%.64s", strrchr(name, '/') + 1);
	return digest_parse(text, ret, &ignored) == 0;
}

static bool blob_is_needed(const struct prune *p, const struct digest *d)
{
	return digest_set_has(&p->named, d) || digest_set_has(&p->cached, d);
}

/* A record of a layer whose blob goes, or a listing of a layer without such a record, is of no use. */
static bool layer_is_needed(struct prune *p, const char *record)
{
	struct digest d;
	return layer_record_blob(p->store, record, &d) && blob_is_needed(p, &d);
}

static bool is_garbage(struct prune *p, const struct object *o)
{
	struct digest d;
	if (o->kind == OBJECT_BLOB)
		return digest_of_name(o->name, &d) && !blob_is_needed(p, &d);
	if (o->kind == OBJECT_LAYER)
		return !layer_is_needed(p, o->name);
	if (o->kind != OBJECT_LISTING)
		return false;
	AUTO(free_drop) char *record = x_asprintf("layer%s.json", strchr(o->name, '/'));
	return !layer_is_needed(p, record);
}

/* What a build can do without. */
static bool is_cache(const struct prune *p, const struct object *o)
{
	struct digest d;
	if (o->kind == OBJECT_BLOB)
		return digest_of_name(o->name, &d) && !digest_set_has(&p->named, &d);
	return o->kind != OBJECT_UNFINISHED && strcmp(o->name, "log/last.json") != 0;
}

static bool is_old(const struct prune *p, const struct object *o)
{
	const struct prune_options *want = p->options;
	return want->all || (want->older_than >= 0 && o->used < p->now - want->older_than * 1000000000);
}

/* 0 taken away (or it would be), 1 kept. */
static int drop(struct prune *p, struct object *o, struct err *e)
{
	int r = p->options->dry_run ? o->used >= p->since : object_remove(p->store, o, p->since, e);
	if (r)
		return r;
	p->result.n[o->kind]++;
	p->result.bytes[o->kind] += o->size;
	p->result.left -= o->size;
	o->size = 0;
	free_drop(&o->name);
	return 0;
}

static int drop_unneeded(struct prune *p, struct err *e)
{
	/* Backwards: objects_read gives blobs first, and a prune that is killed leaves no record of a blob that is gone. */
	for (size_t i = p->objects.n; i-- > 0;) {
		struct object *o = &p->objects.v[i];
		bool goes = is_garbage(p, o) || (is_cache(p, o) && is_old(p, o));
		if (goes && drop(p, o, e) < 0)
			return -1;
	}
	return 0;
}

static int by_use(const void *a, const void *b)
{
	const struct object *x = a, *y = b;
	return x->used < y->used ? -1 : x->used > y->used;
}

/* The least recently used first. */
static int drop_until(struct prune *p, uint64_t keep, struct err *e)
{
	if (p->objects.n)
		qsort(p->objects.v, p->objects.n, sizeof *p->objects.v, by_use);
	for (size_t i = 0; i < p->objects.n && p->result.left > keep; i++) {
		struct object *o = &p->objects.v[i];
		if (o->name && is_cache(p, o) && drop(p, o, e) < 0)
			return -1;
	}
	return 0;
}

static int make_room(struct prune *p, struct err *e)
{
	uint64_t keep = p->options->keep, spare = p->options->spare;
	if (p->result.left <= keep)
		return 0;
	return drop_until(p, keep > spare ? keep - spare : 0, e);
}

/* A record goes with its blob, which may have been used earlier than the record. */
static int drop_broken(struct prune *p, struct err *e)
{
	for (size_t i = 0; i < p->objects.n && !p->options->dry_run; i++) {
		struct object *o = &p->objects.v[i];
		if (o->name && !record_is_whole(p->store, o) && drop(p, o, e) < 0)
			return -1;
	}
	return 0;
}

static int prune(struct prune *p, struct err *e)
{
	struct timespec now;
	/* From here on a process that begins to use the store keeps what it asks for: it began after `since`. */
	if (store_use_since(p->store, p->options->going_on, &p->since, e) < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	p->now = (int64_t)now.tv_sec * 1000000000;
	if (!p->options->dry_run) {
		store_recover(p->store);
		claims_sweep(p->store);
	}
	if (objects_read(p->store, &p->objects, e) < 0)
		return -1;
	for (size_t i = 0; i < p->objects.n; i++)
		p->result.left += p->objects.v[i].size;
	if (p->options->going_on && p->result.left <= p->options->keep)
		return 0;
	if (roots_named(p->store, &p->named, e) < 0 ||
	    (!p->options->all && roots_cached(p->store, &p->objects, &p->cached, e) < 0))
		return -1;
	if (drop_unneeded(p, e) < 0 || make_room(p, e) < 0 || drop_broken(p, e) < 0)
		return -1;
	if (!p->options->dry_run)
		store_recover(p->store);
	return 0;
}

static int prune_work(struct store *s, void *ctx, struct str *result, struct err *e)
{
	struct prune p = { .store = s, .options = ctx };
	int r = prune(&p, e);
	objects_fini(&p.objects);
	digest_set_fini(&p.named);
	digest_set_fini(&p.cached);
	str_addn(result, &p.result, sizeof p.result);
	return r;
}

int store_prune(struct store *s, const struct prune_options *o, struct prune_result *ret, struct err *e)
{
	AUTO(str_fini) struct str result = { 0 };
	if (store_job(s, "nacre-prune", prune_work, (void *)o, &result, e) < 0)
		return -1;
	if (result.len != sizeof *ret)
		return err_set(e, ERR_SYS, "a worker sent a broken report");
	memcpy(ret, result.buf, sizeof *ret);
	return 0;
}
