#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "bundle_priv.h"
#include "document_priv.h"
#include "image_priv.h"
#include "store/blob.h"

/* The blobs of an OCI layout inside an archive, as image.c asks for them. */
struct bundle_source {
	struct image_source source; /* first: image.c hands it back to us */
	struct bundle *bundle;
};

static int find_blob(struct bundle *b, const char *what, const struct descriptor *d, const struct bundle_file **ret,
		     struct err *e)
{
	AUTO(free_drop) char *path = x_asprintf("blobs/sha256/%s", digest_hex(&d->digest).s);
	const struct bundle_file *f = bundle_find(b, path);
	if (!f)
		return err_set(e, ERR_SPEC, "%s: the %s %s is missing", b->name, what, digest_text(&d->digest).s);
	if (!digest_eq(&f->digest, &d->digest))
		return err_set(e, ERR_INTEGRITY, "%s: %s: its bytes have digest %s", b->name, path,
			       digest_text(&f->digest).s);
	if (f->size != d->size)
		return err_set(e, ERR_INTEGRITY, "%s: %s has %llu bytes, its descriptor says %llu", b->name, path,
			       (unsigned long long)f->size, (unsigned long long)d->size);
	*ret = f;
	return 0;
}

static int source_document(struct image_source *src, const struct descriptor *d, struct str *out, char **ret_type,
			   struct err *e)
{
	struct bundle *b = ((struct bundle_source *)src)->bundle;
	const struct bundle_file *f;
	(void)ret_type; /* a file says nothing about its type */
	return find_blob(b, "manifest", d, &f, e) < 0 ? -1 : bundle_text(b, f, LIMIT_MANIFEST, out, e);
}

static int source_blobs(struct image_source *src, const char *what, const struct descriptor *list, size_t n,
			struct err *e)
{
	struct bundle *b = ((struct bundle_source *)src)->bundle;
	for (size_t i = 0; i < n; i++) {
		const struct bundle_file *f;
		if (find_blob(b, what, &list[i], &f, e) < 0 || bundle_publish(b, f, e) < 0)
			return -1;
	}
	return 0;
}

int pull_bundle(struct bundle *b, const struct descriptor *first, struct pulled *ret, struct err *e)
{
	struct bundle_source src = {
		.source = { .name = b->name, .store = b->store, .document = source_document, .blobs = source_blobs },
		.bundle = b,
	};
	AUTO(str_fini) struct str bytes = { 0 };
	AUTO(free_drop) char *type = NULL;
	if (source_document(&src.source, first, &bytes, NULL, e) < 0 ||
	    document_type(str_text(&bytes), bytes.len, NULL, first->media_type, b->name, &type, e) < 0)
		return -1;
	return image_take(&src.source, &bytes, type, &first->digest, NULL, true, ret, e);
}
