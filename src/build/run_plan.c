/* The mounts of a RUN as the sandbox wants them, with the variables that secrets and agents bring. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "run_mount_priv.h"

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
	if (!r->from.context) { /* of no layers at all, when it comes from scratch */
		lower_of(r);
		s->kind = SANDBOX_MOUNT_TREE;
		s->lower_fds = r->lower;
		s->n_lower = r->from.n_slots;
		s->subpath = x_strdup(source);
		return 0;
	}
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
	int rc = secret_value(&b->secrets, id, &r->secret, e);
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
	const struct ssh_agent *given = ssh_find(&b->ssh, id);
	*ret_used = given != NULL;
	if (!given && r->m.required)
		return err_set(e, ERR_BUILD, "unset ssh forward key %s; give it with --ssh %s", id, id);
	if (!given)
		return 0;
	if (work_dir(b, &work, &dir, NULL, e) < 0 ||
	    agent_start(&r->agent, dir, "agent", r->m.has_mode ? r->m.mode : 0600, given->socket_fd,
			given->raw, e) < 0)
		return -1;
	s->kind = SANDBOX_MOUNT_BIND;
	s->source_fd = r->agent.socket_fd;
	s->uid = r->m.has_uid ? r->m.uid : 0;
	s->gid = r->m.has_gid ? r->m.gid : 0;
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
	run_mounts_plan_free(m);
	m->planned = x_alloc((m->v.n + 3) * sizeof *m->planned);
	plan_file(m, "/etc/resolv.conf", b->resolv_text[plan->net], 0644, true);
	plan_file(m, "/etc/hosts", b->hosts_text, 0644, true);
	if (script) {
		AUTO(free_drop) char *path = x_asprintf("/dev/pipes/%s", script_name);
		plan_file(m, path, script, 0755, false);
		m->planned[m->n_planned - 1].exec = true;
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
			s.readonly = r->m.readonly;
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
