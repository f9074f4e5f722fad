#include "context_reads_priv.h"

#include <stdlib.h>

#include "copy_priv.h"
#include "graph_priv.h"
#include "run_mounts_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"
#include "dockerfile/mount.h"

/* Hangs on a file of a context: the last entry that has it. */
struct read_mark { size_t entry; };

void context_reads_fini(struct context_reads *r)
{
	for (size_t i = 0; i < r->v.n; i++) {
		vec_fini(&r->v.v[i].files);
		free(r->v.v[i].error);
	}
	vec_fini(&r->v);
	strv_fini(&r->unknown);
}

/* One entry for all mounts of an instruction from one directory. */
static struct context_read *entry_of(struct context_reads *r, const struct stage *st, const struct df_instruction *in,
				     struct context *c)
{
	for (size_t i = r->v.n; i > 0 && r->v.v[i - 1].in == in; i--)
		if (r->v.v[i - 1].context == c)
			return &r->v.v[i - 1];
	struct context_read *new = vec_add(&r->v);
	new->stage = st;
	new->in = in;
	new->context = c;
	return new;
}

struct gather { struct context_reads *reads; struct context_read *entry; };

static int gather_node(void *ctx, const struct copy_match *m, const struct copy_spec *spec, struct fsnode *n,
		       const char *name, struct err *e)
{
	struct gather *g = ctx;
	(void)spec;
	(void)name;
	(void)e;
	if (!n || n->type == TAR_DIR)
		return 0;
	struct read_mark *mark = n->mark;
	size_t number = 1 + (size_t)(g->entry - g->reads->v.v);
	if (!mark) {
		n->mark = mark = arena_alloc(&m->from->view->arena, sizeof *mark);
		g->reads->count.files++;
		g->reads->count.size += n->size;
	}
	if (mark->entry == number)
		return 0;
	mark->entry = number;
	vec_push(&g->entry->files, n);
	g->entry->count.files++;
	g->entry->count.size += n->size;
	return 0;
}

/* The directory that --from or from= means; *ret NULL: an image or a stage. */
static int find_context(const struct graph *g, const char *from, struct context **ret, struct err *e)
{
	struct build *b = g->build;
	struct named_context *named = from ? named_context_find(g, from) : NULL;
	*ret = NULL;
	if (from && !(named && named->is_dir))
		return 0;
	struct context *c = named ? &named->dir : &b->context;
	if (context_open(b, c, named ? NULL : b->file_path, e) < 0)
		return -1;
	*ret = c;
	return 0;
}

static int add(struct context_reads *r, const struct stage *st, const struct df_instruction *in, const char *from_name,
	       const struct copy_spec *spec, struct err *e)
{
	struct context *c;
	struct copy_selection s = { 0 };
	struct err why;
	if (find_context(st->graph, from_name, &c, e) < 0)
		return -1;
	if (!c || !spec->sources.n)
		return 0;
	struct copy_from from = { .context = c, .view = &c->view, .spool_fd = -1 };
	struct gather g = { .reads = r, .entry = entry_of(r, st, in, c) };
	if ((copy_select(&from, spec, &s, &why) < 0 || copy_walk(&s, spec, false, gather_node, &g, &why) < 0) &&
	    !g.entry->error)
		g.entry->error = x_strdup(why.msg);
	copy_selection_fini(&s);
	return 0;
}

int context_reads_copy(struct context_reads *r, const struct stage *st, const struct df_instruction *in,
		       const struct df_scope *scope, struct err *e)
{
	struct copy_spec spec = { 0 };
	AUTO(free_drop) char *dest = NULL;
	int rc = copy_spec_read(in, scope, "/", &spec, &dest, e);
	if (rc == 0)
		rc = add(r, st, in, df_flag_get(in, "from"), &spec, e);
	copy_spec_fini(&spec);
	return rc;
}

int context_reads_mount(struct context_reads *r, const struct stage *st, const struct df_instruction *in,
			const struct df_mount *m, struct err *e)
{
	struct copy_spec spec = { 0 };
	/* Those of the other types come from nowhere, or start empty. */
	if (m->type != DF_MOUNT_BIND && !(m->type == DF_MOUNT_CACHE && m->from))
		return 0;
	mount_spec(m, &spec);
	int rc = add(r, st, in, m->from, &spec, e);
	strv_fini(&spec.sources);
	return rc;
}
