#include "run_mounts_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "agent_priv.h"
#include "copy_priv.h"
#include "graph_priv.h"
#include "secret_priv.h"
#include "stat_index_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/mount.h"

struct run_mount {
	struct df_mount m;
	char *target;               /* absolute; owned */
	struct copy_from from;      /* bind, and the seed of a cache */
	bool from_found;
	struct digest content;      /* bind */
	int fd;                     /* bind from a directory, cache, ssh: what is mounted; -1 */
	char *cache;                /* cache: its name in mount/, once opened; owned */
	int lock_fd;                /* cache with sharing locked or private */
	int *lower;                 /* bind from an image: tree descriptors, topmost first; owned array */
	struct str secret;
	struct agent_relay agent;   /* ssh */
};

struct run_mounts {
	struct stage *stage;
	const struct df_instruction *in;
	VEC(struct run_mount) v;
	bool digests_known;
	struct job *hashing;
	struct job *waiting;           /* for the lock of a cache */
	struct sandbox_mount *planned; /* owned, n_planned */
	size_t n_planned;
};

static void planned_free(struct run_mounts *m)
{
	for (size_t i = 0; i < m->n_planned; i++) {
		free(m->planned[i].target);
		free(m->planned[i].subpath);
	}
	free(m->planned);
	m->planned = NULL;
	m->n_planned = 0;
}

void run_mounts_close(struct run_mounts *m)
{
	for (size_t i = 0; i < m->v.n; i++) {
		agent_stop(&m->v.v[i].agent);
		fd_drop(&m->v.v[i].fd);
		lock_drop(&m->v.v[i].lock_fd);
	}
	planned_free(m);
}

void run_mounts_free(struct run_mounts *m)
{
	if (!m)
		return;
	run_mounts_close(m);
	for (size_t i = 0; i < m->v.n; i++) {
		df_mount_fini(&m->v.v[i].m);
		free(m->v.v[i].target);
		free(m->v.v[i].cache);
		free(m->v.v[i].lower);
		if (m->v.v[i].secret.len)
			explicit_bzero(m->v.v[i].secret.buf, m->v.v[i].secret.len);
		str_fini(&m->v.v[i].secret);
	}
	vec_fini(&m->v);
	free(m);
}

/* The target as the sandbox wants it: absolute, joined to WORKDIR (MNT-03). */
static int find_target(struct stage *st, struct run_mount *r, struct err *e)
{
	const char *cwd = st->config.working_dir && *st->config.working_dir ? st->config.working_dir : "/";
	const char *t = r->m.target;
	if (r->m.type == DF_MOUNT_SECRET && !t && !r->m.env) {
		const char *id = r->m.id ? r->m.id : r->m.source;
		r->target = x_asprintf("/run/secrets/%s", path_base(id ? id : ""));
		return 0;
	}
	if (r->m.type == DF_MOUNT_SECRET && !t)
		return 0;
	if (r->m.type == DF_MOUNT_SSH && !t)
		return 0; /* numbered when planned */
	r->target = t && t[0] == '/' ? path_rooted(t) : path_join(cwd, t ? t : "");
	if (strcmp(r->target, "/") == 0)
		return err_set(e, ERR_BUILD, "invalid mount target \"%s\": the root cannot be mounted on", t ? t : "");
	return 0;
}

struct run_mounts *run_mounts_new(struct build *b, struct stage *st, const struct df_instruction *in, struct err *e)
{
	struct run_mounts *m = x_alloc(sizeof *m);
	struct df_scope scope = { .env = &st->env, .escape = b->file.escape };
	m->stage = st;
	m->in = in;
	for (size_t i = 0; i < in->flags.n; i++) {
		if (strcmp(in->flags.v[i].name, "mount") != 0)
			continue;
		struct run_mount *r = vec_add(&m->v);
		r->fd = r->lock_fd = r->from.spool_fd = r->agent.socket_fd = -1;
		if (df_mount_parse(in->flags.v[i].value, &scope, &r->m, e) < 0 || find_target(st, r, e) < 0) {
			run_mounts_free(m);
			return NULL;
		}
	}
	m->digests_known = true;
	for (size_t i = 0; i < m->v.n; i++)
		m->digests_known &= m->v.v[i].m.type != DF_MOUNT_BIND;
	return m;
}

