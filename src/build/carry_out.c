/* Where an export goes: a directory, object by object, or one tar. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar_read.h"
#include "archive/tar_write.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/tree.h"
#include "carry_priv.h"
#include "out_file_priv.h"

enum { BUFFER = 256 << 10 };

struct carry_out {
	char *path;            /* owned */
	struct digest_set kept[OBJECT_KINDS];
	int dir_fd;            /* a directory, locked; owned */
	struct out_file file;
	struct sink *tar;      /* to the file; NULL: a directory. owned */
};

static const char fresh[] = "nacre-cache.new"; /* of a directory: the object that is being written */

void carry_out_free(struct carry_out *o)
{
	if (!o)
		return;
	sink_free(o->tar);
	out_file_fini(&o->file);
	if (o->dir_fd >= 0)
		unlinkat(o->dir_fd, fresh, 0);
	lock_drop(&o->dir_fd);
	for (size_t i = 0; i < OBJECT_KINDS; i++)
		digest_set_fini(&o->kept[i]);
	free(o->path);
	free(o);
}

bool cache_path_is_file(const char *path)
{
	static const char *const endings[] = { ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst" };
	struct stat st;
	if (stat(path, &st) == 0)
		return !S_ISDIR(st.st_mode);
	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (str_ends(path, endings[i]))
			return true;
	return false;
}

static enum compression compression_of(const char *path)
{
	if (str_ends(path, ".tar"))
		return COMPRESSION_NONE;
	return str_ends(path, ".gz") || str_ends(path, ".tgz") ? COMPRESSION_GZIP : COMPRESSION_ZSTD;
}

/* ---- a file ---- */

static int add_member(struct sink *tar, const char *name, struct source *in, uint64_t size, struct err *e)
{
	AUTO(free_drop) char *buf = x_alloc(BUFFER);
	struct tar_entry entry = { .type = TAR_FILE, .path = (char *)(uintptr_t)name, .mode = 0644, .size = size };
	if (tar_write_entry(tar, &entry, e) < 0)
		return -1;
	for (uint64_t left = size; left;) {
		size_t n = left < BUFFER ? (size_t)left : BUFFER;
		if (source_read_exactly(in, buf, n, name, e) < 0 || sink_write(tar, buf, n, e) < 0)
			return -1;
		left -= n;
	}
	return tar_write_pad(tar, size, e);
}

/* What is there is replaced only when it is an export, or empty: a word meant for an image may be the name of a file. */
static int check_file(const char *path, struct err *e)
{
	const struct tar_entry *entry;
	struct err broken;
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !st.st_size)
		return 0; /* what else is wrong with it shows when it is opened */
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	AUTO(source_drop) struct source *in = source_decompress(source_fd(fd, path), path);
	AUTO(tar_reader_drop) struct tar_reader *tar = tar_reader_new(in, path);
	if (tar_reader_next(tar, &entry, &broken) == 1 && str_eq(entry->path, carry_marker))
		return 0;
	err_set(e, ERR_SPEC, "%s is there and no exported cache", path);
	return err_hint(e, "remove it or give another name");
}

static int open_file(struct carry_out *o, struct err *e)
{
	if (check_file(o->path, e) < 0 || out_file_open(&o->file, o->path, e) < 0)
		return -1;
	o->tar = sink_compress(compression_of(o->path), 0, 1, sink_fd(o->file.fd, o->path));
	AUTO(source_drop) struct source *marker = source_mem(carry_marker_text, strlen(carry_marker_text));
	return add_member(o->tar, carry_marker, marker, strlen(carry_marker_text), e);
}

static int finish_file(struct carry_out *o, struct err *e)
{
	if (tar_write_end(o->tar, e) < 0 || sink_finish(o->tar, e) < 0)
		return -1;
	return out_file_publish(&o->file, o->path, e);
}

/* ---- a directory ---- */

/* It must be ours, or nobody's. */
static int check_dir(struct carry_out *o, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(strv_fini) struct strv names = { 0 };
	struct err absent;
	if (file_read(o->dir_fd, carry_marker, 64, &text, &absent) == 0) {
		if (str_eq(str_text(&text), carry_marker_text))
			return 0;
		return err_set(e, ERR_SPEC, "%s was made by another version of nacre; give an empty directory", o->path);
	}
	if (dir_names(o->dir_fd, &names, e) < 0)
		return err_in(e, "%s", o->path);
	if (names.n)
		return err_set(e, ERR_SPEC, "%s is no exported cache: it holds \"%s\"; give an empty directory or a new one",
			       o->path, names.v[0]);
	return file_put(o->dir_fd, carry_marker, carry_marker_text, strlen(carry_marker_text), false, e);
}

static int make_dirs(struct carry_out *o, struct err *e)
{
	const char *dir;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		if (carry_kind(k, &dir) && root_mkdirs(o->dir_fd, dir, 0777) < 0)
			return err_sys(e, "create %s/%s", o->path, dir);
	return 0;
}

