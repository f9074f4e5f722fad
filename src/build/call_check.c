/* `--call=check`: the warnings as text, JSON or SARIF. */
#include <string.h>

#include "call_priv.h"
#include "dockerfile/lint.h"

static struct df_range range_of_warning(const struct build *b, const struct df_warning *w)
{
	return df_range(&b->file, w->line, w->line_end, w->at);
}

static struct df_range range_of_error(const struct build *b, const struct err *e)
{
	return df_range(&b->file, e->line, e->line_end, (struct df_pos){ e->at_line, e->col });
}

/* ---- text ---- */

static bool same_place(const struct df_warning *x, const struct df_warning *y)
{
	return x->line == y->line && x->at.line == y->at.line && x->at.col == y->at.col;
}

/* One excerpt for all warnings about a word, at the last of them. */
static void write_text(const struct build *b, struct str *out)
{
	size_t n = b->file.warnings.n;
	for (size_t i = 0; i < n; i++) {
		const struct df_warning *w = &b->file.warnings.v[i];
		struct df_pos at = range_of_warning(b, w).from;
		const struct err place = { .line = w->line, .line_end = w->line_end, .at_line = at.line, .col = at.col };
		bool last = i + 1 == n || !same_place(w, w + 1);
		AUTO(free_drop) char *excerpt = last ? df_excerpt(&b->file, b->file_name, &place, NULL) : NULL;
		str_addf(out, "WARNING: %s: %s\n", df_rule_name(w->rule), df_rule_description(w->rule));
		str_add_printable(out, w->text, strlen(w->text));
		str_addc(out, '\n');
		if (last)
			str_addf(out, "%s\n", excerpt);
	}
	if (n)
		str_addf(out, "Check complete, %zu warning%s found.\n", n, n == 1 ? "" : "s");
	else
		str_add(out, "Check complete, no warnings found.\n");
}

/* ---- JSON, with the names of BuildKit's lint results ---- */

static void write_warning(const struct build *b, const struct df_warning *w, struct json_out *o)
{
	json_begin(o, '{');
	json_kv_str(o, "ruleName", df_rule_name(w->rule));
	json_kv_str(o, "description", df_rule_description(w->rule));
	json_kv_str(o, "detail", w->text);
	call_write_location(b, range_of_warning(b, w), o);
	json_end(o, '}');
}

static void write_error(const struct build *b, const struct err *e, struct json_out *o)
{
	json_kv_str(o, "message", e->msg);
	call_write_location(b, range_of_error(b, e), o);
}

/*
 * {"message":…,"location":{…}}; when there are several mistakes, the message counts them, the place is that of the first,
 * and "errors" has each.
 */
static void write_build_error(const struct build *b, const struct err *failure, struct json_out *o)
{
	const struct df_errors *all = &b->file.errors;
	json_put_key(o, "buildError");
	json_begin(o, '{');
	json_kv_str(o, "message", failure->msg);
	call_write_location(b, range_of_error(b, &all->list.v[0]), o);
	json_put_key(o, "errors");
	json_begin(o, '[');
	for (size_t i = 0; i < all->list.n; i++) {
		json_begin(o, '{');
		write_error(b, &all->list.v[i], o);
		json_end(o, '}');
	}
	json_end(o, ']');
	json_end(o, '}');
}

static void write_json(const struct build *b, const struct err *failure, struct json_out *o)
{
	json_begin(o, '{');
	json_put_key(o, "warnings");
	json_begin(o, '[');
	for (size_t i = 0; i < b->file.warnings.n; i++)
		write_warning(b, &b->file.warnings.v[i], o);
	json_end(o, ']');
	json_put_key(o, "sources");
	json_begin(o, '[');
	json_begin(o, '{');
	json_kv_str(o, "fileName", b->file_name);
	json_kv_str(o, "language", "Dockerfile");
	json_end(o, '}');
	json_end(o, ']');
	if (failure)
		write_build_error(b, failure, o);
	json_end(o, '}');
}

/* ---- OASIS SARIF 2.1.0 ---- */

/* {"KEY":{"text":TEXT}} without the outer braces. */
static void write_message(struct json_out *o, const char *key, const char *text)
{
	json_put_key(o, key);
	json_begin(o, '{');
	json_kv_str(o, "text", text);
	json_end(o, '}');
}