/* ---- where they come from ---- */

static int find_from(struct build *b, struct step *step, struct run_mount *r, struct err *e)
{
	struct stage *st = step->stage, *other = NULL;
	struct named_context *named = r->m.from ? named_context_find(b, r->m.from) : NULL;
	struct base_image *image;
	int rc;
	if (!r->m.from || (named && named->is_dir)) {
		struct context *c = named ? &named->dir : &b->context;
		if (context_open(b, c, named ? NULL : b->file_path, e) < 0)
			return -1;
		r->from.context = c;
		r->from.view = &c->view;
		return 0;
	}
	if (!named && stage_named_from(st, step->in, r->m.from, &other, e) < 0)
		return -1;
	if (other) {
		if (!other->finished || slots_need_layers(b, other->slots.v, other->slots.n))
			return 1;
		r->from.slots = other->slots.v;
		r->from.n_slots = other->slots.n;
		return 0;
	}
	rc = base_image_need(b, step, named ? named->value : r->m.from, b->target_given ? &b->target : NULL, &image, e);
	if (rc)
		return rc;
	r->from.slots = image->slots.v;
	r->from.n_slots = image->slots.n;
	return 0;
}

struct hash_job {
	struct run_mounts *mounts;
};

/* In a worker: a digest per bind from a directory, then what the stat indexes learned. */
static int hash_work(void *ctx, struct worker_report *report, struct str *result, struct err *e)
{
	struct run_mounts *m = ((struct hash_job *)ctx)->mounts;
	(void)report;
	for (size_t i = 0; i < m->v.n; i++) {
		struct run_mount *r = &m->v.v[i];
		struct copy_selection s = { 0 };
		struct copy_spec spec = { 0 };
		struct digest d;
		if (r->m.type != DF_MOUNT_BIND || !r->from.context)
			continue;
		strv_push(&spec.sources, r->m.source ? r->m.source : "/");
		int rc = copy_select(&r->from, &spec, &s, e);
		if (rc == 0)
			rc = copy_digest(&s, &spec, &d, e);
		copy_selection_fini(&s);
		strv_fini(&spec.sources);
		if (rc < 0)
			return err_in(e, "bind mount on %s", r->target);
		str_addf(result, "%s\n", digest_text(&d).s);
	}
	return 0;
}

static int hash_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct run_mounts *m = j->ctx;
	const char *p = result ? result->buf : NULL;
	(void)b;
	m->hashing = NULL;
	if (failed) {
		*e = *failed;
		e->line = m->in->line;
		e->line_end = m->in->line_end;
		return -1;
	}
	for (size_t i = 0; i < m->v.n; i++) {
		struct run_mount *r = &m->v.v[i];
		if (r->m.type != DF_MOUNT_BIND || !r->from.context)
			continue;
		AUTO(free_drop) char *text = x_strndup(p, DIGEST_TEXT);
		if (digest_parse(text, &r->content, e) < 0)
			return -1;
		p += DIGEST_TEXT + 1;
	}
	m->digests_known = true;
	return 0;
}

int run_mounts_ready(struct run_mounts *m, struct build *b, struct step *step, struct err *e)
{
	for (size_t i = 0; i < m->v.n; i++) {
		struct run_mount *r = &m->v.v[i];
		bool wants = r->m.type == DF_MOUNT_BIND || (r->m.type == DF_MOUNT_CACHE && r->m.from);
		if (!wants || r->from_found)
			continue;
		int rc = find_from(b, step, r, e);
		if (rc)
			return rc;
		r->from_found = true;
	}
	if (m->digests_known)
		return 0;
	if (m->hashing)
		return 1;
	struct hash_job ctx = { .mounts = m };
	m->hashing = job_worker(b, step, "nacre-hash", hash_work, &ctx, e);
	if (!m->hashing)
		return -1;
	m->hashing->done = hash_done;
	m->hashing->ctx = m;
	return 1;
}

