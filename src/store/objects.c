#include "store/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tree.h"
#include "store/store.h"
#include "store/use.h"
#include "store_priv.h"

static const struct {
	enum object_kind kind;
	const char *dir, *name;
} places[] = {
	{ OBJECT_BLOB, "blobs/sha256", "blobs" },       { OBJECT_SNAPSHOT, "snap", "snapshots" },
	{ OBJECT_LISTING, "list", "listings" },         { OBJECT_LAYER, "layer", "layer records" },
	{ OBJECT_STEP, "step", "step records" },        { OBJECT_MOUNT, "mount", "cache mounts" },
	{ OBJECT_CONTEXT, "context", "context indexes" }, { OBJECT_BASE, "base", "base references" },
	{ OBJECT_URL, "url", "fetched URLs" },          { OBJECT_LOG, "log", "logs" },
	{ OBJECT_SOURCE, "source", "source lists" },
	{ OBJECT_UNFINISHED, "tmp", "unfinished" },     { OBJECT_UNFINISHED, "trash", "unfinished" },
};

const char *object_kind_name(enum object_kind k)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].kind == k)
			return places[i].name;
	return "";
}

static bool is_record_of_snapshot(enum object_kind kind, const char *name)
{
	return kind == OBJECT_SNAPSHOT && str_ends(name, ".json");
}

static bool is_beside_mount(enum object_kind kind, const char *name)
{
	return kind == OBJECT_MOUNT && (str_ends(name, ".lock") || str_ends(name, STORE_MARK));
}

static void read_one(struct store *s, enum object_kind kind, const char *dir, const char *name, struct objects *ret)
{
	AUTO(free_drop) char *path = x_asprintf("%s/%s", dir, name);
	struct stat st;
	if (is_record_of_snapshot(kind, name) || is_beside_mount(kind, name) ||
	    fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* went away meanwhile, or belongs to another */
	struct object o = { .kind = kind, .size = (uint64_t)st.st_size, .used = store_used(s, path, &st) };
	if (S_ISDIR(st.st_mode) && tree_bytes(s->fd, path, &o.size) < 0)
		log_debug("%s/%s: %s", s->path, path, strerror(errno));
	if (kind == OBJECT_SNAPSHOT) {
		AUTO(free_drop) char *record = x_asprintf("%s.json", path);
		if (fstatat(s->fd, record, &st, AT_SYMLINK_NOFOLLOW) == 0)
			o.size += (uint64_t)st.st_size;
	}
	o.name = ptr_take(&path);
	vec_push(ret, o);
}

int objects_read(struct store *s, struct objects *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		AUTO(strv_fini) struct strv names = { 0 };
		AUTO(fd_drop) int dir = openat(s->fd, places[i].dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0)
			return err_sys(e, "open %s/%s", s->path, places[i].dir);
		if (dir_names(dir, &names, e) < 0)
			return err_in(e, "%s/%s", s->path, places[i].dir);
		for (size_t k = 0; k < names.n; k++)
			read_one(s, places[i].kind, places[i].dir, names.v[k], ret);
	}
	return 0;
}

void objects_fini(struct objects *o)
{
	for (size_t i = 0; i < o->n; i++)
		free(o->v[i].name);
	vec_fini(o);
}

int object_remove(struct store *s, const struct object *o, int64_t since, struct err *e)
{
	AUTO(fd_drop) int lock = -1;
	struct stat st;
	if (store_use_stop(s, &lock, e) < 0)
		return -1;
	if (fstatat(s->fd, o->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "stat %s/%s", s->path, o->name);
	if (store_used(s, o->name, &st) >= since)
		return 1;
	/* The record goes first: a snapshot without one is none. */
	if (o->kind == OBJECT_SNAPSHOT) {
		AUTO(free_drop) char *record = x_asprintf("%s.json", o->name);
		if (unlinkat(s->fd, record, 0) < 0 && errno != ENOENT)
			return err_sys(e, "remove %s/%s", s->path, record);
	}
	if (!S_ISDIR(st.st_mode))
		return unlinkat(s->fd, o->name, 0) < 0 ? err_sys(e, "remove %s/%s", s->path, o->name) : 0;
	if (trash_put(s, s->fd, o->name) < 0)
		return err_sys(e, "move %s/%s to trash", s->path, o->name);
	mark_remove(s, o->name);
	return 0;
}