/* Writes the rules that are broken; ret_index: where each of them is in the list. */
static void write_rules(const struct build *b, struct json_out *o, int ret_index[DF_RULES])
{
	uint32_t seen = 0;
	int n = 0;
	json_put_key(o, "rules");
	json_begin(o, '[');
	for (size_t i = 0; i < b->file.warnings.n; i++) {
		enum df_rule rule = b->file.warnings.v[i].rule;
		if (seen & (1u << rule))
			continue;
		seen |= 1u << rule;
		ret_index[rule] = n++;
		json_begin(o, '{');
		json_kv_str(o, "id", df_rule_name(rule));
		write_message(o, "shortDescription", df_rule_description(rule));
		json_end(o, '}');
	}
	json_end(o, ']');
}

static void write_tool(const struct build *b, struct json_out *o, int ret_index[DF_RULES])
{
	json_put_key(o, "tool");
	json_begin(o, '{');
	json_put_key(o, "driver");
	json_begin(o, '{');
	json_kv_str(o, "name", "nacre");
	write_rules(b, o, ret_index);
	json_end(o, '}');
	json_end(o, '}');
}

/* Columns count from 1 there; the end is the first behind. */
static void write_region(const struct build *b, struct df_range r, struct json_out *o)
{
	if (!r.from.line)
		return;
	json_put_key(o, "region");
	json_begin(o, '{');
	json_kv_int(o, "startLine", r.from.line);
	json_kv_int(o, "startColumn", call_character(b, r.from) + 1);
	json_kv_int(o, "endLine", r.to.line);
	json_kv_int(o, "endColumn", call_character(b, r.to) + 1);
	json_end(o, '}');
}

static void write_locations(const struct build *b, struct df_range r, struct json_out *o)
{
	json_put_key(o, "locations");
	json_begin(o, '[');
	json_begin(o, '{');
	json_put_key(o, "physicalLocation");
	json_begin(o, '{');
	json_put_key(o, "artifactLocation");
	json_begin(o, '{');
	json_kv_str(o, "uri", b->file_path);
	json_end(o, '}');
	write_region(b, r, o);
	json_end(o, '}');
	json_end(o, '}');
	json_end(o, ']');
}

static void write_results(const struct build *b, const char *level, const int index[DF_RULES], struct json_out *o)
{
	for (size_t i = 0; i < b->file.warnings.n; i++) {
		const struct df_warning *w = &b->file.warnings.v[i];
		json_begin(o, '{');
		json_kv_str(o, "ruleId", df_rule_name(w->rule));
		json_kv_int(o, "ruleIndex", index[w->rule]);
		json_kv_str(o, "level", level);
		write_message(o, "message", w->text);
		write_locations(b, range_of_warning(b, w), o);
		json_end(o, '}');
	}
	for (size_t i = 0; i < b->file.errors.list.n; i++) {
		const struct err *e = &b->file.errors.list.v[i];
		json_begin(o, '{');
		json_kv_str(o, "level", "error");
		write_message(o, "message", e->msg);
		write_locations(b, range_of_error(b, e), o);
		json_end(o, '}');
	}
}

static void write_sarif(const struct build *b, const struct df_check *c, struct json_out *o)
{
	int index[DF_RULES];
	json_begin(o, '{');
	json_kv_str(o, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_kv_str(o, "version", "2.1.0");
	json_put_key(o, "runs");
	json_begin(o, '[');
	json_begin(o, '{');
	write_tool(b, o, index);
	json_kv_str(o, "columnKind", "unicodeCodePoints");
	json_put_key(o, "results");
	json_begin(o, '[');
	write_results(b, c->as_error ? "error" : "warning", index, o);
	json_end(o, ']');
	json_end(o, '}');
	json_end(o, ']');
	json_end(o, '}');
}

void call_write_check(const struct build *b, const struct df_check *c, enum call_format format, const struct err *failure,
		      struct str *out)
{
	struct json_out o;
	if (format == CALL_TEXT) {
		write_text(b, out);
		return;
	}
	json_out_init(&o);
	if (format == CALL_JSON)
		write_json(b, failure, &o);
	else
		write_sarif(b, c, &o);
	AUTO(free_drop) char *text = json_out_take(&o);
	str_addf(out, "%s\n", text);
}