void run_mounts_key(const struct run_mounts *m, struct cache_key *k)
{
	static const char *const types[] = { "bind", "cache", "tmpfs", "secret", "ssh" };
	if (!m->v.n)
		return;
	json_put_key(&k->fields, "mounts");
	json_begin(&k->fields, '[');
	for (size_t i = 0; i < m->v.n; i++) {
		const struct run_mount *r = &m->v.v[i];
		json_begin(&k->fields, '{');
		json_kv_str(&k->fields, "type", types[r->m.type]);
		key_str(k, "target", r->target);
		key_str(k, "id", r->m.id);
		key_str(k, "source", r->m.source);
		key_str(k, "env", r->m.env);
		json_kv_bool(&k->fields, "readonly", r->m.readonly);
		if (r->m.has_mode)
			json_kv_int(&k->fields, "mode", r->m.mode);
		if (r->m.has_uid)
			json_kv_int(&k->fields, "uid", r->m.uid);
		if (r->m.has_gid)
			json_kv_int(&k->fields, "gid", r->m.gid);
		if (r->m.size)
			json_kv_int(&k->fields, "size", (int64_t)r->m.size);
		if (r->m.type == DF_MOUNT_BIND && r->from.context)
			key_digest(k, "content", &r->content);
		else if (r->from.n_slots)
			key_digest(k, "image", &r->from.slots[r->from.n_slots - 1]->chain.d);
		json_end(&k->fields, '}');
	}
	json_end(&k->fields, ']');
}

int run_mounts_trees(struct run_mounts *m, struct build *b, struct step *step, struct err *e)
{
	for (size_t i = 0; i < m->v.n; i++) {
		struct run_mount *r = &m->v.v[i];
		if (!r->from.n_slots)
			continue;
		int rc = slots_need_trees(b, step, r->from.slots, r->from.n_slots, e);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- caches ---- */

/* mount/HEX: by id and, since they act at creation only, owner and mode (MNT-12). */
static char *cache_name(struct build *b, const struct run_mount *r)
{
	const char *ns = env_get(&b->build_args, "BUILDKIT_CACHE_MOUNT_NS");
	AUTO(free_drop) char *clean = path_clean(r->m.id ? r->m.id : r->m.target ? r->m.target : "");
	struct sha s;
	AUTO(free_drop) char *owner = x_asprintf("%u:%u:%o", r->m.has_uid ? r->m.uid : 0, r->m.has_gid ? r->m.gid : 0,
						 r->m.has_mode ? r->m.mode : 0755);
	sha_init(&s);
	sha_add_str(&s, ns ? ns : "");
	sha_add_str(&s, r->m.id ? r->m.id : clean);
	sha_add_str(&s, owner);
	struct digest d = sha_end(&s);
	return x_strdup(digest_hex(&d).s);
}

/* Opens the cache of mount `at` and locks it as it asks: 0, 1 when somebody else has it, -1. */
static int open_cache(struct run_mounts *m, struct build *b, size_t at, int mounts_fd, struct err *e)
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
	return cache_mount_open(b, mounts_fd, r->cache, &r->m, &r->fd, &r->lock_fd, e);
}

struct wait_job {
	int mounts_fd;
	const char *cache;
};

/* In a worker: ends once the lock was free for a moment. */
static int wait_work(void *ctx, struct worker_report *report, struct str *result, struct err *e)
{
	struct wait_job *j = ctx;
	AUTO(fd_drop) int lock = -1;
	(void)report;
	(void)result;
	return cache_mount_lock(j->mounts_fd, j->cache, true, &lock, e);
}

static int wait_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct run_mounts *m = j->ctx;
	(void)b;
	(void)result;
	m->waiting = NULL;
	if (failed)
		*e = *failed;
	return failed ? -1 : 0;
}

