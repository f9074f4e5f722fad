/* Which files the source words of COPY and ADD mean. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "context_scan_priv.h"
#include "copy_priv.h"
#include "dockerfile/match.h"

void copy_selection_fini(struct copy_selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].kept);
	vec_fini(s);
	vec_fini(&s->listed);
}

/* The ignore file may be why. */
static int not_found(const struct copy_from *from, const char *path, struct err *e)
{
	const struct context *c = from->context;
	int line;
	err_set(e, ERR_BUILD, "\"%s\": not found", path);
	if (c && c->ignore && df_ignored(c->ignore, path + (*path == '/'), &line))
		return err_hint(e, "%s:%d: %s keeps it out of the context", c->ignore_path, line,
				df_ignore_rule(c->ignore, line));
	return -1;
}

static int nothing_sent(const char *pattern, const char *dir, struct err *e)
{
	err_set(e, ERR_BUILD, "\"%s\": nothing matches, and \"%s\" is not found either", pattern, dir);
	return err_hint(e, "a directory is part of the context when some instruction names a file in it");
}

static struct copy_match *add(struct copy_selection *s, struct copy_from *from, struct fsnode *node, const char *name)
{
	struct copy_match *m = vec_add(s);
	m->from = from;
	m->node = node;
	m->name = name;
	return m;
}

static int by_word(const void *a, const void *b)
{
	const struct copy_match *x = a, *y = b;
	if (x->word != y->word)
		return x->word < y->word ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

void copy_selection_sort(struct copy_selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->v[i].rank = i;
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, by_word);
}

/* The node itself, or what it leads to when it is a link (CP-08); ret NULL when it leads nowhere. */
static int follow(struct fsview *v, struct fsnode *n, struct fsnode **ret, struct err *e)
{
	AUTO(free_drop) char *path = fsnode_path(n);
	if (n->type != TAR_SYMLINK) {
		*ret = n;
		return 0;
	}
	return fsview_lookup(v, path, true, ret, NULL, e);
}

/* The kids of the directories in `in` that match one pattern component. Directories are not entered through links. */
static int match_component(struct fsview *v, const struct fsnode *const *in, size_t n, const char *pattern,
			   struct copy_selection *sel, struct fsnode ***ret, size_t *ret_n, struct err *e)
{
	VEC(struct fsnode *) out = { 0 };
	for (size_t i = 0; i < n; i++) {
		struct fsnode *dir = (struct fsnode *)in[i];
		if (dir->type != TAR_DIR)
			continue;
		vec_push(&sel->listed, dir);
		if (fsview_kids(v, dir, e) < 0)
			goto fail;
		for (size_t k = 0; k < dir->n_kids; k++) {
			int m = df_match(pattern, dir->kids[k]->name, e);
			if (m < 0)
				goto fail;
			if (m)
				vec_push(&out, dir->kids[k]);
		}
	}
	*ret = out.v;
	*ret_n = out.n;
	return 0;
fail:
	vec_fini(&out);
	return -1;
}

static int match_all(struct fsview *v, struct fsnode *base, const char *p, struct copy_selection *sel,
		     struct fsnode ***ret, size_t *ret_n, struct err *e)
{
	VEC(struct fsnode *) found = { 0 };
	vec_push(&found, base);
	while (*p) {
		size_t len = strcspn(p, "/"), n;
		AUTO(free_drop) char *pattern = x_strndup(p, len);
		struct fsnode **next;
		int r = match_component(v, (const struct fsnode *const *)found.v, found.n, pattern, sel, &next, &n, e);
		vec_fini(&found);
		if (r < 0)
			return -1;
		found.v = next;
		found.n = found.cap = n;
		p += len;
		p += *p == '/';
	}
	*ret = found.v;
	*ret_n = found.n;
	return 0;
}

/* Where the patterns of a path begin: at the first component with a wildcard. */
static const char *first_pattern(const char *path)
{
	const char *p = path;
	for (;;) {
		size_t len = strcspn(p, "/");
		AUTO(free_drop) char *component = x_strndup(p, len);
		if (df_has_wildcard(component) || !p[len])
			return p;
		p += len + 1;
	}
}

/* One is the other, or somewhere below it. */
static bool on_one_way(const struct fsnode *a, const struct fsnode *b)
{
	for (const struct fsnode *n = a; n; n = n->parent)
		if (n == b)
			return true;
	for (const struct fsnode *n = b; n; n = n->parent)
		if (n == a)
			return true;
	return false;
}

