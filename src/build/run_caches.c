/* The cache mounts of a RUN: which directory each is, made or waited for by jobs, so that the loop goes on meanwhile. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "cache_mount_priv.h"
#include "run_mount_priv.h"
#include "store/claim.h"

/* What a new one starts as: what `from` shows at source. False: an empty directory. */
static bool is_seeded(const struct run_mount *r)
{
	if (!r->m.from)
		return false;
	AUTO(free_drop) char *source = path_rooted(r->m.source ? r->m.source : "");
	bool dressed = r->m.has_mode || r->m.has_uid || r->m.has_gid;
	/* With an owner or a mode and no source, the reference makes a new directory beside what is in `from`. */
	return strcmp(source, "/") != 0 || !dressed;
}

/*
 * mount/HEX: by id and by what it starts as (MNT-09, MNT-11, MNT-12). Owner and mode act at creation only, so another
 * one is another directory, unless a source decides about them.
 */
static char *cache_name(struct build *b, const struct run_mount *r)
{
	const char *ns = env_get(&b->build_args, "BUILDKIT_CACHE_MOUNT_NS");
	AUTO(free_drop) char *clean = path_clean(r->m.target ? r->m.target : "");
	AUTO(free_drop) char *source = path_rooted(r->m.source ? r->m.source : "");
	AUTO(str_fini) struct str owner = { 0 };
	struct sha s;
	if (strcmp(source, "/") == 0 && (r->m.has_uid || r->m.has_gid || r->m.has_mode))
		str_addf(&owner, "%u:%u:%o", r->m.uid, r->m.gid, r->m.has_mode ? r->m.mode : 0755);
	sha_init(&s);
	sha_add_str(&s, ns ? ns : "");
	sha_add_str(&s, r->m.id ? r->m.id : clean);
	sha_add_str(&s, str_text(&owner));
	sha_add_str(&s, source);
	if (r->from.context)
		sha_add(&s, r->content.b, sizeof r->content.b);
	else if (r->from.n_slots)
		sha_add(&s, r->from.slots[r->from.n_slots - 1]->chain.d.b, DIGEST_BYTES);
	struct digest d = sha_end(&s);
	return x_strdup(digest_hex(&d).s);
}

/* Opens the cache of mount `at` and locks it as it asks; what cache_mount_open returns. */
static int open_cache(struct run_mounts *m, struct build *b, size_t at, int mounts_fd, char **ret_missing, struct err *e)
{
	struct run_mount *r = &m->v.v[at];
	free(r->cache);
	r->cache = cache_name(b, r);
	/* The same cache twice in one RUN is one directory under one lock. */
	for (size_t i = 0; i < at; i++) {
		if (!str_eq(m->v.v[i].cache, r->cache))
			continue;
		r->fd = fd_dup(m->v.v[i].fd);
		return r->fd < 0 ? err_sys(e, "open a cache directory again") : 0;
	}
	return cache_mount_open(b->store, mounts_fd, r->cache, r->m.sharing, &r->fd, &r->lock_fd, ret_missing, e);
}

static int job_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct run_mounts *m = j->ctx;
	(void)b;
	(void)result;
	m->waiting = NULL;
	if (!failed)
		return 0;
	*e = *failed;
	e->line = m->in->line;
	e->line_end = m->in->line_end;
	return -1;
}

/* ---- one that somebody else has ---- */

struct wait_job {
	int mounts_fd;
	const char *cache;
};

/* In a worker: ends once the lock was free for a moment. */
static int wait_work(void *ctx, struct worker_report *report, struct str *result, struct err *e)
{
	struct wait_job *j = ctx;
	AUTO(lock_drop) int lock = -1;
	(void)report;
	(void)result;
	return cache_mount_lock(j->mounts_fd, j->cache, true, &lock, e);
}

static struct job *start_wait(struct build *b, struct step *step, int mounts_fd, const char *cache, struct err *e)
{
	struct wait_job ctx = { .mounts_fd = mounts_fd, .cache = cache };
	struct job *j = job_worker(b, step, "nacre-wait", wait_work, &ctx, e);
	if (j)
		j->idle = true;
	return j;
}

/* ---- one that is not there yet ---- */

