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
	X(error_string) X(read_data) X(read_free) X(read_new) X(read_next_header) X(read_open_fd)                      \
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
	struct archive *a; /* owned */
	char *name;        /* owned */
};

static ssize_t foreign_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct foreign_source *f = (struct foreign_source *)s;
	la_ssize_t got = archive.read_data(f->a, buf, n);
	if (got < 0)
		return err_set(e, ERR_SPEC, "%s: %s", f->name, archive.error_string(f->a));
	return got;
}

static void foreign_free(struct source *s)
{
	struct foreign_source *f = (struct foreign_source *)s;
	archive.read_free(f->a);
	free(f->name);
	free(f);
}

enum { BLOCK = 64 * 1024 };

/* libarchive's "raw" format gives what a filter decompressed as the one entry "data". */
static int open_foreign(int fd, const char *name, struct source **ret, struct err *e)
{
	struct archive_entry *entry;
	if (archive_load(e) < 0)
		return err_in(e, "%s", name);
	struct archive *a = archive.read_new();
	if (!a)
		abort();
	archive.read_support_filter_bzip2(a);
	archive.read_support_filter_xz(a);
	archive.read_support_format_raw(a);
	if (archive.read_open_fd(a, fd, BLOCK) != ARCHIVE_OK || archive.read_next_header(a, &entry) != ARCHIVE_OK) {
		err_set(e, ERR_SPEC, "%s: %s", name, archive.error_string(a));
		archive.read_free(a);
		return -1;
	}
	struct foreign_source *f = x_alloc(sizeof *f);
	*f = (struct foreign_source){ .base = { .read = foreign_read, .free = foreign_free },
				      .a = a,
				      .name = x_strdup(name) };
	*ret = &f->base;
	return 0;
}

int source_file_decompress(int fd, const char *name, struct source **ret, struct err *e)
{
	char magic[6];
	ssize_t n = pread(fd, magic, sizeof magic, 0);
	if (n < 0)
		return err_sys(e, "read %s", name);
	bool bzip2 = n >= 4 && memcmp(magic, "BZh", 3) == 0 && magic[3] >= '1' && magic[3] <= '9';
	bool xz = n == 6 && memcmp(magic, "\xfd" "7zXZ\0", 6) == 0;
	if (bzip2 || xz)
		return open_foreign(fd, name, ret, e);
	*ret = source_decompress(source_fd(fd, name), name);
	return 0;
}