static int open_dir(struct carry_out *o, struct err *e)
{
	if (mkdir(o->path, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "create %s", o->path);
	o->dir_fd = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dir_fd < 0)
		return err_sys(e, "open %s", o->path);
	if (lock_fd(o->dir_fd, true, true, o->path, e) < 0 || check_dir(o, e) < 0)
		return -1;
	return make_dirs(o, e);
}

static bool same_bytes(int dir_fd, const char *a, const char *b)
{
	AUTO(free_drop) char *buf = x_alloc(2 * BUFFER);
	AUTO(fd_drop) int x = -1;
	AUTO(fd_drop) int y = -1;
	struct err ignored;
	ssize_t n;
	if (fd_open_regular(dir_fd, a, &x, &ignored) < 0 || fd_open_regular(dir_fd, b, &y, &ignored) < 0)
		return false;
	/* Reads of plain files are short only at their end. */
	while ((n = fd_read(x, buf, BUFFER)) > 0)
		if (fd_read(y, buf + BUFFER, BUFFER) != n || memcmp(buf, buf + BUFFER, (size_t)n) != 0)
			return false;
	return n == 0 && fd_read(y, buf, 1) == 0;
}

static int write_fresh(struct carry_out *o, struct source *in, uint64_t size, const char *name, struct err *e)
{
	AUTO(free_drop) char *buf = x_alloc(BUFFER);
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	AUTO(fd_drop) int fd = openat(o->dir_fd, fresh, flags, 0666);
	if (fd < 0)
		return err_sys(e, "create %s/%s", o->path, fresh);
	for (uint64_t left = size; left;) {
		size_t n = left < BUFFER ? (size_t)left : BUFFER;
		if (source_read_exactly(in, buf, n, name, e) < 0 || fd_write_all(fd, buf, n, name, e) < 0)
			return -1;
		left -= n;
	}
	return 0;
}

static int put_in_dir(struct carry_out *o, const char *name, struct source *in, uint64_t size, struct err *e)
{
	if (write_fresh(o, in, size, name, e) < 0)
		return -1;
	if (same_bytes(o->dir_fd, fresh, name))
		return 1;
	return renameat(o->dir_fd, fresh, o->dir_fd, name) < 0 ? err_sys(e, "write %s/%s", o->path, name) : 0;
}

/* What is no longer part of it goes; what is not ours stays. */
static int sweep(struct carry_out *o, const char *dir, size_t *removed, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	AUTO(fd_drop) int fd = openat(o->dir_fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s/%s", o->path, dir);
	if (dir_names(fd, &names, e) < 0)
		return err_in(e, "%s/%s", o->path, dir);
	for (size_t i = 0; i < names.n; i++) {
		AUTO(free_drop) char *name = x_asprintf("%s/%s", dir, names.v[i]);
		enum object_kind kind;
		struct digest id;
		if (!carry_name_parse(name, &kind, &id) || digest_set_has(&o->kept[kind], &id))
			continue;
		if (unlinkat(fd, names.v[i], 0) < 0)
			return err_sys(e, "remove %s/%s", o->path, name);
		++*removed;
	}
	return 0;
}

/* ---- both ---- */

int carry_out_open(const char *path, struct carry_out **ret, struct err *e)
{
	struct carry_out *o = x_alloc(sizeof *o);
	o->path = x_strdup(path);
	o->dir_fd = -1;
	o->file = OUT_FILE_NONE;
	if ((cache_path_is_file(path) ? open_file(o, e) : open_dir(o, e)) < 0) {
		carry_out_free(o);
		return -1;
	}
	*ret = o;
	return 0;
}

bool carry_out_keep(struct carry_out *o, enum object_kind kind, const struct digest *id, const uint64_t *size)
{
	AUTO(free_drop) char *name = carry_name(kind, id);
	struct stat st;
	if (o->tar || fstatat(o->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    (size && (uint64_t)st.st_size != *size))
		return false;
	vec_push(&o->kept[kind], *id);
	return true;
}

int carry_out_put(struct carry_out *o, enum object_kind kind, const struct digest *id, struct source *in, uint64_t size,
		  struct err *e)
{
	AUTO(free_drop) char *name = carry_name(kind, id);
	vec_push(&o->kept[kind], *id);
	return o->tar ? add_member(o->tar, name, in, size, e) : put_in_dir(o, name, in, size, e);
}

int carry_out_finish(struct carry_out *o, size_t *ret_removed, struct err *e)
{
	const char *dir;
	if (o->tar)
		return finish_file(o, e);
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		digest_set_sort(&o->kept[k]);
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		if (carry_kind(k, &dir) && sweep(o, dir, ret_removed, e) < 0)
			return -1;
	return 0;
}
