#include "build/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tree.h"
#include "roots_priv.h"
#include "store/blob.h"
#include "store/objects.h"
#include "store/ref.h"
#include "store_job_priv.h"

struct image_usage {
	char *name;            /* owned */
	struct digest_set blobs;
	uint64_t size, shared;
};

struct usage {
	VEC(struct image_usage) images;
	size_t n_named, n[OBJECT_KINDS];
	uint64_t named;               /* bytes of blobs of images with a name, each once */
	uint64_t bytes[OBJECT_KINDS]; /* OBJECT_BLOB: without those */
	uint64_t objects, total;
};

/* One blob of one image. */
struct owned_blob {
	struct digest digest;
	size_t image;
};

static int by_digest(const void *a, const void *b)
{
	return memcmp(&((const struct owned_blob *)a)->digest, &((const struct owned_blob *)b)->digest,
		      sizeof(struct digest));
}

/* A blob and the images that have it. */
static void count_blob(struct store *s, struct usage *u, const struct owned_blob *owners, size_t n)
{
	uint64_t size;
	if (!blob_exists(s, &owners[0].digest, &size))
		return;
	u->named += size;
	u->n_named++;
	for (size_t i = 0; i < n; i++) {
		u->images.v[owners[i].image].size += size;
		u->images.v[owners[i].image].shared += n > 1 ? size : 0;
	}
}

static void count_blobs(struct store *s, struct usage *u)
{
	VEC(struct owned_blob) all = { 0 };
	for (size_t i = 0; i < u->images.n; i++)
		for (size_t k = 0; k < u->images.v[i].blobs.n; k++)
			vec_push(&all, ((struct owned_blob){ u->images.v[i].blobs.v[k], i }));
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, by_digest);
	for (size_t i = 0, end; i < all.n; i = end) {
		for (end = i + 1; end < all.n && digest_eq(&all.v[i].digest, &all.v[end].digest);)
			end++;
		count_blob(s, u, all.v + i, end - i);
	}
	vec_fini(&all);
}

static int read_images(struct store *s, struct usage *u, struct err *e)
{
	struct ref_list refs = { 0 };
	int r = ref_list(s->fd, &refs, e);
	for (size_t i = 0; r == 0 && i < refs.n; i++) {
		struct image_usage *image = vec_add(&u->images);
		image->name = x_strdup(refs.v[i].name ? refs.v[i].name : digest_text(&refs.v[i].digest).s);
		r = roots_image(s, &refs.v[i].digest, &image->blobs, e);
	}
	ref_list_fini(&refs);
	if (r == 0)
		count_blobs(s, u);
	return r;
}

static int read_objects(struct store *s, struct usage *u, struct err *e)
{
	struct objects objects = { 0 };
	int r = objects_read(s, &objects, e);
	for (size_t i = 0; i < objects.n; i++) {
		const struct object *o = &objects.v[i];
		u->n[o->kind]++;
		u->bytes[o->kind] += o->size;
		u->objects += o->size;
	}
	objects_fini(&objects);
	u->n[OBJECT_BLOB] -= u->n_named < u->n[OBJECT_BLOB] ? u->n_named : u->n[OBJECT_BLOB];
	u->bytes[OBJECT_BLOB] -= u->named < u->bytes[OBJECT_BLOB] ? u->named : u->bytes[OBJECT_BLOB];
	if (tree_bytes(s->fd, ".", &u->total) < 0)
		log_debug("%s: %s", s->path, strerror(errno));
	return r;
}

/* Directories, names, locks. */
static uint64_t other(const struct usage *u)
{
	return u->total > u->objects ? u->total - u->objects : 0;
}

static void write_kind(struct json_out *o, const char *kind, size_t n, uint64_t bytes)
{
	json_begin(o, '{');
	json_kv_str(o, "kind", kind);
	json_kv_int(o, "count", (int64_t)n);
	json_kv_int(o, "size", (int64_t)bytes);
	json_end(o, '}');
}

static void write_json(const struct usage *u, struct str *out)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_put_key(&o, "images");
	json_begin(&o, '[');
	for (size_t i = 0; i < u->images.n; i++) {
		json_begin(&o, '{');
		json_kv_str(&o, "name", u->images.v[i].name);
		json_kv_int(&o, "size", (int64_t)u->images.v[i].size);
		json_kv_int(&o, "shared", (int64_t)u->images.v[i].shared);
		json_end(&o, '}');
	}
	json_end(&o, ']');
	json_put_key(&o, "objects");
	json_begin(&o, '[');
	write_kind(&o, "images", u->n_named, u->named);
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		write_kind(&o, object_kind_name(k), u->n[k], u->bytes[k]);
	json_end(&o, ']');
	json_kv_int(&o, "other", (int64_t)other(u));
	json_kv_int(&o, "total", (int64_t)u->total);
	json_end(&o, '}');
	AUTO(free_drop) char *text = json_out_take(&o);
	str_addf(out, "%s\n", text);
}

static const char *human(struct str *s, uint64_t bytes)
{
	str_clear(s);
	str_add_size(s, bytes);
	return s->buf;
}

static void add_row(struct str *out, const char *kind, size_t n, uint64_t bytes)
{
	AUTO(str_fini) struct str size = { 0 };
	str_addf(out, "%-40s %10zu %10s\n", kind, n, human(&size, bytes));
}

static void write_table(const struct usage *u, struct str *out)
{
	AUTO(str_fini) struct str size = { 0 };
	AUTO(str_fini) struct str shared = { 0 };
	AUTO(str_fini) struct str own = { 0 };
	str_addf(out, "%-40s %10s %10s %10s\n", "IMAGE", "SIZE", "SHARED", "OWN");
	for (size_t i = 0; i < u->images.n; i++) {
		const struct image_usage *image = &u->images.v[i];
		AUTO(str_fini) struct str name = { 0 };
		str_add_printable(&name, image->name, strlen(image->name));
		str_addf(out, "%-40s %10s %10s %10s\n", name.buf, human(&size, image->size),
			 human(&shared, image->shared), human(&own, image->size - image->shared));
	}
	str_addf(out, "\n%-40s %10s %10s\n", "KIND", "COUNT", "SIZE");
	add_row(out, "images", u->n_named, u->named);
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		if (u->n[k])
			add_row(out, object_kind_name(k), u->n[k], u->bytes[k]);
	str_addf(out, "%-40s %10s %10s\n", "other", "", human(&size, other(u)));
	str_addf(out, "%-40s %10s %10s\n", "total", "", human(&size, u->total));
}

static int usage_work(struct store *s, void *ctx, struct str *result, struct err *e)
{
	const bool *json = ctx;
	struct usage u = { 0 };
	int r = read_images(s, &u, e);
	if (r == 0)
		r = read_objects(s, &u, e);
	if (r == 0 && *json)
		write_json(&u, result);
	else if (r == 0)
		write_table(&u, result);
	for (size_t i = 0; i < u.images.n; i++) {
		free(u.images.v[i].name);
		digest_set_fini(&u.images.v[i].blobs);
	}
	vec_fini(&u.images);
	return r;
}

int store_usage(struct store *s, bool json, struct str *out, struct err *e)
{
	return store_job(s, "nacre-du", usage_work, &json, out, e);
}
