#include "oci/layer_diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tree.h"
#include "layer_xattr_priv.h"
#include "overlay_marks_priv.h"
#include "oci/inode_map.h"

/* A directory on the way down. Only the deepest is open, so that a tree of any depth needs one descriptor. */
struct level {
	struct strv names;   /* sorted; owned */
	size_t next;         /* in names */
	size_t path_len;     /* of the directory in diff.path */
	uint64_t dev, ino;
	bool xwhiteouts;
};

struct diff {
	struct layer_writer *out;
	const struct time_clamp *clamp;
	VEC(struct level) levels;
	int fd;                  /* of the deepest level; O_PATH after coming back to it. owned */
	struct str path;         /* of the present entry */
	struct inode_map seen;   /* files with several names -> index in first_names */
	struct strv first_names;
	struct tar_entry entry;  /* path is borrowed from `path`, the rest owned */
};

static void diff_fini(struct diff *d)
{
	for (size_t i = 0; i < d->levels.n; i++)
		strv_fini(&d->levels.v[i].names);
	vec_fini(&d->levels);
	fd_drop(&d->fd);
	str_fini(&d->path);
	inode_map_fini(&d->seen);
	strv_fini(&d->first_names);
	d->entry.path = NULL;
	tar_entry_fini(&d->entry);
}

static void set_entry(struct diff *d, const struct stat *st, enum tar_type type)
{
	d->entry.path = NULL;
	tar_entry_fini(&d->entry);
	int64_t mtime = st->st_mtim.tv_sec; /* the kernel's nanoseconds count up from it, before 1970 too */
	const struct time_clamp *c = d->clamp;
	if (c && (c->after || c->to) && mtime > c->after)
		mtime = c->to;
	d->entry = (struct tar_entry){
		.type = type, .path = d->path.buf, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid,
		.mtime = mtime,
	};
}

/* Opens dir_fd/name as the very thing that st describes. */
static int open_entry(struct diff *d, const char *name, int flags, const struct stat *st, int *ret_fd, struct err *e)
{
	struct stat now;
	AUTO(fd_drop) int fd = openat(d->fd, name, flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0)
		return err_sys(e, "open %s", d->path.buf);
	if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return err_set(e, ERR_BUILD, "%s changed while the layer was written", d->path.buf);
	*ret_fd = fd_take(&fd);
	return 0;
}

static int push_level(struct diff *d, int *fd /* taken */, const struct stat *st, enum opaque opaque, struct err *e)
{
	struct level l = { .path_len = d->path.len, .dev = st->st_dev, .ino = st->st_ino };
	l.xwhiteouts = opaque == OPAQUE_XWHITEOUTS;
	if (dir_names(*fd, &l.names, e) < 0) {
		strv_fini(&l.names);
		return err_in(e, "/%s of the layer", str_text(&d->path));
	}
	vec_push(&d->levels, l);
	fd_drop(&d->fd);
	d->fd = fd_take(fd);
	return 0;
}

/* Back to the directory above, which is checked to be the one we came from. */
static int pop_level(struct diff *d, struct err *e)
{
	struct stat st;
	strv_fini(&d->levels.v[--d->levels.n].names);
	if (!d->levels.n)
		return 0;
	const struct level *above = &d->levels.v[d->levels.n - 1];
	int fd = openat(d->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd_drop(&d->fd);
	d->fd = fd;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "go back from %s", d->path.buf);
	if (st.st_ino != above->ino || st.st_dev != above->dev)
		return err_set(e, ERR_BUILD, "%s was moved while the layer was written", d->path.buf);
	return 0;
}

static int diff_dir(struct diff *d, const char *name, const struct stat *st, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (open_entry(d, name, O_DIRECTORY, st, &fd, e) < 0)
		return -1;
	set_entry(d, st, TAR_DIR);
	if (layer_xattrs_get(fd, d->path.buf, &d->entry.xattrs, e) < 0 || layer_writer_add(d->out, &d->entry, e) < 0)
		return -1;
	enum opaque opaque = mark_opaque_get(fd);
	if (opaque == OPAQUE_YES && layer_writer_opaque(d->out, d->path.buf, e) < 0)
		return -1;
	return push_level(d, &fd, st, opaque, e);
}

