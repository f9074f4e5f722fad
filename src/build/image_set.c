#include "build/image_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/index.h"
#include "oci/media_type.h"
#include "store/blob.h"

void image_set_fini(struct image_set *set)
{
	descriptor_fini(&set->top);
	for (size_t i = 0; i < set->members.n; i++)
		image_fini(&set->members.v[i].image);
	vec_fini(&set->members);
	*set = (struct image_set){ 0 };
}

/* 1 when the document is an index, which is then in *ret. */
static int read_index(struct store *s, const struct digest *d, struct index *ret, uint64_t *ret_size, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	struct digest_text name = digest_text(d);
	if (blob_read(s, d, LIMIT_MANIFEST, &text, e) < 0 ||
	    json_parse(str_text(&text), text.len, name.s, &j, e) < 0)
		return -1;
	*ret_size = text.len;
	if (!json_get(&j, "manifests"))
		return 0;
	return index_parse(str_text(&text), text.len, name.s, ret, e) < 0 ? -1 : 1;
}

static int add_entry(struct store *s, const struct index_entry *entry, struct image_set *set, struct err *e)
{
	struct image_member *m = vec_add(&set->members);
	AUTO(free_drop) char *platform = platform_text(&entry->platform);
	if (media_type_is_index(entry->desc.media_type))
		return err_set(e, ERR_SPEC, "index %s leads to another index", digest_text(&set->top.digest).s);
	m->platform = entry->platform;
	m->attestation = entry->attestation;
	if (image_load(s, &entry->desc.digest, &m->image, e) < 0)
		return err_in(e, "index %s: image for %s", digest_text(&set->top.digest).s, platform);
	if (!m->platform.os[0] && !m->platform.arch[0])
		m->platform = m->image.config.platform;
	return 0;
}

static int read_members(struct store *s, const struct index *x, bool is_index, struct image_set *set, struct err *e)
{
	for (size_t i = 0; i < x->manifests.n; i++)
		if (add_entry(s, &x->manifests.v[i], set, e) < 0)
			return -1;
	if (is_index)
		return 0;
	struct image_member *m = vec_add(&set->members);
	if (image_load(s, &set->top.digest, &m->image, e) < 0)
		return -1;
	m->platform = m->image.config.platform;
	free(set->top.media_type);
	set->top.media_type = x_strdup(m->image.desc.media_type);
	return 0;
}

int image_set_load(struct store *s, const struct digest *top, struct image_set *ret, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { .top = { .digest = *top } };
	AUTO(index_fini) struct index x = { 0 };
	int r = read_index(s, top, &x, &set.top.size, e);
	if (r < 0)
		return -1;
	set.is_index = r == 1;
	set.top.media_type = x_strdup(MT_INDEX);
	if (read_members(s, &x, set.is_index, &set, e) < 0)
		return -1;
	*ret = set;
	set = (struct image_set){ 0 };
	return 0;
}

uint64_t image_set_size(const struct image_set *set)
{
	VEC(const struct descriptor *) all = { 0 };
	uint64_t size = set->is_index ? set->top.size : 0;
	for (size_t i = 0; i < set->members.n; i++) {
		const struct image *image = &set->members.v[i].image;
		vec_push(&all, &image->desc);
		vec_push(&all, &image->manifest.config);
		for (size_t k = 0; k < image->manifest.layers.n; k++)
			vec_push(&all, &image->manifest.layers.v[k]);
	}
	for (size_t i = 0; i < all.n; i++) {
		bool counted = false;
		for (size_t k = 0; k < i && set->is_index && !counted; k++)
			counted = digest_eq(&all.v[k]->digest, &all.v[i]->digest);
		size += counted ? 0 : all.v[i]->size;
	}
	vec_fini(&all);
	return size;
}

const char *image_set_created(const struct image_set *set)
{
	const char *last = NULL;
	for (size_t i = 0; i < set->members.n; i++) {
		const char *created = set->members.v[i].image.config.created;
		if (created && (!last || strcmp(created, last) > 0))
			last = created;
	}
	return last;
}

/* ---- on disk ---- */

static int sync_image(struct store *s, const struct image *image, struct err *e)
{
	if (blob_sync(s, &image->desc.digest, e) < 0 || blob_sync(s, &image->manifest.config.digest, e) < 0)
		return -1;
	for (size_t i = 0; i < image->manifest.layers.n; i++)
		if (blob_sync(s, &image->manifest.layers.v[i].digest, e) < 0)
			return -1;
	return 0;
}

int image_sync(struct store *s, const struct digest *top, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { 0 };
	if (image_set_load(s, top, &set, e) < 0 || (set.is_index && blob_sync(s, top, e) < 0))
		return -1;
	for (size_t i = 0; i < set.members.n; i++)
		if (sync_image(s, &set.members.v[i].image, e) < 0)
			return -1;
	return blob_names_sync(s, e);
}

/* ---- one of several ---- */

static int none_fits(const struct index *x, const struct digest *top, const struct platform *want, struct err *e)
{
	AUTO(strv_fini) struct strv there = { 0 };
	AUTO(free_drop) char *wanted = platform_text(want);
	for (size_t i = 0; i < x->manifests.n; i++)
		if (!x->manifests.v[i].attestation)
			strv_push_taken(&there, platform_text(&x->manifests.v[i].platform));
	AUTO(free_drop) char *text = strv_join(&there, ", ");
	return err_set(e, ERR_NOTFOUND, "index %.19s has no image for %s; it has %.200s", digest_text(top).s, wanted,
		       *text ? text : "none at all");
}

int image_choose(struct store *s, const struct digest *top, const struct platform *want, struct digest *ret,
		 struct err *e)
{
	AUTO(index_fini) struct index x = { 0 };
	struct platform host;
	uint64_t size;
	platform_host(&host);
	int r = read_index(s, top, &x, &size, e);
	if (r < 0)
		return -1;
	const struct index_entry *entry = r == 1 ? index_select(&x, want ? want : &host) : NULL;
	if (r == 1 && !entry && !want)
		entry = index_only(&x);
	if (r == 1 && !entry)
		return none_fits(&x, top, want ? want : &host, e);
	*ret = entry ? entry->desc.digest : *top;
	return 0;
}
