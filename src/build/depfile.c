#include "depfile_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "copy_priv.h"

struct depfile {
	struct strv paths;
};

/* ---- what depends ---- */

static char *path_below(const struct context *c, const struct fsnode *n)
{
	AUTO(free_drop) char *below = fsnode_path(n);
	size_t len = strlen(c->path);
	while (len > 1 && c->path[len - 1] == '/')
		len--;
	if (!*below)
		return x_strndup(c->path, len);
	return x_asprintf("%.*s%s%s", (int)len, c->path, c->path[len - 1] == '/' ? "" : "/", below);
}

/*
 * A directory is one dependency for the names in it. Links and special files are left to their directory: make would
 * look at what a link leads to, and none of them changes without being replaced.
 */
static void add_node(struct depfile *d, const struct context *c, const struct fsnode *n)
{
	if (n->type != TAR_DIR && n->type != TAR_FILE && n->parent)
		n = n->parent;
	strv_push_taken(&d->paths, path_below(c, n));
}

static int visit(void *ctx, const struct copy_match *m, const struct copy_spec *spec, struct fsnode *n,
		 const char *name, struct err *e)
{
	(void)spec;
	(void)name;
	(void)e;
	if (n)
		add_node(ctx, m->from->context, n);
	return 0;
}

int depfile_add(struct depfile *d, struct copy_from *from, const struct copy_spec *spec, struct err *e)
{
	struct copy_selection s = { 0 };
	if (!from->context || from->context->kind != CONTEXT_DIR)
		return 0;
	int r = copy_select(from, spec, &s, e);
	if (r == 0)
		r = copy_walk(&s, spec, false, visit, d, e);
	for (size_t i = 0; i < s.listed.n && r == 0; i++)
		add_node(d, from->context, s.listed.v[i]);
	copy_selection_fini(&s);
	return r;
}

static int add_steps(struct depfile *d, struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->stages.n; i++) {
		const struct stage *st = b->stages.v[i];
		for (size_t k = 0; k < st->steps.n; k++) {
			struct step *step = st->steps.v[k];
			int r = 0;
			if (step->in->op == DF_COPY || step->in->op == DF_ADD)
				r = step_copy_depends(step, d, e);
			else if (step->in->op == DF_RUN)
				r = step_run_depends(step, d, e);
			if (r < 0)
				return -1;
		}
	}
	return 0;
}

static void add_texts(struct depfile *d, const struct build *b)
{
	if (b->file_is_local)
		strv_push(&d->paths, b->file_path);
	for (size_t i = 0; i <= b->contexts.n; i++) {
		const struct context *c = i ? &b->contexts.v[i - 1]->dir : &b->context;
		if (c->ignore_path)
			strv_push(&d->paths, c->ignore_path);
	}
}

/* ---- how it is written ---- */

/*
 * One name, as both programs read it: "\" before a blank, "#" and ":", "$" twice. False for what one of them takes apart
 * however it is written: control characters, ";" and "|", a "\" that stands before a quoted character or at the end, and
 * what looks like an assignment.
 */
static bool add_name(struct str *out, const char *name)
{
	AUTO(str_fini) struct str text = { 0 };
	size_t slashes = 0;
	if (name[strspn(name, "+?!:")] == '=')
		return false;
	for (const char *p = name; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f || *p == ';' || *p == '|' || (*p == '\\' && !p[1]))
			return false;
		if ((*p == '#' || *p == ':') && slashes)
			return false;
		for (; *p == ' ' && slashes; slashes--)
			str_addc(&text, '\\');
		if (strchr(" #:", *p))
			str_addc(&text, '\\');
		if (*p == '$')
			str_addc(&text, '$');
		str_addc(&text, *p);
		slashes = *p == '\\' ? slashes + 1 : 0;
	}
	str_add(out, str_text(&text));
	return true;
}

/* What the rule makes: the first of these that there is. */
static char *target_of(const struct build *b)
{
	const struct build_options *o = b->options;
	if (o->iidfile)
		return x_strdup(o->iidfile);
	for (size_t i = 0; i < b->outputs.n; i++)
		if (b->outputs.v[i].dest)
			return x_strdup(b->outputs.v[i].dest);
	return o->tags.n ? x_strdup(o->tags.v[0]) : NULL;
}

int depfile_check(const struct build *b, struct err *e)
{
	AUTO(free_drop) char *target = target_of(b);
	AUTO(str_fini) struct str text = { 0 };
	if (!b->options->depfile)
		return 0;
	if (!target)
		return err_set(e, ERR_USAGE,
			       "--depfile needs a name for what depends: --iidfile, -o with a destination, or -t");
	if (strpbrk(target, "=%&") || !add_name(&text, target))
		return err_set(e, ERR_USAGE, "--depfile: make and ninja would not read \"%s\" as the name of a target",
			       target);
	return 0;
}

/* Those with a "=" last: make takes a rule that begins with one for an assignment. */
static int by_name(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	bool assigns = strchr(x, '='), other = strchr(y, '=');
	return assigns != other ? assigns - other : strcmp(x, y);
}

static void warn_left_out(size_t n, const char *first)
{
	AUTO(str_fini) struct str name = { 0 };
	str_add_printable(&name, first, strlen(first));
	log_warn("--depfile: %zu path%s left out, which make or ninja would not read as one name; the first is %s", n,
		 n == 1 ? " was" : "s were", name.buf);
}

/*
 * TARGET: PATH \
 *   PATH …
 * PATH:
 * The rules without anything tell make that a file which is gone has changed.
 */
static void write_rules(struct depfile *d, const char *target, struct str *out)
{
	AUTO(str_fini) struct str gone = { 0 };
	size_t left_out = 0, written = 0;
	const char *first = NULL, *last = NULL;
	add_name(out, target);
	str_add(out, ":");
	if (d->paths.n)
		qsort(d->paths.v, d->paths.n, sizeof *d->paths.v, by_name);
	for (size_t i = 0; i < d->paths.n; i++) {
		AUTO(str_fini) struct str name = { 0 };
		const char *path = d->paths.v[i];
		if (last && strcmp(path, last) == 0)
			continue;
		last = path;
		if ((!written && strchr(path, '=')) || !add_name(&name, path)) {
			first = left_out++ ? first : path;
			continue;
		}
		written++;
		str_addf(out, " \\\n  %s", name.buf);
		if (!strpbrk(path, "=%&"))
			str_addf(&gone, "%s:\n", name.buf);
	}
	str_addf(out, "\n%s", str_text(&gone));
	if (left_out)
		warn_left_out(left_out, first);
}

/* In a worker, since it may look at many files. */
static int make_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct build *b = ctx;
	struct depfile d = { 0 };
	AUTO(free_drop) char *target = target_of(b);
	(void)r;
	int rc = add_steps(&d, b, e);
	if (rc == 0) {
		add_texts(&d, b);
		write_rules(&d, target, result);
	}
	strv_fini(&d.paths);
	return rc;
}

int depfile_make(struct build *b, struct str *ret, struct err *e)
{
	struct worker w;
	if (worker_start(&w, "nacre-depfile", make_work, b, e) < 0 || worker_wait(&w, NULL, NULL, ret, e) < 0)
		return -1;
	return 0;
}
