#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/mem.h"
#include "oci/listing.h"
#include "oci/tree_check.h"
#include "store/record.h"
#include "store/snap.h"
#include "verify_priv.h"

/* Publishing moves the tree and then writes the record, under this lock (store/snap.c). */
static void wait_for_publisher(struct verify *v)
{
	struct err ignored;
	AUTO(fd_drop) int lock = -1;
	if (lock_file(v->store->fd, "lock/snap", true, true, &lock, &ignored) == 0)
		lock_drop(&lock);
}

static bool is_there(struct verify *v, const char *name)
{
	struct stat st;
	return fstatat(v->store->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What the record says; NULL: nothing wrong. */
static const char *record_problem(struct verify *v, const struct chainid *chain, const char *object)
{
	AUTO(free_drop) char *record = x_asprintf("%s.json", object);
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	struct err why;
	if (!is_there(v, record))
		wait_for_publisher(v);
	if (file_read(v->store->fd, record, LIMIT_STORE_JSON, &text, &why) < 0)
		return "has no record: it was being made or removed when that was cut off";
	if (store_json_parse(&text, record, &j, &why) < 0 || j.type != JSON_OBJECT)
		return "has a record that cannot be read";
	/* A build makes a copied one anew; until then it is only damaged if it differs. */
	if (!snap_exists(v->store, chain) && !snap_is_copy(v->store, chain))
		return "may lack files: the machine went down before it was known to be on disk";
	return NULL;
}

static const struct diffid *layer_of(struct verify *v, const struct chainid *chain)
{
	size_t low = 0, high = v->tops.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(&v->tops.v[middle].chain, chain, sizeof *chain);
		if (order == 0)
			return &v->tops.v[middle].layer;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool is_bad(struct verify *v, const char *object)
{
	bool bad = false;
	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < v->problems.n; i++)
		bad |= str_eq(v->problems.v[i].object, object);
	pthread_mutex_unlock(&v->lock);
	return bad;
}

/* 0 compared, 1 with nothing to compare to, -1. */
static int compare(struct verify *v, const struct chainid *chain, struct str *differs, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	struct listing listing = { 0 };
	const struct diffid *layer = layer_of(v, chain);
	if (!layer)
		return 1;
	AUTO(free_drop) char *list = x_asprintf("list/%s", digest_hex(&layer->d).s);
	if (is_bad(v, list) || listing_load(v->store, layer, &listing, e) != 0)
		return 1;
	AUTO(free_drop) char *tree = x_asprintf("snap/%s/tree", digest_hex(&chain->d).s);
	fd = openat(v->store->fd, tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? err_sys(e, "open %s", tree) : tree_check(fd, &listing, v->xattrs, differs, e);
	listing_fini(&listing);
	return r;
}

static void add(struct verify *v, const struct object *o, const char *what)
{
	/* One that a prune takes away meanwhile loses files, too. */
	if (is_there(v, o->name))
		verify_bad(v, o->kind, o->name, "%s", what);
}

void verify_snapshot(struct verify *v, const struct object *o)
{
	AUTO(str_fini) struct str differs = { 0 };
	struct chainid chain;
	struct err why;
	if (!verify_digest_of(o->name, "", &chain.d))
		return;
	const char *problem = record_problem(v, &chain, o->name);
	if (problem) {
		add(v, o, problem);
		return;
	}
	int r = compare(v, &chain, &differs, &why);
	if (r < 0) {
		add(v, o, why.msg);
	} else if (differs.len) {
		AUTO(free_drop) char *text = x_asprintf("is damaged: %s", differs.buf);
		add(v, o, text);
	} else if (r == 1) {
		pthread_mutex_lock(&v->lock);
		v->not_compared++;
		pthread_mutex_unlock(&v->lock);
	}
}
