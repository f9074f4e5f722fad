/* Reading what a place has: an artifact, or the cache in an image. In workers. */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "archive/stream.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "share_priv.h"
#include "store/blob.h"

int share_text(struct store *s, const struct descriptor *d, size_t limit, struct str *out, struct err *e)
{
	enum { BUFFER = 64 << 10 };
	AUTO(fd_drop) int fd = -1;
	AUTO(free_drop) char *buf = x_alloc(BUFFER);
	struct digest_text name = digest_text(&d->digest);
	ssize_t n;
	if (blob_open(s, &d->digest, &fd, e) < 0)
		return -1;
	struct sha sha;
	sha_init(&sha);
	AUTO(source_drop) struct source *in = source_digest(source_fd(fd, name.s), &sha, NULL);
	in = source_limit(source_decompress(ptr_take(&in), name.s), limit, name.s);
	while ((n = source_read(in, buf, BUFFER, e)) > 0)
		str_addn(out, buf, (size_t)n);
	struct digest got = sha_end(&sha);
	if (n == 0 && !digest_eq(&got, &d->digest))
		return err_set(e, ERR_INTEGRITY, "blob %s in store %s is damaged: its bytes have another digest", name.s,
			       s->path);
	return n < 0 ? -1 : 0;
}

static int read_artifact(struct share_place *p, struct store *s, const struct descriptor *records,
			 struct share_records *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	if (share_place_fetch(p, s, "records", records, 1, NULL, e) < 0 ||
	    share_text(s, records, LIMIT_SHARE_BYTES, &text, e) < 0)
		return -1;
	return share_records_parse(str_text(&text), text.len, "its records", ret, e);
}

static bool has_layer(const struct manifest *m, const struct descriptor *d)
{
	for (size_t i = 0; i < m->layers.n; i++)
		if (digest_eq(&m->layers.v[i].digest, &d->digest) && m->layers.v[i].size == d->size)
			return true;
	return false;
}

/* The registry has the layers of the image for its sake, and no others. */
static void keep_own(struct share_records *r, const struct manifest *m)
{
	size_t n = 0;
	for (size_t i = 0; i < r->steps.n; i++) {
		struct step_record *rec = &r->steps.v[i].record;
		if (rec->has_layer && !has_layer(m, &rec->layer.blob))
			step_record_fini(rec);
		else
			r->steps.v[n++] = r->steps.v[i];
	}
	r->steps.n = n;
}

static int read_image(struct share_place *p, struct store *s, const struct manifest *m, struct share_records *ret,
		      struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json config = { 0 };
	struct json_out o;
	if (m->config.size > LIMIT_CONFIG)
		return err_set(e, ERR_LIMIT, "its config has more than %u bytes", LIMIT_CONFIG);
	if (share_place_fetch(p, s, "config", &m->config, 1, NULL, e) < 0 ||
	    blob_read(s, &m->config.digest, LIMIT_CONFIG, &text, e) < 0 ||
	    json_parse(str_text(&text), text.len, "its config", &config, e) < 0)
		return -1;
	const struct json *records = json_get(&config, SHARE_INLINE_MEMBER);
	if (!records)
		return err_set(e, ERR_SPEC, "there is no cache of nacre in it");
	json_out_init(&o);
	json_put_raw(&o, records);
	AUTO(free_drop) char *own = json_out_take(&o);
	if (share_records_parse(own, strlen(own), "its config", ret, e) < 0)
		return -1;
	keep_own(ret, m);
	return 0;
}

/* Replaces *text, an index, by the document for the platform. */
static int descend(struct share_place *p, struct str *text, const struct platform *want, struct err *e)
{
	AUTO(index_fini) struct index x = { 0 };
	struct platform host;
	platform_host(&host);
	if (index_parse(str_text(text), text->len, "it", &x, e) < 0)
		return -1;
	const struct index_entry *entry = index_select(&x, want ? want : &host);
	if (!entry)
		return err_set(e, ERR_NOTFOUND, "there is nothing for this platform");
	struct digest d = entry->desc.digest;
	int r = share_place_document(p, &d, text, e);
	return r == 1 ? err_set(e, ERR_NOTFOUND, "%s is missing", digest_text(&d).s) : r;
}

static int read_document(struct share_place *p, struct store *s, const struct platform *want, struct str *text,
			 struct share_records *ret, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	AUTO(descriptor_fini) struct descriptor records = { 0 };
	AUTO(manifest_fini) struct manifest m = { 0 };
	if (json_parse(str_text(text), text->len, "its manifest", &j, e) < 0)
		return -1;
	if (json_get(&j, "manifests")) {
		json_fini(&j);
		if (descend(p, text, want, e) < 0 || json_parse(str_text(text), text->len, "its manifest", &j, e) < 0)
			return -1;
	}
	int r = share_manifest_read(&j, "its manifest", &records, e);
	if (r <= 0)
		return r < 0 ? -1 : read_artifact(p, s, &records, ret, e);
	if (json_get(&j, "manifests") || manifest_parse(str_text(text), text->len, NULL, "it", &m, e) < 0 ||
	    (!str_eq(m.config.media_type, MT_CONFIG) && !str_eq(m.config.media_type, MT_DOCKER_CONFIG)))
		return err_set(e, ERR_SPEC, "it is neither a cache of nacre nor an image with one");
	return read_image(p, s, &m, ret, e);
}

int share_read(struct share_place *p, struct store *s, const struct platform *want, struct share_records *ret,
	       struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	int r = share_place_document(p, NULL, &text, e);
	return r ? r : read_document(p, s, want, &text, ret, e);
}
