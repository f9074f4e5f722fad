/* The listing of `nacre context ls`, as a table and as JSON (drawn in nacre-context.1). */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "check_priv.h"
#include "context_reads_priv.h"
#include "git_priv.h"
#include "dockerfile/ignore.h"

struct listing_part { struct context *context; struct context_rest rest; };

struct context_listing {
	struct build *b;
	struct context_reads reads;
	VEC(struct listing_part) parts; /* of every directory that was opened */
};

static void listing_free(struct context_listing *l)
{
	context_reads_fini(&l->reads);
	for (size_t i = 0; i < l->parts.n; i++)
		context_rest_fini(&l->parts.v[i].rest);
	vec_fini(&l->parts);
}

/* ---- JSON ---- */

static void put_count(struct json_out *o, const struct file_count *c)
{
	json_kv_int(o, "files", (int64_t)c->files);
	json_kv_int(o, "size", (int64_t)c->size);
}

static void put_count_as(struct json_out *o, const char *key, const struct file_count *c)
{
	json_put_key(o, key);
	json_begin(o, '{');
	put_count(o, c);
	json_end(o, '}');
}

static void put_drop(struct json_out *o, const struct context *c, const struct context_drop *d)
{
	const char *pattern = df_ignore_rule(c->ignore, d->line);
	json_begin(o, '{');
	json_kv_str(o, "path", d->path);
	json_kv_bool(o, "directory", d->is_dir);
	put_count(o, &d->count);
	if (d->incomplete)
		json_kv_bool(o, "incomplete", true);
	json_put_key(o, "rule");
	json_begin(o, '{');
	json_kv_str(o, "file", c->ignore_path);
	json_kv_int(o, "line", d->line);
	json_kv_str(o, "pattern", pattern ? pattern : "");
	json_end(o, '}');
	json_end(o, '}');
}

static void put_part(struct json_out *o, const struct listing_part *p)
{
	AUTO(free_drop) char *shown = git_url_shown(p->context->path);
	json_begin(o, '{');
	json_put_key(o, "name");
	if (p->context->name)
		json_put_str(o, p->context->name);
	else
		json_put_null(o);
	json_kv_str(o, "path", shown);
	json_put_key(o, "dropped");
	json_begin(o, '[');
	for (size_t i = 0; i < p->rest.drops.n; i++)
		put_drop(o, p->context, &p->rest.drops.v[i]);
	json_end(o, ']');
	put_count_as(o, "droppedTotal", &p->rest.dropped);
	put_count_as(o, "unread", &p->rest.unread);
	json_end(o, '}');
}

static void put_read(struct json_out *o, const struct context_read *r)
{
	json_begin(o, '{');
	json_kv_str(o, "stage", r->stage->label);
	json_kv_int(o, "line", r->in->line);
	json_kv_str(o, "instruction", r->in->text);
	json_put_key(o, "context");
	if (r->context->name)
		json_put_str(o, r->context->name);
	else
		json_put_null(o);
	json_put_key(o, "read");
	json_begin(o, '[');
	for (size_t i = 0; i < r->files.n; i++) {
		AUTO(free_drop) char *path = fsnode_path(r->files.v[i]);
		json_begin(o, '{');
		json_kv_str(o, "path", path);
		json_kv_int(o, "size", (int64_t)r->files.v[i]->size);
		json_end(o, '}');
	}
	json_end(o, ']');
	put_count(o, &r->count);
	if (r->error)
		json_kv_str(o, "error", r->error);
	json_end(o, '}');
}

static void write_json(const struct context_listing *l, struct str *out)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_put_key(&o, "instructions");
	json_begin(&o, '[');
	for (size_t i = 0; i < l->reads.v.n; i++)
		put_read(&o, &l->reads.v.v[i]);
	json_end(&o, ']');
	put_count_as(&o, "total", &l->reads.count);
	json_put_key(&o, "contexts");
	json_begin(&o, '[');
	for (size_t i = 0; i < l->parts.n; i++)
		put_part(&o, &l->parts.v[i]);
	json_end(&o, ']');
	json_kv_strv(&o, "unknownImages", &l->reads.unknown);
	json_end(&o, '}');
	AUTO(free_drop) char *text = json_out_take(&o);
	str_addf(out, "%s\n", text);
}

/* ---- the table ---- */

static void add_name(struct str *out, const char *name)
{
	str_add_printable(out, name, strlen(name));
}

static void add_size_column(struct str *out, uint64_t size)
{
	AUTO(str_fini) struct str text = { 0 };
	str_add_size(&text, size);
	str_addf(out, "%10s  ", text.buf);
}

