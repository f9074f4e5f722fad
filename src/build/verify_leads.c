/* The records of the cache, and what they lead to. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/tree.h"
#include "oci/chain.h"
#include "store/blob.h"
#include "store/record.h"
#include "verify_priv.h"

static bool digest_member(const struct json *j, const char *key, struct digest *ret)
{
	struct err ignored;
	const char *text = json_str(j, key);
	return text && digest_parse(text, ret, &ignored) == 0;
}

/* A blob with its size; j is a descriptor. */
static void lead_to(struct verify *v, const struct speaker *by, const struct json *j, const struct diffid *diffid)
{
	struct digest d;
	int64_t size = json_int(j, "size", -1);
	if (!digest_member(j, "digest", &d) || size < 0)
		verify_wrong(v, by, "names no blob");
	else if (!blob_exists(v->store, &d, NULL))
		verify_wrong(v, by, "names the blob %s, which is not there", digest_text(&d).s);
	else
		verify_lead(v, by, &d, (uint64_t)size, diffid);
}

/* The record is named by its key. */
static bool has_key(const struct json *record, const char *object)
{
	struct digest name;
	struct json_out o;
	const struct json *key = json_get(record, "key");
	if (!key || !verify_digest_of(object, ".json", &name))
		return false;
	json_out_init(&o);
	json_put_raw(&o, key);
	AUTO(free_drop) char *text = json_out_take(&o);
	struct digest d = digest_of(text, strlen(text));
	return digest_eq(&d, &name);
}

static void read_step(struct verify *v, const struct speaker *by, const struct json *j)
{
	const struct json *layer = json_get(j, "layer");
	struct diffid diffid;
	struct chainid parent;
	if (!has_key(j, by->name)) {
		verify_wrong(v, by, "has another key than its name says");
		return;
	}
	if (!layer)
		return;
	if (!digest_member(layer, "diffid", &diffid.d)) {
		verify_wrong(v, by, "names a layer without diffID");
		return;
	}
	lead_to(v, by, layer, &diffid);
	if (digest_member(json_get(j, "key"), "parent", &parent.d)) {
		struct chainid chain = chain_next(&parent, &diffid);
		verify_top(v, &chain, &diffid);
	}
}

static void read_base(struct verify *v, const struct speaker *by, const struct json *j)
{
	struct digest d;
	if (digest_member(j, "manifest", &d))
		verify_image(v, by, &d, false);
	else
		verify_wrong(v, by, "names no manifest");
}

static void read_record(struct verify *v, const struct speaker *by, const struct json *j)
{
	struct diffid diffid;
	if (by->kind == OBJECT_STEP)
		read_step(v, by, j);
	else if (by->kind == OBJECT_LAYER && verify_digest_of(by->name, ".json", &diffid.d))
		lead_to(v, by, j, &diffid);
	else if (by->kind == OBJECT_BASE)
		read_base(v, by, j);
	else if (by->kind == OBJECT_URL)
		lead_to(v, by, j, NULL);
}

static bool is_record(enum object_kind k)
{
	return k == OBJECT_STEP || k == OBJECT_LAYER || k == OBJECT_BASE || k == OBJECT_URL || k == OBJECT_LOG;
}

static bool is_well_named(const struct object *o)
{
	struct digest d;
	if (o->kind == OBJECT_BLOB || o->kind == OBJECT_LISTING || o->kind == OBJECT_SNAPSHOT ||
	    o->kind == OBJECT_SOURCE)
		return verify_digest_of(o->name, "", &d);
	return !is_record(o->kind) || o->kind == OBJECT_LOG || verify_digest_of(o->name, ".json", &d);
}

/* 0, 1 gone, -1 reported. */
static int load(struct verify *v, enum object_kind kind, const char *name, struct json *ret)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err why;
	if (file_read(v->store->fd, name, LIMIT_STORE_JSON, &text, &why) == 0 &&
	    store_json_parse(&text, name, ret, &why) == 0)
		return 0;
	if (why.kind == ERR_SYS && why.sysno == ENOENT)
		return 1;
	verify_bad(v, kind, name, "%s", why.msg);
	return -1;
}

static void check_object(struct verify *v, const struct object *o)
{
	AUTO(json_fini) struct json j = { 0 };
	struct stat st;
	if (!is_well_named(o)) {
		verify_bad(v, o->kind, o->name, "does not belong here");
	} else if (is_record(o->kind)) {
		const struct speaker by = { .kind = o->kind, .name = o->name };
		if (load(v, o->kind, o->name, &j) == 0)
			read_record(v, &by, &j);
	} else if (o->kind == OBJECT_MOUNT && fstatat(v->store->fd, o->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		   !S_ISDIR(st.st_mode)) {
		verify_bad(v, o->kind, o->name, "is not a directory");
	}
}

/* Names of a directory that are no objects by themselves. */
static int list(struct verify *v, const char *dir, struct strv *ret, struct err *e)
{
	AUTO(fd_drop) int fd = openat(v->store->fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s/%s", v->store->path, dir);
	return dir_names(fd, ret, e) < 0 ? err_in(e, "%s/%s", v->store->path, dir) : 0;
}

static int check_syncs(struct verify *v, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	if (list(v, "sync", &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		AUTO(json_fini) struct json j = { 0 };
		AUTO(free_drop) char *name = x_asprintf("sync/%s", names.v[i]);
		if (load(v, OBJECT_UNFINISHED, name, &j) == 0 && json_int(&j, "at", -1) < 0)
			verify_bad(v, OBJECT_UNFINISHED, name, "says no time");
	}
	return 0;
}

static int check_snapshot_records(struct verify *v, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	if (list(v, "snap", &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		AUTO(free_drop) char *record = x_asprintf("snap/%s", names.v[i]);
		struct stat st;
		if (!str_ends(record, ".json"))
			continue;
		AUTO(free_drop) char *tree = x_strndup(record, strlen(record) - strlen(".json"));
		/* In this order: a prune takes the record first. */
		if (fstatat(v->store->fd, tree, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
		    fstatat(v->store->fd, record, &st, AT_SYMLINK_NOFOLLOW) == 0)
			verify_bad(v, OBJECT_UNFINISHED, record, "is the record of a snapshot that is not there");
	}
	return 0;
}

int verify_leads(struct verify *v, struct err *e)
{
	for (size_t i = 0; i < v->objects.n; i++)
		check_object(v, &v->objects.v[i]);
	return check_syncs(v, e) < 0 ? -1 : check_snapshot_records(v, e);
}
