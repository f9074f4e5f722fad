/*
 * Contents of files of images: from a layer's tree where there is one, else read out of the layer itself. The latter
 * goes through each layer once and keeps what is wanted in an unnamed temporary file, so that an image need not be
 * unpacked, and no namespace is needed, to copy from it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/stream.h"
#include "archive/tar_read.h"
#include "base/fd.h"
#include "base/path.h"
#include "oci/layer_tar.h"
#include "copy_priv.h"
#include "store/blob.h"

struct spool_entry {
	unsigned layer;
	const char *path;   /* in the layer; borrowed from the view */
	off_t offset;       /* in the spool; -1: not seen yet */
};

struct spool_map {
	VEC(struct spool_entry) entries; /* sorted by layer, then path */
};

static int by_place(const void *a, const void *b)
{
	const struct spool_entry *x = a, *y = b;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return strcmp(x->path, y->path);
}

static struct spool_entry *find(const struct spool_map *m, unsigned layer, const char *path)
{
	struct spool_entry key = { .layer = layer, .path = path };
	return m && m->entries.n ? bsearch(&key, m->entries.v, m->entries.n, sizeof key, by_place) : NULL;
}

static bool has_tree(const struct build *b, const struct layer_slot *s)
{
	return b->userns_open && s->tree_fd >= 0 && s->tree_ready;
}

int spool_file(struct build *b, struct err *e)
{
	int fd = openat(b->store->fd, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* File systems without O_TMPFILE (overlayfs before 6.3, NFS): make one and take its name away. */
	char id[17], name[32];
	random_hex(id, 8);
	snprintf(name, sizeof name, "tmp/spool-%s", id);
	fd = openat(b->store->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "create a temporary file in %s/tmp", b->store->path);
	unlinkat(b->store->fd, name, 0);
	return fd;
}

static int keep(struct tar_reader *r, int spool, off_t *ret, struct err *e)
{
	char buf[65536];
	ssize_t n;
	*ret = lseek(spool, 0, SEEK_END);
	while ((n = tar_reader_read(r, buf, sizeof buf, e)) > 0)
		if (fd_write_all(spool, buf, (size_t)n, "temporary file", e) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

/* One pass over one layer. */
static int read_layer(struct build *b, struct copy_from *from, unsigned layer, struct err *e)
{
	const struct layer *l = &from->slots[layer]->layer;
	struct digest_text name = digest_text(&l->blob.digest);
	AUTO(fd_drop) int fd = -1;
	AUTO(source_drop) struct source *in = NULL;
	if (layer_tar_open(b->store, &l->blob, &fd, &in, e) < 0)
		return -1;
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, name.s);
	const struct tar_entry *t;
	int more;
	while ((more = tar_reader_next(r, &t, e)) == 1) {
		struct spool_entry *s = t->type == TAR_FILE ? find(from->spool, layer, t->path) : NULL;
		if (s && keep(r, from->spool_fd, &s->offset, e) < 0)
			return -1;
	}
	return more;
}

int content_fetch(struct build *b, struct copy_from *from, struct fsnode *const *nodes, size_t n, struct err *e)
{
	content_drop(from);
	from->spool = x_alloc(sizeof *from->spool);
	for (size_t i = 0; i < n; i++) {
		if (has_tree(b, from->slots[nodes[i]->layer]))
			continue;
		struct spool_entry *s = vec_add(&from->spool->entries);
		*s = (struct spool_entry){ .layer = nodes[i]->layer, .path = nodes[i]->layer_path, .offset = -1 };
	}
	struct spool_entry *v = from->spool->entries.v;
	size_t m = from->spool->entries.n;
	if (!m)
		return 0;
	qsort(v, m, sizeof *v, by_place);
	from->spool_fd = spool_file(b, e);
	if (from->spool_fd < 0)
		return -1;
	for (size_t i = 0; i < m; i++)
		if ((i == 0 || v[i - 1].layer != v[i].layer) && read_layer(b, from, v[i].layer, e) < 0)
			return -1;
	return 0;
}

int content_open(struct build *b, struct copy_from *from, const struct fsnode *node, int *ret_fd, struct err *e)
{
	const struct layer_slot *s = from->slots[node->layer];
	if (has_tree(b, s)) {
		int fd = root_open(s->tree_fd, node->layer_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
		if (fd < 0)
			return err_sys(e, "open %s of an image", node->layer_path);
		*ret_fd = fd;
		return 0;
	}
	const struct spool_entry *entry = find(from->spool, node->layer, node->layer_path);
	if (!entry || entry->offset < 0)
		return err_set(e, ERR_SPEC, "layer %s does not hold %s", digest_text(&s->layer.blob.digest).s,
			       node->layer_path);
	AUTO(fd_drop) int fd = fd_dup(from->spool_fd);
	if (fd < 0 || lseek(fd, entry->offset, SEEK_SET) < 0)
		return err_sys(e, "read %s from the temporary file", node->layer_path);
	*ret_fd = fd_take(&fd);
	return 0;
}

int source_open(struct build *b, struct copy_from *from, const struct fsnode *n, int *ret_fd, struct err *e)
{
	if (from->context)
		return context_open_file(from->context, n, ret_fd, e);
	if (from->remote)
		return blob_open(b->store, &n->digest, ret_fd, e);
	return content_open(b, from, n, ret_fd, e);
}

void content_drop(struct copy_from *from)
{
	if (!from->spool)
		return;
	if (from->spool->entries.n)
		fd_drop(&from->spool_fd);
	vec_fini(&from->spool->entries);
	free(from->spool);
	from->spool = NULL;
	from->spool_fd = -1;
}

int content_text(struct build *b, struct copy_from *from, const char *path, size_t limit, struct str *out,
		 struct err *e)
{
	struct fsnode *n;
	if (fsview_lookup(from->view, path, true, &n, NULL, e) < 0)
		return -1;
	if (!n || n->type != TAR_FILE)
		return 1;
	if (n->size > limit)
		return err_set(e, ERR_LIMIT, "%s of the image is larger than %zu bytes", path, limit);
	AUTO(fd_drop) int fd = -1;
	if (content_fetch(b, from, &n, 1, e) < 0 || content_open(b, from, n, &fd, e) < 0)
		return -1;
	str_reserve(out, n->size);
	while (out->len < n->size) {
		ssize_t got = fd_read(fd, out->buf + out->len, n->size - out->len);
		if (got < 0)
			return err_sys(e, "read %s of the image", path);
		if (got == 0)
			return err_set(e, ERR_SPEC, "%s of the image is shorter than its layer says", path);
		out->len += (size_t)got;
	}
	out->buf[out->len] = '\0';
	content_drop(from);
	return 0;
}