/* Everything below `base` that the pattern names, with the path to keep. An iterative walk over open directories. */
static int select_below(struct copy_from *from, struct fsnode *base, const char *pattern, struct copy_selection *ret,
			struct err *e)
{
	struct df_ignore *include = NULL;
	AUTO(strv_fini) struct strv patterns = { 0 };
	strv_push(&patterns, pattern);
	if (df_ignore_from_patterns(&patterns, &include, e) < 0)
		return -1;
	AUTO(free_drop) char *prefix = fsnode_path(base);
	size_t skip = *prefix ? strlen(prefix) + 1 : 0;
	VEC(struct fsnode *) todo = { 0 };
	vec_push(&todo, base);
	int r = 0;
	while (todo.n && r == 0) {
		struct fsnode *dir = todo.v[--todo.n];
		vec_push(&ret->listed, dir);
		r = fsview_kids(from->view, dir, e);
		for (size_t i = 0; i < dir->n_kids && r == 0; i++) {
			struct fsnode *kid = dir->kids[i];
			AUTO(free_drop) char *path = fsnode_path(kid);
			if (df_ignored(include, path + skip, NULL)) {
				struct copy_match *m = add(ret, from, kid, kid->name);
				m->kept = x_strdup(path + skip);
				m->base = base;
			} else if (kid->type == TAR_DIR) {
				vec_push(&todo, kid);
			}
		}
	}
	vec_fini(&todo);
	df_ignore_free(include);
	return r;
}

