/* Where an import comes from. Nothing of an archive is unpacked: its members are streams with a name. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar_read.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/tree.h"
#include "carry_priv.h"

/* The present member as a source; its error is one of the archive. */
struct member {
	struct source source;
	struct tar_reader *tar; /* borrowed */
	struct err *broken;     /* borrowed */
};

static ssize_t member_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct member *m = (struct member *)s;
	ssize_t got = tar_reader_read(m->tar, buf, n, e);
	if (got < 0)
		*m->broken = *e;
	return got;
}

static void free_alone(struct source *s)
{
	free(s);
}

static struct source *member_source(struct tar_reader *tar, struct err *broken)
{
	struct member *m = x_alloc(sizeof *m);
	*m = (struct member){ .source = { .read = member_read, .free = free_alone }, .tar = tar, .broken = broken };
	return &m->source;
}

/* What is stacked on a source owns it; an object's is the reader's. */
struct borrowed {
	struct source source;
	struct source *in; /* borrowed */
};

static ssize_t borrowed_read(struct source *s, void *buf, size_t n, struct err *e)
{
	return source_read(((struct borrowed *)s)->in, buf, n, e);
}

struct source *carry_borrow(struct source *in)
{
	struct borrowed *b = x_alloc(sizeof *b);
	*b = (struct borrowed){ .source = { .read = borrowed_read, .free = free_alone }, .in = in };
	return &b->source;
}

static int read_archive(int fd, const char *path, carry_each_fn *each, void *ctx, struct err *broken, struct err *e)
{
	AUTO(source_drop) struct source *in = source_decompress(source_fd(fd, path), path);
	AUTO(tar_reader_drop) struct tar_reader *tar = tar_reader_new(in, path);
	const struct tar_entry *entry;
	int r;
	while ((r = tar_reader_next(tar, &entry, broken)) > 0) {
		if (entry->type == TAR_DIR)
			continue;
		AUTO(source_drop) struct source *member = member_source(tar, broken);
		if (each(ctx, entry->path, entry->size, entry->type == TAR_FILE ? member : NULL, e) < 0)
			return -1;
		if (broken->kind != ERR_NONE)
			return 0;
	}
	if (r == 0)
		(void)source_drain(in, broken); /* to the checksum of the compression */
	return 0;
}

static int read_one(int dir_fd, const char *name, carry_each_fn *each, void *ctx, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	struct stat st;
	struct err why;
	if (fd_open_regular(dir_fd, name, &fd, &why) < 0 || fstat(fd, &st) < 0)
		return each(ctx, name, 0, NULL, e);
	AUTO(source_drop) struct source *in = source_fd(fd, name);
	return each(ctx, name, (uint64_t)st.st_size, in, e);
}

static int read_dir(int dir_fd, const char *path, carry_each_fn *each, void *ctx, struct err *e)
{
	const char *dir;
	bool marked = faccessat(dir_fd, carry_marker, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (!marked && errno != ENOENT)
		return err_sys(e, "look at %s/%s", path, carry_marker);
	if (marked && read_one(dir_fd, carry_marker, each, ctx, e) < 0)
		return -1;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		AUTO(strv_fini) struct strv names = { 0 };
		if (!carry_kind(k, &dir))
			continue;
		AUTO(fd_drop) int fd = openat(dir_fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue; /* a cache of CI may not keep what is empty */
		if (fd < 0)
			return err_sys(e, "open %s/%s", path, dir);
		if (dir_names(fd, &names, e) < 0)
			return err_in(e, "%s/%s", path, dir);
		for (size_t i = 0; i < names.n; i++) {
			AUTO(free_drop) char *name = x_asprintf("%s/%s", dir, names.v[i]);
			if (read_one(dir_fd, name, each, ctx, e) < 0)
				return -1;
		}
	}
	return 0;
}

int carry_in_read(const char *path, carry_each_fn *each, void *ctx, struct err *ret_broken, struct err *e)
{
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	*ret_broken = (struct err){ 0 };
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "open %s", path);
		if (e->sysno == ENOENT)
			e->kind = ERR_NOTFOUND;
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return read_dir(fd, path, each, ctx, e);
	return read_archive(fd, path, each, ctx, ret_broken, e);
}
