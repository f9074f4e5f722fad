/* What an export consists of. Records that are damaged, or lead to what is gone, are left out: no build uses them. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "build/image_set.h"
#include "build_priv.h"
#include "carry_priv.h"
#include "store/blob.h"
#include "store/objects.h"
#include "store/record.h"
#include "store/use.h"

struct selection {
	struct store *store;
	const struct cache_export_options *options;
	struct objects objects;
	struct carry_set *ret;
};

void carry_set_fini(struct carry_set *c)
{
	for (size_t i = 0; i < OBJECT_KINDS; i++)
		digest_set_fini(&c->of[i]);
	vec_fini(&c->bases);
}

/* The record and listing of a layer; both can be made again from its blob, but not for nothing. */
static int add_layer(struct selection *s, const struct diffid *d, struct err *e)
{
	AUTO(carried_record_fini) struct carried_record r = { 0 };
	AUTO(free_drop) char *list = carry_name(OBJECT_LISTING, &d->d);
	int rc = carried_record_get(s->store, OBJECT_LAYER, &d->d, &r, e);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (!carried_record_is_whole(s->store, &r))
		return 0;
	vec_push(&s->ret->of[OBJECT_BLOB], r.blob);
	vec_push(&s->ret->of[OBJECT_LAYER], d->d);
	if (store_use(s->store, list, NULL))
		vec_push(&s->ret->of[OBJECT_LISTING], d->d);
	return 0;
}

