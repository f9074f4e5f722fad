/* `--call=outline` and `--call=targets`: what a Dockerfile offers. */
#include "build/call.h"

#include <stdlib.h>
#include <string.h>

#include "call_priv.h"
#include "dockerfile/flags.h"
#include "dockerfile/mount.h"

int call_parse(const char *text, enum call_method *ret_method, enum call_format *ret_format, struct err *e)
{
	static const char *const methods[] = { "build", "check", "outline", "targets" };
	static const char *const formats[] = { "text", "json", "sarif" };
	size_t method = 0, format = 0, len = strcspn(text, ",");
	AUTO(free_drop) char *name = x_strndup(text, len);
	while (method < ARRAY_LEN(methods) && strcmp(name, methods[method]) != 0)
		method++;
	if (method == ARRAY_LEN(methods)) {
		const char *near = str_nearest(name, methods, ARRAY_LEN(methods));
		err_set(e, ERR_USAGE, "--call %s: build, check, outline or targets is wanted", name);
		return near ? err_hint(e, "did you mean %s?", near) : -1;
	}
	if (text[len] && !str_starts(text + len, ",format="))
		return err_set(e, ERR_USAGE, "--call %s: METHOD[,format=FORMAT] is wanted", text);
	const char *wanted = text[len] ? text + len + strlen(",format=") : formats[0];
	while (format < ARRAY_LEN(formats) && strcmp(wanted, formats[format]) != 0)
		format++;
	if (format == ARRAY_LEN(formats) || (format == CALL_SARIF && method != CALL_CHECK))
		return err_set(e, ERR_USAGE, "--call %s: the format is text or json, for check also sarif", text);
	*ret_method = (enum call_method)method;
	*ret_format = (enum call_format)format;
	return 0;
}

/* ---- what the walk finds ---- */

const char *doc_comment(const struct df_instruction *in, const char *name)
{
	for (size_t i = 0; name && i < in->comments.n; i++) {
		const char *text = in->comments.v[i].text;
		size_t n = strlen(name);
		if (strncmp(text, name, n) == 0 && text[n] == ' ')
			return text + n + strspn(text + n, " ");
	}
	return NULL;
}

static struct outline_item *item(struct outline_list *l, const struct df_instruction *in, struct df_pos at,
				 const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	struct outline_item *new = vec_add(l);
	new->name = x_strdup(name);
	new->at = at;
	new->line = in->line;
	new->line_end = in->line_end;
	return new;
}

void outline_arg(struct outline *o, const struct df_instruction *in, const char *name, const char *value)
{
	size_t k = 0;
	while (strcmp(in->kvs.v[k].key, name) != 0)
		k++;
	struct outline_item *i = item(&o->args, in, in->kvs.v[k].at, name);
	const char *description = doc_comment(in, name);
	char *copy = value ? x_strdup(value) : NULL;
	free(i->value);
	i->value = copy;
	if (description)
		i->description = description;
}

/* An id that is not given is the target's last part, as for the mounts themselves. */
void outline_mount(struct outline *o, const struct df_instruction *in, struct df_pos at, const struct df_mount *m)
{
	const char *slash = m->target ? strrchr(m->target, '/') : NULL;
	const char *base = slash ? slash + 1 : m->target ? m->target : "";
	switch (m->type) {
	case DF_MOUNT_SECRET:
		item(&o->secrets, in, at, m->id ? m->id : m->source ? m->source : base)->required |= m->required;
		return;
	case DF_MOUNT_SSH:
		item(&o->ssh, in, at, m->id ? m->id : "default")->required |= m->required;
		return;
	case DF_MOUNT_CACHE:
		item(&o->caches, in, at, m->id ? m->id : m->target ? m->target : "");
		return;
	case DF_MOUNT_BIND:
	case DF_MOUNT_TMPFS:
		return;
	}
}

static void list_fini(struct outline_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].value);
	}
	vec_fini(l);
}