/*
 * Who has the lock may be another stage of this build, so the loop must go on while we wait. All caches of a RUN are
 * taken together or not at all: two that want the same ones in another order would wait for each other for ever.
 */
int run_mounts_caches(struct run_mounts *m, struct build *b, struct step *step, struct err *e)
{
	if (m->waiting)
		return 1;
	AUTO(fd_drop) int mounts = openat(b->store->fd, "mount", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mounts < 0)
		return err_sys(e, "open %s/mount", b->store->path);
	for (size_t i = 0; i < m->v.n; i++) {
		if (m->v.v[i].m.type != DF_MOUNT_CACHE)
			continue;
		int r = open_cache(m, b, i, mounts, e);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		run_mounts_close(m);
		struct wait_job ctx = { .mounts_fd = mounts, .cache = m->v.v[i].cache };
		m->waiting = job_worker(b, step, "nacre-wait", wait_work, &ctx, e);
		if (!m->waiting)
			return -1;
		m->waiting->done = wait_done;
		m->waiting->ctx = m;
		return 1;
	}
	return 0;
}

/* ---- the plan ---- */

static void lower_of(struct run_mount *r)
{
	size_t n = r->from.n_slots;
	free(r->lower);
	r->lower = x_alloc((n + 1) * sizeof *r->lower);
	for (size_t i = 0; i < n; i++)
		r->lower[i] = r->from.slots[n - 1 - i]->tree_fd;
}

static int plan_bind(struct run_mount *r, struct build *b, struct sandbox_mount *s, struct err *e)
{
	const char *source = r->m.source ? r->m.source : "/";
	s->readonly = r->m.readonly;
	if (r->from.n_slots) {
		lower_of(r);
		s->kind = SANDBOX_MOUNT_TREE;
		s->lower_fds = r->lower;
		s->n_lower = r->from.n_slots;
		s->subpath = x_strdup(source);
		return 0;
	}
	if (!r->from.context)
		return err_set(e, ERR_BUILD, "bind mount on %s: the image it comes from is empty", r->target);
	if (context_tree(b, r->from.context, &r->fd, e) < 0)
		return -1;
	if (!r->m.readonly) { /* writes are thrown away (MNT-08): an overlay on top of the directory takes them */
		r->lower = x_alloc(sizeof *r->lower);
		r->lower[0] = r->fd;
		s->kind = SANDBOX_MOUNT_TREE;
		s->lower_fds = r->lower;
		s->n_lower = 1;
		s->subpath = x_strdup(source);
		return 0;
	}
	AUTO(free_drop) char *path = path_rooted(source);
	int fd = root_open(r->fd, path, O_PATH, 0);
	if (fd < 0)
		return err_sys(e, "bind mount on %s: open %s", r->target, source);
	fd_drop(&r->fd);
	r->fd = fd;
	s->kind = SANDBOX_MOUNT_BIND;
	s->source_fd = fd;
	return 0;
}

/* A missing secret is skipped, or an error with required; a missing optional one still sets its (empty) variable. */
static int plan_secret(struct run_mount *r, struct build *b, struct sandbox_mount *s, bool *ret_used, struct strv *env,
		       struct err *e)
{
	const char *id = r->m.id ? r->m.id : r->m.source ? r->m.source : r->m.target ? path_base(r->m.target) : "";
	int rc = secret_read(b->options, id, &r->secret, e);
	*ret_used = false;
	if (rc < 0)
		return -1;
	if (rc == 1 && r->m.required)
		return err_set(e, ERR_BUILD, "secret %s: not found; give it with --secret id=%s,src=FILE", id, id);
	if (r->m.env)
		env_set(env, r->m.env, str_text(&r->secret));
	if (rc == 1 || !r->target)
		return 0;
	s->kind = SANDBOX_MOUNT_FILE;
	s->content = str_text(&r->secret);
	s->content_len = r->secret.len;
	s->mode = r->m.has_mode ? r->m.mode : 0400;
	s->uid = r->m.has_uid ? r->m.uid : 0;
	s->gid = r->m.has_gid ? r->m.gid : 0;
	s->readonly = true;
	*ret_used = true;
	return 0;
}