/* What one word names: nodes, as matches of `ret`. "**" goes through directories, as the reference sends them. */
static int word_nodes(struct copy_from *from, const char *word, struct copy_selection *ret, struct err *e)
{
	struct fsview *v = from->view;
	AUTO(free_drop) char *path = path_rooted(word);
	if (strstr(path, "**"))
		return select_below(from, v->root, path + 1, ret, e);
	const char *pattern = first_pattern(path + 1);
	AUTO(free_drop) char *fixed = x_strndup(path, (size_t)(pattern - path));
	struct fsnode *base, **found;
	size_t n;
	if (fsview_lookup(v, fixed, true, &base, NULL, e) < 0)
		return -1;
	if (!base)
		return 0;
	if (match_all(v, base, pattern, ret, &found, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		add(ret, from, found[i], found[i]->name);
	free(found);
	return 0;
}

/*
 * A file or directory of a context is there when an instruction names it, something in it or a directory above it: the
 * reference is sent nothing else.
 */
static int is_sent(struct copy_from *from, const struct fsnode *node, struct copy_selection *sel, struct err *e)
{
	int r = !from->named || !node->parent;
	for (size_t i = 0; r == 0 && i < from->named->n; i++) {
		struct copy_selection s = { 0 };
		r = word_nodes(from, from->named->v[i], &s, e);
		for (size_t k = 0; k < s.n && r == 0; k++)
			r = on_one_way(s.v[k].node, node);
		for (size_t k = 0; k < s.listed.n; k++)
			vec_push(&sel->listed, s.listed.v[k]);
		copy_selection_fini(&s);
	}
	return r;
}

/* `path` is rooted and clean; its first component with a wildcard and all after it are patterns. */
static int select_wildcard(struct copy_from *from, const char *path, struct copy_selection *ret, struct err *e)
{
	struct fsview *v = from->view;
	const char *pattern = first_pattern(path + 1);
	AUTO(free_drop) char *fixed = x_strndup(path, (size_t)(pattern - path));
	struct fsnode *base, **found;
	size_t n;
	if (fsview_lookup(v, fixed, true, &base, NULL, e) < 0)
		return -1;
	if (!base)
		return not_found(from, fixed, e);
	if (match_all(v, base, pattern, ret, &found, &n, e) < 0)
		return -1;
	int r = 0;
	if (!n) {
		r = is_sent(from, base, ret, e);
		r = r < 0 ? -1 : r ? 0 : nothing_sent(path, fixed, e);
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		struct fsnode *node;
		r = follow(v, found[i], &node, e);
		if (r == 0 && !node) {
			AUTO(free_drop) char *where = fsnode_path(found[i]);
			r = not_found(from, where, e);
		}
		if (r == 0)
			add(ret, from, node, found[i]->name);
	}
	free(found);
	return r;
}

static int select_literal(struct copy_from *from, const char *path, struct copy_selection *ret, struct err *e)
{
	struct fsnode *node;
	if (fsview_lookup(from->view, path, true, &node, NULL, e) < 0)
		return -1;
	if (!node)
		return not_found(from, path, e);
	/* The name is the one written, not the one a link leads to. */
	add(ret, from, node, arena_strdup(&from->view->arena, path_base(path)));
	return 0;
}

/* ---- --parents (CP-19) ---- */

/*
 * What a path without wildcards names. It is matched name by name from `base`, so that a link on the way, which is no
 * directory, hides what it leads to.
 */
static int select_exact(struct copy_from *from, struct fsnode *base, const char *kept, struct copy_selection *ret,
			struct err *e)
{
	AUTO(free_drop) char *rest = x_strdup(kept);
	struct fsnode *node = base;
	char *save = NULL;
	for (char *name = strtok_r(rest, "/", &save); name && node; name = strtok_r(NULL, "/", &save))
		if (node->type != TAR_DIR)
			node = NULL;
		else if (fsview_child(from->view, node, name, &node, e) < 0)
			return -1;
	if (!node || node == base)
		return 0;
	struct copy_match *m = add(ret, from, node, node->name);
	m->kept = x_strdup(kept);
	m->base = base;
	return 0;
}

/* What `kept`, a pattern or a path, names below one base; the destination itself is made even when that is nothing. */
static int select_kept(struct copy_from *from, struct fsnode *base, const char *kept, struct copy_selection *ret,
		       struct err *e)
{
	struct copy_match *m = add(ret, from, base, base->name);
	m->base = base;
	m->kept = x_strdup("");
	return df_has_wildcard(kept) ? select_below(from, base, kept, ret, e)
				     : select_exact(from, base, kept, ret, e);
}

/* A file that stands where a base is expected is copied as without --parents. */
static int select_in_bases(struct copy_from *from, const struct copy_selection *bases, bool wild, const char *kept,
			   struct copy_selection *ret, struct err *e)
{
	for (size_t i = 0; i < bases->n; i++) {
		struct fsnode *node = bases->v[i].node;
		int sent = is_sent(from, node, ret, e);
		if (sent < 0)
			return -1;
		if (!sent && !wild)
			return nothing_sent(kept, node->name, e);
		if (!sent)
			continue;
		if (node->type != TAR_DIR)
			add(ret, from, node, bases->v[i].name);
		else if (select_kept(from, node, kept, ret, e) < 0)
			return -1;
	}
	return 0;
}

static int select_parents(struct copy_from *from, const char *source, struct copy_selection *ret, struct err *e)
{
	const char *pivot = strstr(source, "/./");
	AUTO(free_drop) char *base_text = pivot ? x_strndup(source, (size_t)(pivot - source)) : x_strdup("");
	AUTO(free_drop) char *base_path = path_rooted(base_text);
	AUTO(free_drop) char *kept = path_rooted(pivot ? pivot + 3 : source);
	struct copy_selection bases = { 0 };
	struct fsnode *node;
	bool wild = df_has_wildcard(base_path);
	if (!wild && !df_has_wildcard(kept)) {
		AUTO(free_drop) char *whole = path_join(base_path, kept);
		if (fsview_lookup(from->view, whole, false, &node, NULL, e) < 0)
			return -1;
		if (!node)
			return not_found(from, whole, e);
	}
	int r = wild ? select_wildcard(from, base_path, &bases, e) : select_literal(from, base_path, &bases, e);
	for (size_t i = 0; i < bases.listed.n; i++)
		vec_push(&ret->listed, bases.listed.v[i]);
	if (r == 0)
		r = select_in_bases(from, &bases, wild, kept + 1, ret, e);
	copy_selection_fini(&bases);
	return r;
}

int copy_select(struct copy_from *from, const struct copy_spec *spec, struct copy_selection *ret, struct err *e)
{
	size_t word = 0;
	for (size_t i = 0; i < spec->sources.n; i++, word++) {
		AUTO(free_drop) char *path = path_rooted(spec->sources.v[i]);
		size_t first = ret->n;
		int r;
		word = copy_word_next(spec, COPY_LOCAL, word);
		if (spec->parents)
			r = select_parents(from, spec->sources.v[i], ret, e);
		else if (!spec->literal && df_has_wildcard(path))
			r = select_wildcard(from, path, ret, e);
		else
			r = select_literal(from, path, ret, e);
		if (r < 0)
			return -1;
		for (size_t k = first; k < ret->n; k++)
			ret->v[k].word = word;
	}
	for (size_t i = 0; i < spec->files.n; i++) {
		struct copy_match *m = add(ret, from, NULL, spec->files.v[i].name);
		m->content = spec->files.v[i].text;
		m->word = spec->words.n;
	}
	return 0;
}

/* ---- everything that is selected ---- */

/* The path of the node that is visited; the part of its directory stays for the next. */
struct walk_path {
	struct str text;
	const struct fsnode *dir; /* whose path is the first `base` bytes; NULL: no one's */
	size_t base;
};

static const char *walk_to(struct walk_path *p, const struct fsnode *n)
{
	if (!n->parent)
		return "";
	if (n->parent != p->dir) {
		AUTO(free_drop) char *dir = fsnode_path(n->parent);
		str_clear(&p->text);
		str_add(&p->text, dir);
		if (*dir)
			str_addc(&p->text, '/');
		p->dir = n->parent;
		p->base = p->text.len;
	}
	p->text.len = p->base;
	str_add(&p->text, n->name);
	return p->text.buf;
}

static int walk_match(const struct copy_match *m, const struct copy_spec *spec, const struct df_ignore *exclude,
		      bool contents, copy_visit_fn *visit, void *ctx, struct err *e)
{
	VEC(struct fsnode *) todo = { 0 };
	struct walk_path at = { 0 };
	if (!m->node || (m->kept && !*m->kept))
		return visit(ctx, m, spec, NULL, "", e);
	if (m->from->context && !exclude)
		context_scan_all(m->from->context, m->node, contents);
	size_t skip = copy_match_skip(m);
	int r = 0;
	vec_push(&todo, m->node);
	while (todo.n && r == 0) {
		struct fsnode *n = todo.v[--todo.n];
		const char *path = walk_to(&at, n), *name = n == m->node ? "" : path + skip, *seen = m->kept ? path + skip : name;
		if (*seen && exclude && df_ignored(exclude, seen, NULL) &&
		    !(n->type == TAR_DIR && df_ignore_may_reinclude(exclude, seen)))
			continue;
		r = visit(ctx, m, spec, n, name, e);
		if (r < 0 || n->type != TAR_DIR)
			continue;
		r = fsview_kids(m->from->view, n, e);
		for (size_t i = n->n_kids; i > 0 && r == 0; i--)
			vec_push(&todo, n->kids[i - 1]);
	}
	vec_fini(&todo);
	str_fini(&at.text);
	return r;
}

int copy_walk(const struct copy_selection *s, const struct copy_spec *spec, bool contents, copy_visit_fn *visit,
	      void *ctx, struct err *e)
{
	struct df_ignore *exclude = NULL;
	int r = 0;
	if (spec->excludes.n && df_ignore_from_patterns(&spec->excludes, &exclude, e) < 0)
		return -1;
	for (size_t i = 0; i < s->n && r == 0; i++)
		r = walk_match(&s->v[i], spec, exclude, contents, visit, ctx, e);
	df_ignore_free(exclude);
	return r;
}

/* ---- the digest ---- */

size_t copy_match_skip(const struct copy_match *m)
{
	AUTO(free_drop) char *prefix = fsnode_path(m->kept ? m->base : m->node);
	return *prefix ? strlen(prefix) + 1 : 0;
}

/* --parents: directories on the way become what they are in the source (CP-19). */
static void digest_kept(struct sha *s, const struct copy_match *m, bool image)
{
	const struct fsnode *up = m->node ? m->node->parent : NULL;
	for (; up && up != m->base; up = up->parent) {
		const uint32_t facts[] = { up->mode, image ? up->uid : 0, image ? up->gid : 0 };
		sha_add(s, facts, sizeof facts);
	}
}

static int digest_node(void *ctx, const struct copy_match *m, const struct copy_spec *spec, struct fsnode *n,
		       const char *name, struct err *e)
{
	struct sha *s = ctx;
	const struct copy_from *from = m->from;
	if (!*name)
		sha_add_str(s, m->kept ? m->kept : m->name);
	if (!*name && m->kept)
		digest_kept(s, m, spec->from_image);
	if (!n) {
		if (m->content)
			sha_add_str(s, m->content);
		return 0;
	}
	const bool image = spec->from_image, device = n->type == TAR_CHAR || n->type == TAR_BLOCK;
	const uint32_t facts[] = {
		(uint32_t)n->type, n->mode, image ? n->uid : 0, image ? n->gid : 0, device ? n->major : 0,
		device ? n->minor : 0,
	};
	sha_add(s, facts, sizeof facts);
	sha_add_str(s, name);
	if (n->type == TAR_SYMLINK)
		sha_add_str(s, n->link);
	for (size_t i = 0; n->xattrs && i < n->xattrs->n; i++) {
		if (strcmp(n->xattrs->v[i].name, "security.capability") != 0)
			continue;
		sha_add_str(s, n->xattrs->v[i].name);
		sha_add(s, n->xattrs->v[i].value, n->xattrs->v[i].len);
	}
	if (n->type != TAR_FILE)
		return 0;
	if (from->context && context_digest(from->context, n, e) < 0)
		return -1;
	if (from->remote)
		sha_add(s, &n->mtime, sizeof n->mtime); /* a server's statement, part of what was fetched */
	if (n->has_digest) {
		sha_add(s, n->digest.b, sizeof n->digest.b);
		return 0;
	}
	/* A file of an image whose content was never read: it is what it is in that layer. */
	sha_add(s, from->slots[n->layer]->layer.diffid.d.b, DIGEST_BYTES);
	sha_add_str(s, n->layer_path);
	return 0;
}

int copy_digest(const struct copy_selection *sel, const struct copy_spec *spec, struct digest *ret, struct err *e)
{
	struct sha s;
	sha_init(&s);
	if (copy_walk(sel, spec, true, digest_node, &s, e) < 0) {
		sha_drop(&s);
		return -1;
	}
	*ret = sha_end(&s);
	return 0;
}
