/* Names and the documents that they lead to. */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "oci/chain.h"
#include "oci/config.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "store/blob.h"
#include "store/ref.h"
#include "verify_priv.h"

void verify_lead(struct verify *v, const struct speaker *by, const struct digest *blob, uint64_t size,
		 const struct diffid *diffid)
{
	struct lead *l = vec_add(&v->leads);
	l->speaker = (struct speaker){ .kind = by->kind,
				       .name = by->name ? x_strdup(by->name) : NULL,
				       .image = by->image };
	l->blob = *blob;
	l->size = size;
	l->has_diffid = diffid != NULL;
	if (diffid)
		l->diffid = *diffid;
}

void verify_top(struct verify *v, const struct chainid *chain, const struct diffid *layer)
{
	vec_push(&v->tops, ((struct chain_top){ .chain = *chain, .layer = *layer }));
}

static void check_layers(struct verify *v, const struct speaker *by, const struct manifest *m,
			 const struct image_config *c, bool need)
{
	struct chainid chain = { 0 };
	for (size_t i = 0; i < m->layers.n; i++) {
		const struct descriptor *d = &m->layers.v[i];
		const struct diffid *diffid = c ? &c->diff_ids.v[i] : NULL;
		if (diffid) {
			chain = chain_next(&chain, diffid);
			verify_top(v, &chain, diffid);
		}
		if (blob_exists(v->store, &d->digest, NULL))
			verify_lead(v, by, &d->digest, d->size, media_type_is_layer(d->media_type) ? diffid : NULL);
		else if (need)
			verify_wrong(v, by, "its layer %s is not there", digest_text(&d->digest).s);
	}
}

/* Other tools keep other things than images, too: those have configs that are none. */
static bool is_image_config(const char *media_type)
{
	return str_eq(media_type, MT_CONFIG) || str_eq(media_type, MT_DOCKER_CONFIG);
}

static int check_config(struct verify *v, const struct speaker *by, const struct manifest *m, const char *name,
			bool need, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(config_fini) struct image_config c = { 0 };
	verify_lead(v, by, &m->config.digest, m->config.size, NULL);
	if (blob_read(v->store, &m->config.digest, LIMIT_CONFIG, &text, e) < 0)
		return -1;
	if (!is_image_config(m->config.media_type)) {
		check_layers(v, by, m, NULL, need);
		return 0;
	}
	if (config_parse(str_text(&text), text.len, name, &c, e) < 0)
		return -1;
	if (c.diff_ids.n != m->layers.n)
		return err_set(e, ERR_SPEC, "its config names %zu layers, its manifest %zu", c.diff_ids.n, m->layers.n);
	check_layers(v, by, m, &c, need);
	return 0;
}

static int check_document(struct verify *v, const struct speaker *by, const struct digest *d, bool need,
			  struct index *ret_index, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	AUTO(manifest_fini) struct manifest m = { 0 };
	struct digest_text name = digest_text(d);
	verify_lead(v, by, d, UINT64_MAX, NULL);
	if (blob_read(v->store, d, LIMIT_MANIFEST, &text, e) < 0 ||
	    json_parse(str_text(&text), text.len, name.s, &j, e) < 0)
		return -1;
	if (json_get(&j, "manifests"))
		return index_parse(text.buf, text.len, name.s, ret_index, e);
	if (manifest_parse(text.buf, text.len, NULL, name.s, &m, e) < 0)
		return -1;
	return check_config(v, by, &m, name.s, need, e);
}

void verify_image(struct verify *v, const struct speaker *by, const struct digest *top, bool need_layers)
{
	VEC(struct digest) todo = { 0 };
	vec_push(&todo, *top);
	for (size_t seen = 0; seen < todo.n && seen < LIMIT_INDEX_ENTRIES; seen++) {
		struct digest d = todo.v[seen];
		struct index index = { 0 };
		struct err why;
		int r = check_document(v, by, &d, need_layers, &index, &why);
		/* A damaged blob is found when blobs are read. */
		if (r < 0 && why.kind != ERR_INTEGRITY)
			verify_wrong(v, by, "%s", why.msg);
		for (size_t i = 0; i < index.manifests.n; i++)
			vec_push(&todo, index.manifests.v[i].desc.digest);
		index_fini(&index);
	}
	vec_fini(&todo);
}

static int remake_marker(struct store *s, const struct problem *p, int64_t since, struct err *e)
{
	(void)p;
	(void)since;
	return layout_remake_marker(s->fd, e) < 0 ? -1 : 0;
}

static int remake_index(struct store *s, const struct problem *p, int64_t since, struct err *e)
{
	(void)p;
	(void)since;
	return layout_remake_index(s->fd, e) < 0 ? -1 : 0;
}

static void check_name(struct verify *v, const struct ref_entry *r)
{
	const struct speaker by = { .kind = OBJECT_KINDS, .name = r->name, .image = r->digest };
	verify_lead(v, &by, &r->digest, r->size, NULL);
	verify_image(v, &by, &r->digest, true);
}

int verify_names(struct verify *v, struct err *e)
{
	struct ref_list refs = { 0 };
	struct err why;
	size_t entries;
	if (layout_check_marker(v->store->fd, &why) < 0)
		verify_add(v, x_strdup("oci-layout"), x_strdup(why.msg))->repair = remake_marker;
	if (layout_check_index(v->store->fd, &entries, &why) < 0) {
		verify_add(v, x_strdup("index.json"), x_asprintf("%s; all names are lost", why.msg))->repair =
			remake_index;
		return 0;
	}
	if (ref_list(v->store->fd, &refs, e) < 0)
		return -1;
	/* A build may have added one in between. */
	if (refs.n < entries)
		verify_add(v, x_strdup("index.json"),
			   x_asprintf("%zu of its entries cannot be read", entries - refs.n));
	for (size_t i = 0; i < refs.n; i++)
		check_name(v, &refs.v[i]);
	ref_list_fini(&refs);
	return 0;
}
