/* Layers in tests: a store, a layer from lines of members (trees.h), a layer unpacked. */
#ifndef NACRE_TESTS_LAYERS_H
#define NACRE_TESTS_LAYERS_H

#include "trees.h"

#include "archive/tar_write.h"
#include "oci/layer_apply.h"
#include "oci/layer_writer.h"
#include "oci/listing.h"
#include "store/blob.h"
#include "store/record.h"
#include "store/store.h"

struct bench {
	struct scratch dir;
	struct store store;
};

static inline void bench_open(struct bench *b)
{
	struct err e = { 0 };
	scratch_open(&b->dir);
	char *path = x_asprintf("%s/store", b->dir.path);
	if (store_open(path, &b->store, &e) < 0)
		fail_msg("%s", e.msg);
	free(path);
}

static inline void bench_close(struct bench *b)
{
	store_fini(&b->store);
	scratch_close(&b->dir);
}

static inline int member_to_layer(struct layer_writer *w, char kind, const struct tar_entry *m, const char *content, struct err *e)
{
	if (kind == 'w')
		return layer_writer_whiteout(w, m->path, e);
	if (kind == 'O')
		return layer_writer_opaque(w, m->path, e);
	if (layer_writer_add(w, m, e) < 0)
		return -1;
	return kind == 'f' ? layer_writer_data(w, content, m->size, e) : 0;
}

static inline void layer_from(struct bench *b, enum compression how, const char *lines, struct layer *ret)
{
	struct layer_writer *w;
	struct err e = { 0 };
	assert_int_equal(layer_writer_open(&b->store, &(struct layer_format){ .how = how }, NULL, &w, &e), 0);
	for (const char *p = lines; *p;) {
		size_t len = strcspn(p, "\n");
		struct tar_entry m;
		char kind, *content;
		member_parse(p, len, &m, &kind, &content);
		if (member_to_layer(w, kind, &m, content, &e) < 0)
			fail_msg("%.*s: %s", (int)len, p, e.msg);
		tar_entry_fini(&m);
		free(content);
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	if (layer_writer_finish(w, ret, &e) < 0)
		fail_msg("%s", e.msg);
	layer_writer_free(w);
}

/* The stored listing of a layer; the caller owns it. */
static inline char *listing_text(struct bench *b, const struct diffid *d)
{
	struct str out = { 0 };
	struct err e = { 0 };
	char *name = x_asprintf("list/%s", digest_hex(&d->d).s);
	assert_int_equal(store_file_get(&b->store, name, 64 << 20, &out, &e), 0);
	free(name);
	return str_take(&out);
}

#endif