void outline_fini(struct outline *o)
{
	list_fini(&o->args);
	list_fini(&o->secrets);
	list_fini(&o->ssh);
	list_fini(&o->caches);
}

/* ---- text ---- */

static void add_cell(struct str *out, const char *text, size_t width)
{
	size_t start = out->len;
	str_add_printable(out, text ? text : "", text ? strlen(text) : 0);
	if (width)
		do
			str_addc(out, ' ');
		while (out->len - start < width + 2);
}

static size_t longest(const struct outline_list *l, bool values, const char *heading)
{
	size_t width = strlen(heading);
	for (size_t i = 0; i < l->n; i++) {
		const char *text = values ? l->v[i].value : l->v[i].name;
		if (text && strlen(text) > width)
			width = strlen(text);
	}
	return width;
}

static void end_line(struct str *out)
{
	while (out->len && out->buf[out->len - 1] == ' ')
		out->buf[--out->len] = '\0';
	str_addc(out, '\n');
}

static void write_table(struct str *out, const struct outline_list *l, const char *const headings[3])
{
	if (!l->n)
		return;
	size_t first = longest(l, false, headings[0]), second = headings[1] ? longest(l, true, headings[1]) : 0;
	str_addc(out, '\n');
	add_cell(out, headings[0], first);
	add_cell(out, headings[1], second);
	add_cell(out, headings[2], 0);
	end_line(out);
	for (size_t i = 0; i < l->n; i++) {
		add_cell(out, l->v[i].name, first);
		if (headings[1])
			add_cell(out, l->v[i].value, second);
		add_cell(out, headings[2] && !headings[1] ? (l->v[i].required ? "yes" : "") : l->v[i].description, 0);
		end_line(out);
	}
}

static void outline_text(const struct build *b, const struct outline *o, struct str *out)
{
	static const char *const args[] = { "BUILD ARG", "VALUE", "DESCRIPTION" };
	static const char *const secrets[] = { "SECRET", NULL, "REQUIRED" };
	static const char *const ssh[] = { "SSH", NULL, "REQUIRED" };
	static const char *const caches[] = { "CACHE", NULL, NULL };
	const struct df_stage *df = b->graphs.v[0]->goal->df;
	const char *description = doc_comment(&b->file.instructions.v[df->from], df->name);
	str_addf(out, "TARGET:       %s\n", df->name ? df->name : "default");
	if (description) {
		str_add(out, "DESCRIPTION:  ");
		add_cell(out, description, 0);
		end_line(out);
	}
	write_table(out, &o->args, args);
	write_table(out, &o->secrets, secrets);
	write_table(out, &o->ssh, ssh);
	write_table(out, &o->caches, caches);
}

/* ---- JSON, with the names of BuildKit's documents ---- */

int call_character(const struct build *b, struct df_pos at)
{
	const char *line = b->file.lines.v[at.line - 1];
	int n = 0;
	for (int i = 0; i < at.col - 1 && line[i]; i++)
		n += ((unsigned char)line[i] & 0xc0) != 0x80;
	return n;
}

static void write_position(const struct build *b, const char *key, struct df_pos at, struct json_out *o)
{
	json_put_key(o, key);
	json_begin(o, '{');
	json_kv_int(o, "line", at.line);
	json_kv_int(o, "character", call_character(b, at));
	json_end(o, '}');
}

void call_write_location(const struct build *b, struct df_range r, struct json_out *o)
{
	json_put_key(o, "location");
	json_begin(o, '{');
	json_kv_int(o, "sourceIndex", 0);
	json_put_key(o, "ranges");
	json_begin(o, '[');
	if (r.from.line) {
		json_begin(o, '{');
		write_position(b, "start", r.from, o);
		write_position(b, "end", r.to, o);
		json_end(o, '}');
	}
	json_end(o, ']');
	json_end(o, '}');
}

