#include "archive/foreign.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/library.h"
#include "base/mem.h"

#define ARCHIVE_FUNCTIONS(X)                                                                                           \
	X(error_string) X(read_data) X(read_free) X(read_new) X(read_next_header) X(read_open)                         \
	X(read_support_filter_bzip2) X(read_support_filter_xz) X(read_support_format_raw)

static struct {
#define X(name) __typeof__(&archive_##name) name;
	ARCHIVE_FUNCTIONS(X)
#undef X
} archive;

static int archive_load(struct err *e)
{
	static const char *const names[] = { "libarchive.so.13", NULL };
	static const struct library_function functions[] = {
#define X(name) { "archive_" #name, &archive.name },
		ARCHIVE_FUNCTIONS(X)
#undef X
	};
	return archive.read_new ? 0 : library_load(names, functions, ARRAY_LEN(functions), e);
}

struct foreign_source {
	struct source base;
	struct archive *a;    /* owned */
	char *name;           /* owned */
	struct source *below; /* owned */
	char *block;          /* owned; what libarchive looks at until it asks for more */
	struct err failed;    /* of the source below; kind ERR_NONE until then */
};

enum { BLOCK = 64 * 1024 };

static la_ssize_t give_block(struct archive *a, void *ctx, const void **ret)
{
	struct foreign_source *f = ctx;
	ssize_t n = source_read(f->below, f->block, BLOCK, &f->failed);
	(void)a;
	*ret = f->block;
	return n < 0 ? ARCHIVE_FATAL : n;
}

static int foreign_failed(const struct foreign_source *f, struct err *e)
{
	if (f->failed.kind == ERR_NONE)
		return err_set(e, ERR_SPEC, "%s: %s", f->name, archive.error_string(f->a));
	*e = f->failed;
	return -1;
}

static ssize_t foreign_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct foreign_source *f = (struct foreign_source *)s;
	la_ssize_t got = archive.read_data(f->a, buf, n);
	return got < 0 ? foreign_failed(f, e) : got;
}

static void foreign_free(struct source *s)
{
	struct foreign_source *f = (struct foreign_source *)s;
	archive.read_free(f->a);
	source_free(f->below);
	free(f->block);
	free(f->name);
	free(f);
}

/* libarchive's "raw" format gives what a filter decompressed as the one entry "data". */
static int open_foreign(struct source *below, const char *name, struct source **ret, struct err *e)
{
	struct archive_entry *entry;
	AUTO(source_drop) struct source *owned = below;
	if (archive_load(e) < 0)
		return err_in(e, "%s", name);
	struct foreign_source *f = x_alloc(sizeof *f);
	*f = (struct foreign_source){ .base = { .read = foreign_read, .free = foreign_free },
				      .a = archive.read_new(),
				      .name = x_strdup(name),
				      .below = ptr_take(&owned),
				      .block = x_alloc(BLOCK) };
	if (!f->a)
		abort();
	archive.read_support_filter_bzip2(f->a);
	archive.read_support_filter_xz(f->a);
	archive.read_support_format_raw(f->a);
	if (archive.read_open(f->a, f, NULL, give_block, NULL) != ARCHIVE_OK ||
	    archive.read_next_header(f->a, &entry) != ARCHIVE_OK) {
		foreign_failed(f, e);
		foreign_free(&f->base);
		return -1;
	}
	*ret = &f->base;
	return 0;
}

/* ---- the kind of data, by its first bytes ---- */

enum { MAGIC = 6 };

/* Gives the bytes that were looked at once more, then the rest. */
struct peeked_source {
	struct source base;
	struct source *below; /* owned */
	char head[MAGIC];
	size_t pos, len;
};

static ssize_t peeked_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct peeked_source *p = (struct peeked_source *)s;
	if (p->pos == p->len)
		return source_read(p->below, buf, n, e);
	size_t part = n < p->len - p->pos ? n : p->len - p->pos;
	memcpy(buf, p->head + p->pos, part);
	p->pos += part;
	return (ssize_t)part;
}

static void peeked_free(struct source *s)
{
	struct peeked_source *p = (struct peeked_source *)s;
	source_free(p->below);
	free(p);
}

static struct peeked_source *peek(struct source *below, struct err *e)
{
	struct peeked_source *p = x_alloc(sizeof *p);
	ssize_t n = 1;
	*p = (struct peeked_source){ .base = { .read = peeked_read, .free = peeked_free }, .below = below };
	while (p->len < MAGIC && (n = source_read(below, p->head + p->len, MAGIC - p->len, e)) > 0)
		p->len += (size_t)n;
	if (n >= 0)
		return p;
	peeked_free(&p->base);
	return NULL;
}

int source_decompress_any(struct source *below, const char *name, struct source **ret, struct err *e)
{
	struct peeked_source *p = peek(below, e);
	if (!p)
		return -1;
	bool bzip2 = p->len >= 4 && memcmp(p->head, "BZh", 3) == 0 && p->head[3] >= '1' && p->head[3] <= '9';
	bool xz = p->len == MAGIC && memcmp(p->head, "\xfd" "7zXZ\0", MAGIC) == 0;
	if (bzip2 || xz)
		return open_foreign(&p->base, name, ret, e);
	*ret = source_decompress(&p->base, name);
	return 0;
}

int source_file_decompress(int fd, const char *name, struct source **ret, struct err *e)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read %s", name);
	return source_decompress_any(source_fd(fd, name), name, ret, e);
}
