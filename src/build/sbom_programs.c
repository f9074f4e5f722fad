/* Programs of an image that say what they were made of. One pass over each layer that has any; none is run. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/stream.h"
#include "archive/tar_read.h"
#include "base/fd.h"
#include "oci/layer_tar.h"
#include "copy_priv.h"
#include "sbom_priv.h"
#include "store/blob.h"

struct programs {
	struct build *b;
	struct layer_slot *const *slots;
	struct fsnode **nodes;      /* sorted by layer, then path in it */
	size_t n;
	int spool_fd;               /* holds one at a time */
	struct sbom_packages *ret;
};

static int compare(unsigned x_layer, const char *x_path, const struct fsnode *y)
{
	if (x_layer != y->layer)
		return x_layer < y->layer ? -1 : 1;
	return strcmp(x_path, y->layer_path);
}

static int by_place(const void *a, const void *b)
{
	const struct fsnode *x = *(struct fsnode *const *)a;
	return compare(x->layer, x->layer_path, *(struct fsnode *const *)b);
}

static struct fsnode *find(const struct programs *p, unsigned layer, const char *path)
{
	size_t low = 0, high = p->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = compare(layer, path, p->nodes[middle]);
		if (c == 0)
			return p->nodes[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* As many as there are, up to n. */
static ssize_t read_full(struct tar_reader *r, char *buf, size_t n, struct err *e)
{
	size_t got = 0;
	while (got < n) {
		ssize_t more = tar_reader_read(r, buf + got, n - got, e);
		if (more < 0)
			return -1;
		if (more == 0)
			break;
		got += (size_t)more;
	}
	return (ssize_t)got;
}

/* Into the spool; *ret 0 when it is no ELF file. Where the list is, only the whole file tells. */
static int keep(const struct programs *p, struct tar_reader *r, size_t *ret, struct err *e)
{
	char buf[65536];
	size_t size = 0;
	ssize_t n;
	if (ftruncate(p->spool_fd, 0) < 0 || lseek(p->spool_fd, 0, SEEK_SET) < 0)
		return err_sys(e, "empty a temporary file");
	while ((n = read_full(r, buf, sizeof buf, e)) > 0) {
		if (size == 0 && (n < 4 || memcmp(buf, "\177ELF", 4) != 0))
			break;
		if (fd_write_all(p->spool_fd, buf, (size_t)n, "temporary file", e) < 0)
			return -1;
		size += (size_t)n;
	}
	*ret = size;
	return n < 0 ? -1 : 0;
}

static int read_program(const struct programs *p, struct tar_reader *r, const struct fsnode *node, struct err *e)
{
	size_t size;
	if (keep(p, r, &size, e) < 0)
		return -1;
	if (!size)
		return 0;
	void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, p->spool_fd, 0);
	if (bytes == MAP_FAILED)
		return err_sys(e, "map a temporary file");
	AUTO(free_drop) char *text = sbom_go_text(bytes, size);
	AUTO(free_drop) char *path = fsnode_path(node);
	munmap(bytes, size);
	return text ? sbom_parse(SBOM_GO, path, text, strlen(text), p->ret, e) : 0;
}

static int read_layer(const struct programs *p, unsigned layer, struct err *e)
{
	const struct layer *l = &p->slots[layer]->layer;
	struct digest_text name = digest_text(&l->blob.digest);
	AUTO(fd_drop) int fd = -1;
	AUTO(source_drop) struct source *in = NULL;
	if (layer_tar_open(p->b->store, &l->blob, &fd, &in, e) < 0)
		return -1;
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, name.s);
	const struct tar_entry *t;
	int more;
	while ((more = tar_reader_next(r, &t, e)) == 1) {
		const struct fsnode *node = t->type == TAR_FILE ? find(p, layer, t->path) : NULL;
		if (node && read_program(p, r, node, e) < 0)
			return -1;
	}
	return more;
}

int sbom_read_programs(struct build *b, struct layer_slot *const *slots, struct fsnode **nodes, size_t n,
		       struct sbom_packages *ret, struct err *e)
{
	AUTO(fd_drop) int spool = n ? spool_file(b, e) : -1;
	const struct programs p = { b, slots, nodes, n, spool, ret };
	if (!n)
		return 0;
	if (spool < 0)
		return -1;
	qsort(nodes, n, sizeof(struct fsnode *), by_place);
	for (size_t i = 0; i < n; i++)
		if ((i == 0 || nodes[i - 1]->layer != nodes[i]->layer) && read_layer(&p, nodes[i]->layer, e) < 0)
			return -1;
	return 0;
}