static void list_json(const struct build *b, const char *key, const struct outline_list *l, const char *name_key,
		      struct json_out *o)
{
	if (!l->n)
		return;
	json_put_key(o, key);
	json_begin(o, '[');
	for (size_t i = 0; i < l->n; i++) {
		json_begin(o, '{');
		json_kv_str(o, name_key, l->v[i].name);
		if (l->v[i].description)
			json_kv_str(o, "description", l->v[i].description);
		if (l->v[i].value)
			json_kv_str(o, "value", l->v[i].value);
		if (l->v[i].required)
			json_kv_bool(o, "required", true);
		struct df_range range = df_range(&b->file, l->v[i].line, l->v[i].line_end, l->v[i].at);
		call_write_location(b, range, o);
		json_end(o, '}');
	}
	json_end(o, ']');
}

static void outline_json(const struct build *b, const struct outline *list, struct json_out *o)
{
	const struct df_stage *df = b->graphs.v[0]->goal->df;
	const char *description = doc_comment(&b->file.instructions.v[df->from], df->name);
	json_begin(o, '{');
	if (df->name)
		json_kv_str(o, "name", df->name);
	if (description)
		json_kv_str(o, "description", description);
	list_json(b, "args", &list->args, "name", o);
	list_json(b, "secrets", &list->secrets, "name", o);
	list_json(b, "ssh", &list->ssh, "name", o);
	list_json(b, "cache", &list->caches, "ID", o);
	json_end(o, '}');
}

static void targets_json(const struct build *b, struct json_out *o)
{
	json_begin(o, '{');
	json_put_key(o, "targets");
	json_begin(o, '[');
	for (size_t i = 0; i < b->file.stages.n; i++) {
		const struct df_stage *df = &b->file.stages.v[i];
		const struct df_instruction *from = &b->file.instructions.v[df->from];
		const char *description = doc_comment(from, df->name), *platform = df_flag_get(from, "platform");
		json_begin(o, '{');
		if (df->name)
			json_kv_str(o, "name", df->name);
		if (i + 1 == b->file.stages.n)
			json_kv_bool(o, "default", true);
		if (description)
			json_kv_str(o, "description", description);
		json_kv_str(o, "base", from->image);
		if (platform)
			json_kv_str(o, "platform", platform);
		struct df_range range = df_range(&b->file, from->line, from->line_end, (struct df_pos){ 0 });
		call_write_location(b, range, o);
		json_end(o, '}');
	}
	json_end(o, ']');
	json_end(o, '}');
}

static void add_json(struct str *out, struct json_out *o)
{
	AUTO(free_drop) char *text = json_out_take(o);
	str_addf(out, "%s\n", text);
}

void call_write_outline(const struct build *b, const struct outline *list, enum call_format format, struct str *out)
{
	struct json_out o;
	if (format == CALL_TEXT) {
		outline_text(b, list, out);
		return;
	}
	json_out_init(&o);
	outline_json(b, list, &o);
	add_json(out, &o);
}

/* Stages without a name cannot be asked for, except the last. */
static void targets_text(const struct build *b, struct str *out)
{
	static const char *const headings[] = { "TARGET", "", "DESCRIPTION" };
	struct outline_list l = { 0 };
	for (size_t i = 0; i < b->file.stages.n; i++) {
		const struct df_stage *df = &b->file.stages.v[i];
		bool last = i + 1 == b->file.stages.n;
		if (!df->name && !last)
			continue;
		struct outline_item *t = vec_add(&l);
		t->name = x_strdup(df->name ? df->name : "");
		t->value = x_strdup(last ? "(default)" : "");
		t->description = doc_comment(&b->file.instructions.v[df->from], df->name);
	}
	struct str table = { 0 };
	write_table(&table, &l, headings);
	str_add(out, str_text(&table) + 1);
	str_fini(&table);
	list_fini(&l);
}

void call_write_targets(const struct build *b, enum call_format format, struct str *out)
{
	struct json_out o;
	if (format == CALL_TEXT) {
		targets_text(b, out);
		return;
	}
	json_out_init(&o);
	targets_json(b, &o);
	add_json(out, &o);
}