static int add_mount(struct selection *s, const char *hex, struct err *e)
{
	AUTO(free_drop) char *text = x_asprintf("sha256:%s", hex);
	AUTO(free_drop) char *name = x_asprintf("mount/%s", hex);
	struct digest d;
	struct stat st;
	/* One of sharing=private that another RUN had as well ("HEX-1") is no more than a second copy. */
	if (s->options->no_mounts || !digest_is_valid(text))
		return 0;
	if (digest_parse(text, &d, e) < 0)
		return -1;
	if (fstatat(s->store->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		vec_push(&s->ret->of[OBJECT_MOUNT], d);
	return 0;
}

static int add_step(struct selection *s, const struct carried_record *r, struct err *e)
{
	if (!carried_record_is_whole(s->store, r))
		return 0;
	vec_push(&s->ret->of[OBJECT_STEP], r->id);
	if (r->has_blob)
		vec_push(&s->ret->of[OBJECT_BLOB], r->blob);
	for (size_t i = 0; i < r->caches.n; i++)
		if (add_mount(s, r->caches.v[i], e) < 0)
			return -1;
	return r->has_diffid ? add_layer(s, &r->diffid, e) : 0;
}

static int add_base(struct selection *s, const struct digest *memo, const struct digest *manifest, struct err *e)
{
	struct err ignored;
	AUTO(image_fini) struct image i = { 0 };
	const struct carried_record r = { .kind = OBJECT_BASE, .has_blob = true, .blob = *manifest };
	if (!carried_record_is_whole(s->store, &r) || image_load(s->store, manifest, &i, &ignored) < 0)
		return 0;
	const struct carry_base base = { *memo, *manifest };
	vec_push(&s->ret->bases, base);
	if (roots_image(s->store, manifest, &s->ret->of[OBJECT_BLOB], e) < 0)
		return -1;
	for (size_t k = 0; k < i.config.diff_ids.n; k++)
		if (add_layer(s, &i.config.diff_ids.v[k], e) < 0)
			return -1;
	return 0;
}

/* ---- the last build ---- */

static int add_last(struct selection *s, struct err *e)
{
	AUTO(json_fini) struct json log = { 0 };
	enum object_kind kind;
	struct digest id, manifest;
	struct err ignored;
	int r = store_json_get(s->store, "log/last.json", &log, e);
	if (r)
		return r < 0 ? -1 : err_set(e, ERR_NOTFOUND, "nothing was built in the store %s yet", s->store->path);
	const struct json *steps = json_get(&log, "steps"), *bases = json_get(&log, "bases");
	for (size_t i = 0; i < json_len(steps); i++) {
		AUTO(carried_record_fini) struct carried_record record = { 0 };
		const char *name = json_str(json_at(steps, i), "record");
		if (!name || !carry_name_parse(name, &kind, &id) || kind != OBJECT_STEP)
			continue;
		r = carried_record_get(s->store, OBJECT_STEP, &id, &record, e);
		if (r < 0 || (r == 0 && add_step(s, &record, e) < 0))
			return -1;
	}
	for (size_t i = 0; i < json_len(bases); i++) {
		const char *memo = json_str(json_at(bases, i), "memo"), *text = json_str(json_at(bases, i), "manifest");
		if (!memo || !carry_name_parse(memo, &kind, &id) || kind != OBJECT_BASE || !text ||
		    digest_parse(text, &manifest, &ignored) < 0)
			continue;
		if (add_base(s, &id, &manifest, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- by what the records say ---- */

/* Whether the layers of the base are the lowest ones of the image. */
static bool stands_on(struct store *s, const struct image *image, const struct digest *manifest)
{
	struct err ignored;
	AUTO(image_fini) struct image base = { 0 };
	if (image_load(s, manifest, &base, &ignored) < 0 || base.config.diff_ids.n > image->config.diff_ids.n)
		return false;
	for (size_t i = 0; i < base.config.diff_ids.n; i++)
		if (!digest_eq(&base.config.diff_ids.v[i].d, &image->config.diff_ids.v[i].d))
			return false;
	return true;
}

static bool has_layer(const struct image *image, const struct diffid *d)
{
	for (size_t i = 0; i < image->config.diff_ids.n; i++)
		if (digest_eq(&image->config.diff_ids.v[i].d, &d->d))
			return true;
	return false;
}

/* image NULL: all. */
static int add_records(struct selection *s, const struct image *image, struct err *e)
{
	for (size_t i = 0; i < s->objects.n; i++) {
		const struct object *o = &s->objects.v[i];
		AUTO(carried_record_fini) struct carried_record record = { 0 };
		enum object_kind kind;
		struct digest id;
		if (!carry_name_parse(o->name, &kind, &id) || (kind != OBJECT_STEP && kind != OBJECT_BASE))
			continue;
		int r = carried_record_get(s->store, kind, &id, &record, e);
		if (r < 0)
			return -1;
		if (r)
			continue;
		/* Those without a layer say when they were made, which is part of every image above them. */
		if (kind == OBJECT_STEP && (!image || !record.has_diffid || has_layer(image, &record.diffid)))
			r = add_step(s, &record, e);
		else if (kind == OBJECT_BASE && (!image || stands_on(s->store, image, &record.blob)))
			r = add_base(s, &id, &record.blob, e);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int add_image(struct selection *s, const char *name, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { 0 };
	struct digest d;
	int r = 0;
	if (image_find(s->store, name, &d, e) < 0 || image_set_load(s->store, &d, &set, e) < 0)
		return -1;
	for (size_t i = 0; r == 0 && i < set.members.n; i++)
		r = add_records(s, &set.members.v[i].image, e);
	return r;
}

static int add_all(struct selection *s, struct err *e)
{
	for (size_t i = 0; i < s->objects.n; i++) {
		const struct object *o = &s->objects.v[i];
		if (o->kind == OBJECT_MOUNT && add_mount(s, o->name + strlen("mount/"), e) < 0)
			return -1;
	}
	return add_records(s, NULL, e);
}

static int fill(struct selection *s, struct err *e)
{
	const struct cache_export_options *o = s->options;
	if ((o->all || o->images.n) && objects_read(s->store, &s->objects, e) < 0)
		return -1;
	if (o->all)
		return add_all(s, e);
	if ((o->build || !o->images.n) && add_last(s, e) < 0)
		return -1;
	for (size_t i = 0; i < o->images.n; i++)
		if (add_image(s, o->images.v[i], e) < 0)
			return -1;
	return 0;
}

static int by_memo(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

int carry_select(struct store *s, const struct cache_export_options *o, struct carry_set *ret, struct err *e)
{
	struct selection selection = { .store = s, .options = o, .ret = ret };
	size_t n = 0;
	int r = fill(&selection, e);
	objects_fini(&selection.objects);
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		digest_set_sort(&ret->of[k]);
	if (ret->bases.n)
		qsort(ret->bases.v, ret->bases.n, sizeof *ret->bases.v, by_memo);
	for (size_t i = 0; i < ret->bases.n; i++)
		if (!n || !digest_eq(&ret->bases.v[n - 1].memo, &ret->bases.v[i].memo))
			ret->bases.v[n++] = ret->bases.v[i];
	ret->bases.n = n;
	return r;
}
