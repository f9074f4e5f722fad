#include "file_list_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "changes_priv.h"
#include "store/record.h"

/* ---- writing ---- */

struct file_lines {
	struct strv lines;
	size_t bytes;
};

static void add_content(struct str *line, const struct copy_match *m, const struct fsnode *n)
{
	if (!n && m->content) {
		struct digest d = digest_of(m->content, strlen(m->content));
		str_addf(line, "f 0 - %zu %s", strlen(m->content), digest_hex(&d).s);
		return;
	}
	str_addf(line, "%c %o ", n->type, n->mode);
	if (m->from->context)
		str_add(line, "-");
	else
		str_addf(line, "%u:%u", n->uid, n->gid);
	str_addf(line, " %llu ", (unsigned long long)(n->type == TAR_FILE ? n->size : 0));
	if (n->type == TAR_SYMLINK)
		str_add_printable(line, n->link, strlen(n->link));
	else if (n->type == TAR_FILE && n->has_digest)
		str_add(line, digest_hex(&n->digest).s);
	else
		str_add(line, "-");
}

static int add_line(struct file_lines *l, const struct copy_match *m, const struct fsnode *n, struct err *e)
{
	AUTO(free_drop) char *path = n ? fsnode_path(n) : x_asprintf("<<%s", m->name);
	struct str line = { 0 };
	str_add_printable(&line, path, strlen(path));
	str_addc(&line, '\t');
	add_content(&line, m, n);
	l->bytes += line.len + 1;
	strv_push_taken(&l->lines, str_take(&line));
	if (l->bytes > FILE_LIST_MAX)
		return err_set(e, ERR_SPEC, "more than %d bytes", FILE_LIST_MAX);
	return 0;
}