static int plan_ssh(struct run_mount *r, struct build *b, struct sandbox_mount *s, unsigned number, bool *ret_used,
		    struct strv *env, struct err *e)
{
	const char *id = r->m.id ? r->m.id : "default";
	unsigned work;
	AUTO(fd_drop) int dir = -1;
	if (!r->target)
		r->target = x_asprintf("/run/buildkit/ssh_agent.%u", number);
	if (!env_get(env, "SSH_AUTH_SOCK"))
		env_set(env, "SSH_AUTH_SOCK", r->target);
	int rc = ssh_socket(b->options, id, &r->fd, e);
	*ret_used = rc == 0;
	if (rc == 1 && r->m.required)
		return err_set(e, ERR_BUILD, "unset ssh forward key %s; give it with --ssh %s", id, id);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (work_dir(b, &work, &dir, NULL, e) < 0 ||
	    agent_start(&r->agent, dir, "agent", r->m.has_mode ? r->m.mode : 0600, r->fd, e) < 0)
		return -1;
	s->kind = SANDBOX_MOUNT_BIND;
	s->source_fd = r->agent.socket_fd;
	return 0;
}

static struct sandbox_mount *planned_add(struct run_mounts *m, const char *target)
{
	struct sandbox_mount *s = &m->planned[m->n_planned++];
	*s = (struct sandbox_mount){ .source_fd = -1, .target = x_strdup(target) };
	return s;
}

static void plan_file(struct run_mounts *m, const char *target, const char *text, uint32_t mode, bool optional)
{
	struct sandbox_mount *s = planned_add(m, target);
	s->kind = SANDBOX_MOUNT_FILE;
	s->content = text;
	s->content_len = strlen(text);
	s->mode = mode;
	s->readonly = true;
	s->optional = optional;
}

int run_mounts_plan(struct run_mounts *m, struct build *b, const char *script_name, const char *script,
		    struct sandbox_plan *plan, struct strv *env, struct err *e)
{
	unsigned agents = 0;
	planned_free(m);
	m->planned = x_alloc((m->v.n + 3) * sizeof *m->planned);
	plan_file(m, "/etc/resolv.conf", b->resolv_text[plan->net], 0644, true);
	plan_file(m, "/etc/hosts", b->hosts_text, 0644, true);
	if (script) {
		AUTO(free_drop) char *path = x_asprintf("/dev/pipes/%s", script_name);
		plan_file(m, path, script, 0755, false);
	}
	for (size_t i = 0; i < m->v.n; i++) {
		struct run_mount *r = &m->v.v[i];
		struct sandbox_mount s = { .source_fd = -1 };
		bool used = true;
		int rc = 0;
		switch (r->m.type) {
		case DF_MOUNT_BIND:
			rc = plan_bind(r, b, &s, e);
			break;
		case DF_MOUNT_CACHE:
			s.kind = SANDBOX_MOUNT_BIND;
			s.source_fd = r->fd; /* of run_mounts_caches */
			s.readonly = r->m.readonly;
			break;
		case DF_MOUNT_TMPFS:
			s.kind = SANDBOX_MOUNT_TMPFS;
			s.size = r->m.size;
			s.mode = 01777;
			break;
		case DF_MOUNT_SECRET:
			rc = plan_secret(r, b, &s, &used, env, e);
			break;
		case DF_MOUNT_SSH:
			rc = plan_ssh(r, b, &s, agents++, &used, env, e);
			break;
		}
		if (rc < 0)
			return -1;
		if (!used)
			continue;
		s.target = x_strdup(r->target);
		m->planned[m->n_planned++] = s;
	}
	plan->mounts = m->planned;
	plan->n_mounts = m->n_planned;
	return 0;
}