struct make_job {
	struct build *build;
	struct run_mount *mount;
	struct cache_new dir;
};

/* In a worker inside the namespace, where the ids exist that the directory may belong to. */
static int make_work(void *ctx, struct worker_report *report, struct str *result, struct err *e)
{
	struct make_job *j = ctx;
	struct run_mount *r = j->mount;
	const char *source = r->m.source ? r->m.source : "/";
	struct fsview nothing; /* of scratch */
	AUTO(claim_drop) struct claim claim = { 0 };
	(void)report;
	(void)result;
	fsview_init(&nothing);
	if (!r->from.view)
		r->from.view = &nothing;
	if (userns_join(&j->build->userns, e) < 0)
		return -1;
	if (!is_seeded(r))
		return cache_new_publish(&j->dir, r->m.has_uid ? r->m.uid : 0, r->m.has_gid ? r->m.gid : 0,
					 r->m.has_mode ? r->m.mode : 0755, e);
	/* Others that want the same copy wait for ours. */
	if (!cache_new_claim(&j->dir, &claim))
		return 0;
	if (copy_tree(j->build, &r->from, source, j->dir.tree_fd, e) < 0)
		return err_in(e, "cache mount on %s: copy from %s", r->target, r->m.from);
	return cache_new_publish_copy(&j->dir, e);
}

static struct job *start_make(struct build *b, struct step *step, struct run_mount *r, int mounts_fd, const char *name,
			      struct err *e)
{
	AUTO(fd_drop) int tree = -1;
	struct make_job ctx = { .build = b, .mount = r, .dir = { .build = b, .mounts_fd = mounts_fd, .name = name } };
	if (r->view)
		r->from.view = *r->view;
	if (work_dir(b, &ctx.dir.work_id, &tree, NULL, e) < 0)
		return NULL;
	ctx.dir.tree_fd = tree;
	return job_worker(b, step, "nacre-cache", make_work, &ctx, e);
}

/* What a copy is made from, by name: 0, or 1 while listings are made. */
static int seed_view(struct build *b, struct step *step, struct run_mount *r, struct err *e)
{
	AUTO(free_drop) char *source = path_rooted(r->m.source ? r->m.source : "");
	if (!r->m.from && strcmp(source, "/") != 0)
		return err_set(e, ERR_BUILD,
			       "cache mount on %s: \"%s\": not found; a source needs from=, a cache without one starts "
			       "empty",
			       r->target, source);
	if (!r->view || !is_seeded(r))
		return 0;
	int wait = slots_need_blobs(b, step, r->from.slots, r->from.n_slots, e);
	return wait ? wait : view_update(b, step, r->from.slots, r->from.n_slots, NULL, r->view, r->view_layers, e);
}

/* All caches of a RUN are taken together or not at all: two that want the same ones in another order would wait for
 * each other for ever. Who has a lock may be another stage of this build, so the loop must go on while we wait. */
int run_mounts_caches(struct run_mounts *m, struct build *b, struct step *step, struct err *e)
{
	if (m->waiting)
		return 1;
	AUTO(fd_drop) int mounts = openat(b->store->fd, "mount", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mounts < 0)
		return err_sys(e, "open %s/mount", b->store->path);
	for (size_t i = 0; i < m->v.n; i++) {
		AUTO(free_drop) char *missing = NULL;
		struct run_mount *mount = &m->v.v[i];
		if (mount->m.type != DF_MOUNT_CACHE)
			continue;
		int r = open_cache(m, b, i, mounts, &missing, e);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		run_mounts_close(m);
		if (missing) {
			r = seed_view(b, step, mount, e);
			if (r)
				return r;
			m->waiting = start_make(b, step, mount, mounts, missing, e);
		} else {
			m->waiting = start_wait(b, step, mounts, mount->cache, e);
		}
		if (!m->waiting)
			return -1;
		m->waiting->done = job_done;
		m->waiting->ctx = m;
		return 1;
	}
	for (size_t i = 0; i < m->v.n; i++)
		if (m->v.v[i].cache && !strv_has(&step->caches, m->v.v[i].cache))
			strv_push(&step->caches, m->v.v[i].cache);
	return 0;
}