static int add_file(void *ctx, const struct copy_match *m, const struct copy_spec *spec, struct fsnode *n,
		    const char *name, struct err *e)
{
	struct file_lines *l = ctx;
	(void)spec;
	if (!n && !m->content)
		return 0;
	if (n && n->type == TAR_FILE && m->from->context && context_digest(m->from->context, n, e) < 0)
		return -1;
	/* --parents: what is on the way is copied too, as a directory. */
	for (const struct fsnode *up = n && m->kept && !*name ? n->parent : NULL; up && up != m->base; up = up->parent)
		if (add_line(l, m, up, e) < 0)
			return -1;
	return add_line(l, m, n, e);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *list_name(const char *hex)
{
	return x_asprintf("source/%s", hex);
}

void file_list_keep(struct store *s, const struct digest *content, const struct copy_selection *sel,
		    const struct copy_spec *spec)
{
	AUTO(free_drop) char *name = list_name(digest_hex(content).s);
	AUTO(str_fini) struct str text = { 0 };
	struct file_lines l = { 0 };
	struct err e;
	if (faccessat(s->fd, name, F_OK, 0) == 0)
		return;
	int r = copy_walk(sel, spec, true, add_file, &l, &e);
	if (r == 0 && l.lines.n)
		qsort(l.lines.v, l.lines.n, sizeof *l.lines.v, by_text);
	/* Several files have one directory on their way. */
	for (size_t i = 0; i < l.lines.n && r == 0; i++)
		if (i == 0 || strcmp(l.lines.v[i], l.lines.v[i - 1]) != 0)
			str_addf(&text, "%s\n", l.lines.v[i]);
	strv_fini(&l.lines);
	if (r == 0)
		r = store_file_put(s, name, str_text(&text), text.len, &e);
	if (r < 0)
		log_debug("%s is not kept: %s", name, e.msg);
}

/* ---- comparing ---- */

struct side {
	struct str text;
	char *line; /* at hand; NULL at the end */
	char *rest;
};

static void next(struct side *s)
{
	char *end = strchr(s->rest, '\n');
	s->line = NULL;
	if (!end)
		return;
	*end = '\0';
	s->line = s->rest;
	s->rest = end + 1;
	char *tab = strchr(s->line, '\t');
	if (tab)
		*tab = '\0'; /* the rest is after it */
	else
		s->line = NULL; /* not what we wrote */
}

static const char *value_of(const struct side *s)
{
	return s->line + strlen(s->line) + 1;
}

static int side_open(struct store *s, const char *digest, struct side *ret)
{
	struct digest d;
	struct err e;
	if (digest_parse(digest, &d, &e) < 0)
		return 1;
	AUTO(free_drop) char *name = list_name(digest_hex(&d).s);
	if (store_file_get(s, name, FILE_LIST_MAX, &ret->text, &e) != 0)
		return 1;
	str_add(&ret->text, "");
	ret->rest = ret->text.buf ? ret->text.buf : NULL;
	if (!ret->rest)
		return 0;
	next(ret);
	return 0;
}

struct value {
	char type;
	unsigned mode;
	char owner[32];
	unsigned long long size;
	char content[70]; /* as much of it as people look at */
};

static void value_read(const char *text, struct value *ret)
{
	*ret = (struct value){ 0 };
	(void)sscanf(text, "%c %o %31s %llu %69[^\n]", &ret->type, &ret->mode, ret->owner, &ret->size, ret->content);
}

static char *shown(const struct value *v)
{
	if (v->type != TAR_FILE)
		return x_asprintf("type %c, mode %o, %s", v->type, v->mode, v->content);
	return x_asprintf("mode %o, %llu bytes, sha256:%s", v->mode, v->size, v->content);
}

static char *file_name(const char *path)
{
	return x_strdup(*path == '/' ? path + 1 : *path ? path : ".");
}

/* Just the mode or the owner, where nothing else is different. */
static void add_changed(const char *path, const char *before, const char *now, struct changes *ret)
{
	struct value a, b;
	AUTO(free_drop) char *name = file_name(path);
	value_read(before, &a);
	value_read(now, &b);
	bool content = a.type != b.type || a.size != b.size || strcmp(a.content, b.content) != 0;
	AUTO(free_drop) char *from = content		  ? shown(&a)
				     : a.mode != b.mode ? x_asprintf("mode %o", a.mode)
							: x_asprintf("owner %s", a.owner);
	AUTO(free_drop) char *to = content		? shown(&b)
				   : a.mode != b.mode ? x_asprintf("mode %o", b.mode)
						      : x_asprintf("owner %s", b.owner);
	change_add(ret, "file", name, from, to);
}

static void add_one_side(const char *path, const char *text, bool added, struct changes *ret)
{
	struct value v;
	AUTO(free_drop) char *name = file_name(path);
	value_read(text, &v);
	AUTO(free_drop) char *value = shown(&v);
	change_add(ret, "file", name, added ? NULL : value, added ? value : NULL);
}

enum { NAMED_MAX = 100 };

/* Both are sorted: one pass over the two. */
static size_t merge(struct side *a, struct side *b, struct changes *ret)
{
	size_t found = 0;
	while (a->line || b->line) {
		int order = !a->line ? 1 : !b->line ? -1 : strcmp(a->line, b->line);
		bool differ = order || strcmp(value_of(a), value_of(b)) != 0;
		if (differ && found++ >= NAMED_MAX)
			ret->more++;
		else if (differ && order < 0)
			add_one_side(a->line, value_of(a), false, ret);
		else if (differ && order > 0)
			add_one_side(b->line, value_of(b), true, ret);
		else if (differ)
			add_changed(b->line, value_of(a), value_of(b), ret);
		if (order <= 0)
			next(a);
		if (order >= 0)
			next(b);
	}
	return found;
}

int changes_of_files(struct store *s, const char *before, const char *now, struct changes *ret)
{
	struct side a = { 0 }, b = { 0 };
	int r = side_open(s, before, &a);
	if (r == 0)
		r = side_open(s, now, &b);
	if (r == 0)
		r = merge(&a, &b, ret) ? 0 : 1;
	str_fini(&a.text);
	str_fini(&b.text);
	return r;
}