static void add_sum(struct str *out, const char *what, const struct file_count *c)
{
	str_addf(out, "%s: %llu file%s, ", what, (unsigned long long)c->files, c->files == 1 ? "" : "s");
	str_add_size(out, c->size);
	str_add(out, "\n");
}

enum { TEXT_MAX = 100 };

static void add_read(struct str *out, const struct build *b, const struct context_read *r)
{
	size_t n = strcspn(r->in->text, "\n"), cut = n < TEXT_MAX ? n : TEXT_MAX;
	while (cut < n && cut && ((unsigned char)r->in->text[cut] & 0xc0) == 0x80)
		cut--; /* not within a character */
	add_name(out, b->file_name);
	str_addf(out, ":%d  ", r->in->line);
	str_add_printable(out, r->in->text, cut);
	str_add(out, cut < strlen(r->in->text) ? "...\n" : "\n");
	for (size_t i = 0; i < r->files.n; i++) {
		AUTO(free_drop) char *path = fsnode_path(r->files.v[i]);
		add_size_column(out, r->files.v[i]->size);
		add_name(out, path);
		str_add(out, "\n");
	}
	if (r->error)
		str_addf(out, "  would fail: %s\n", r->error);
	str_add(out, "  ");
	add_sum(out, "read", &r->count);
	str_add(out, "\n");
}

static void add_part(struct str *out, const struct listing_part *p)
{
	const struct context *c = p->context;
	AUTO(str_fini) struct str what = { 0 };
	if (c->name) {
		str_add(&what, "of context ");
		add_name(&what, c->name);
		str_add(&what, " ");
	}
	for (size_t i = 0; i < p->rest.drops.n; i++) {
		const struct context_drop *d = &p->rest.drops.v[i];
		const char *pattern = df_ignore_rule(c->ignore, d->line);
		if (i == 0)
			str_addf(out, "Dropped %sby the ignore file\n", str_text(&what));
		add_size_column(out, d->count.size);
		add_name(out, d->path);
		if (d->is_dir)
			str_addf(out, "/ (%s%llu file%s)", d->incomplete ? "at least " : "",
				 (unsigned long long)d->count.files, d->count.files == 1 ? "" : "s");
		str_add(out, "  ");
		add_name(out, c->ignore_path);
		str_addf(out, ":%d: ", d->line);
		add_name(out, pattern ? pattern : "");
		str_add(out, "\n");
	}
	if (p->rest.drops.n) {
		str_add(out, "  ");
		add_sum(out, "dropped", &p->rest.dropped);
		str_add(out, "\n");
	}
	AUTO(free_drop) char *unread = x_asprintf("Not read %sby any instruction", str_text(&what));
	add_sum(out, unread, &p->rest.unread);
}

static void write_table(const struct context_listing *l, struct str *out)
{
	for (size_t i = 0; i < l->reads.v.n; i++)
		add_read(out, l->b, &l->reads.v.v[i]);
	for (size_t i = 0; i < l->parts.n; i++)
		add_part(out, &l->parts.v[i]);
	add_sum(out, "Read in all", &l->reads.count);
	for (size_t i = 0; i < l->reads.unknown.n; i++) {
		str_add(out, "Not known, since the image is not in the store: variables and ONBUILD triggers of ");
		add_name(out, l->reads.unknown.v[i]);
		str_add(out, "\n");
	}
}

/* ---- the whole ---- */

static int find_rests(struct context_listing *l, struct err *e)
{
	struct build *b = l->b;
	for (size_t i = 0; i <= b->contexts.n; i++) {
		struct context *c = i ? &b->contexts.v[i - 1]->dir : &b->context;
		if (!c->opened)
			continue;
		struct listing_part *p = vec_add(&l->parts);
		p->context = c;
		if (context_rest_find(b, c, &p->rest, e) < 0)
			return -1;
	}
	return 0;
}

int context_list(struct build *b, const struct df_check *check, bool json, struct str *out, size_t *ret_failing,
		 struct err *e)
{
	struct context_listing l = { .b = b };
	*ret_failing = 0;
	int r = context_open(b, &b->context, b->file_path, e);
	if (r == 0)
		r = check_walk(b, check, false, NULL, &l.reads, e);
	if (r == 0)
		r = find_rests(&l, e);
	if (r == 0 && json)
		write_json(&l, out);
	else if (r == 0)
		write_table(&l, out);
	for (size_t i = 0; i < l.reads.v.n; i++)
		*ret_failing += l.reads.v.v[i].error != NULL;
	listing_free(&l);
	return r;
}