/* 1 when the file has another name that the layer already holds. */
static int diff_second_name(struct diff *d, const struct stat *st, struct err *e)
{
	size_t i;
	if (st->st_nlink < 2)
		return 0;
	if (!inode_map_get(&d->seen, st->st_dev, st->st_ino, &i)) {
		inode_map_put(&d->seen, st->st_dev, st->st_ino, d->first_names.n);
		strv_push(&d->first_names, d->path.buf);
		return 0;
	}
	set_entry(d, st, TAR_HARDLINK);
	d->entry.link = x_strdup(d->first_names.v[i]);
	return layer_writer_add(d->out, &d->entry, e) < 0 ? -1 : 1;
}

static int diff_file(struct diff *d, const char *name, const struct stat *st, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (open_entry(d, name, 0, st, &fd, e) < 0)
		return -1;
	if (st->st_size == 0 && d->levels.v[d->levels.n - 1].xwhiteouts && mark_is_xwhiteout(fd))
		return layer_writer_whiteout(d->out, d->path.buf, e);
	int r = diff_second_name(d, st, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	set_entry(d, st, TAR_FILE);
	d->entry.size = (uint64_t)st->st_size;
	if (layer_xattrs_get(fd, d->path.buf, &d->entry.xattrs, e) < 0 || layer_writer_add(d->out, &d->entry, e) < 0)
		return -1;
	return layer_writer_fd(d->out, fd, d->path.buf, e);
}

/* user.* xattrs exist on files and directories only (xattr(7)), so that nothing else has any that would be kept. */
static int diff_node(struct diff *d, const char *name, const struct stat *st, enum tar_type type, struct err *e)
{
	int r = diff_second_name(d, st, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	set_entry(d, st, type);
	if (type == TAR_SYMLINK) {
		char target[LIMIT_LINK_TARGET + 1];
		ssize_t n = readlinkat(d->fd, name, target, sizeof target);
		if (n < 0)
			return err_sys(e, "read link %s", d->path.buf);
		d->entry.link = x_strndup(target, (size_t)n);
	} else if (type != TAR_FIFO) {
		d->entry.major = major(st->st_rdev);
		d->entry.minor = minor(st->st_rdev);
	}
	return layer_writer_add(d->out, &d->entry, e);
}

static int diff_entry(struct diff *d, const char *name, struct err *e)
{
	struct stat st;
	if (fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat %s", d->path.buf);
	/* Before anything else, hard links too: overlay's whiteouts are links of one inode (T-B3). */
	if (mark_is_whiteout(&st))
		return layer_writer_whiteout(d->out, d->path.buf, e);
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return diff_dir(d, name, &st, e);
	case S_IFREG:
		return diff_file(d, name, &st, e);
	case S_IFLNK:
		return diff_node(d, name, &st, TAR_SYMLINK, e);
	case S_IFIFO:
		return diff_node(d, name, &st, TAR_FIFO, e);
	case S_IFCHR:
		return diff_node(d, name, &st, TAR_CHAR, e);
	case S_IFBLK:
		return diff_node(d, name, &st, TAR_BLOCK, e);
	}
	log_debug("%s: socket left out of the layer", d->path.buf);
	return 0;
}

static int diff_all(struct diff *d, struct err *e)
{
	while (d->levels.n) {
		struct level *l = &d->levels.v[d->levels.n - 1];
		if (l->next == l->names.n) {
			if (pop_level(d, e) < 0)
				return -1;
			continue;
		}
		const char *name = l->names.v[l->next++]; /* stays where it is when levels grows */
		d->path.len = l->path_len;
		if (l->path_len)
			str_addc(&d->path, '/');
		str_add(&d->path, name);
		if (diff_entry(d, name, e) < 0)
			return -1;
	}
	return 0;
}

int layer_diff(int upper_fd, struct layer_writer *out, const struct time_clamp *clamp, struct err *e)
{
	AUTO(diff_fini) struct diff d = { .out = out, .clamp = clamp, .fd = -1 };
	struct stat st;
	AUTO(fd_drop) int fd = openat(upper_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open the upper directory");
	if (push_level(&d, &fd, &st, mark_opaque_get(fd), e) < 0 || diff_all(&d, e) < 0)
		return err_in(e, "write a layer");
	return 0;
}
