#include "run_mounts_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "depfile_priv.h"
#include "file_list_priv.h"
#include "graph_priv.h"
#include "run_mount_priv.h"
#include "dockerfile/expand.h"

void run_mounts_plan_free(struct run_mounts *m)
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
	run_mounts_plan_free(m);
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

/* It begins as what is elsewhere: a bind mount, a cache with a seed. */
static bool shows_source(const struct run_mount *r)
{
	return r->m.type == DF_MOUNT_BIND || (r->m.type == DF_MOUNT_CACHE && r->m.from);
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
		m->digests_known &= !shows_source(&m->v.v[i]);
	return m;
}

/* ---- where they come from ---- */

static int find_from(struct build *b, struct step *step, struct run_mount *r, struct err *e)
{
	struct stage *st = step->stage, *other = NULL;
	struct named_context *named = r->m.from ? named_context_find(st->graph, r->m.from) : NULL;
	struct base_image *image;
	int rc;
	if (!r->m.from || (named && named->is_dir)) {
		struct context *c = named ? &named->dir : &b->context;
		rc = context_need(b, step, c, named ? NULL : b->file_path, e);
		if (rc)
			return rc;
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
		r->view = &other->view;
		r->view_layers = &other->view_layers;
		return 0;
	}
	const char *reference = named ? named->reference : r->m.from;
	if (strcmp(reference, "scratch") == 0)
		return 0;
	rc = base_image_need(b, step, reference, b->target_given ? &st->graph->target : NULL, &image, e);
	if (rc)
		return rc;
	r->from.slots = image->slots.v;
	r->from.n_slots = image->slots.n;
	r->view = &image->view;
	r->view_layers = &image->view_layers;
	return 0;
}

struct hash_job {
	struct run_mounts *mounts;
};

void mount_spec(const struct df_mount *m, struct copy_spec *ret)
{
	ret->literal = true;
	strv_push(&ret->sources, m->source ? m->source : "/");
}

int run_mounts_depends(const struct run_mounts *m, struct depfile *d, struct err *e)
{
	for (size_t i = 0; i < m->v.n; i++) {
		struct copy_spec spec = { 0 };
		mount_spec(&m->v.v[i].m, &spec);
		int r = depfile_add(d, &m->v.v[i].from, &spec, e);
		strv_fini(&spec.sources);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* In a worker: a report per mount from a context. */
static int hash_work(void *ctx, struct worker_report *report, struct str *result, struct err *e)
{
	struct run_mounts *m = ((struct hash_job *)ctx)->mounts;
	(void)report;
	for (size_t i = 0; i < m->v.n; i++) {
		struct run_mount *r = &m->v.v[i];
		struct copy_selection s = { 0 };
		struct copy_spec spec = { 0 };
		struct digest d;
		size_t known = context_learned(r->from.context);
		if (!r->from.context)
			continue;
		mount_spec(&r->m, &spec);
		int rc = copy_select(&r->from, &spec, &s, e);
		if (rc == 0)
			rc = copy_digest(&s, &spec, &d, e);
		if (rc == 0)
			file_list_keep(m->stage->build->store, &d, &s, &spec);
		copy_selection_fini(&s);
		strv_fini(&spec.sources);
		if (rc < 0)
			return err_in(e, "mount on %s", r->target);
		context_report(r->from.context, known, &d, result);
	}
	return 0;
}

static int hash_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct run_mounts *m = j->ctx;
	const char *p = result ? str_text(result) : NULL;
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
		if (r->from.context && context_take(r->from.context, &p, result->buf + result->len, &r->content, e) < 0)
			return -1;
	}
	m->digests_known = true;
	return 0;
}

int run_mounts_ready(struct run_mounts *m, struct build *b, struct step *step, struct err *e)
{
	for (size_t i = 0; i < m->v.n; i++) {
		struct run_mount *r = &m->v.v[i];
		if (!shows_source(r) || r->from_found)
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
	static const char *const sharings[] = { "shared", "private", "locked" };
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
		if (r->m.required)
			json_kv_bool(&k->fields, "required", true);
		if (r->m.type == DF_MOUNT_CACHE) {
			key_str(k, "sharing", sharings[r->m.sharing]);
			key_str(k, "ns", env_get(&m->stage->build->build_args, "BUILDKIT_CACHE_MOUNT_NS"));
		}
		json_kv_bool(&k->fields, "readonly", r->m.readonly);
		if (r->m.has_mode)
			json_kv_int(&k->fields, "mode", r->m.mode);
		if (r->m.has_uid)
			json_kv_int(&k->fields, "uid", r->m.uid);
		if (r->m.has_gid)
			json_kv_int(&k->fields, "gid", r->m.gid);
		if (r->m.size)
			json_kv_int(&k->fields, "size", (int64_t)r->m.size);
		if (r->from.context)
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
		if (r->m.type != DF_MOUNT_BIND || !r->from.n_slots)
			continue;
		int rc = slots_need_trees(b, step, r->from.slots, r->from.n_slots, e);
		if (rc)
			return rc;
	}
	return 0;
}
