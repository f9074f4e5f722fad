/* `--call=check`: the warnings as text, JSON or SARIF. */
#include <string.h>

#include "call_priv.h"
#include "dockerfile/lint.h"

/* One excerpt for all warnings of an instruction, at the last of them. */
static void write_text(const struct build *b, struct str *out)
{
	size_t n = b->file.warnings.n;
	for (size_t i = 0; i < n; i++) {
		const struct df_warning *w = &b->file.warnings.v[i];
		bool last = i + 1 == n || w[1].line != w->line;
		const struct err at = { .line = w->line, .line_end = w->line_end };
		AUTO(free_drop) char *excerpt = last ? df_excerpt(&b->file, b->file_name, &at, NULL) : NULL;
		str_addf(out, "WARNING: %s\n", df_rule_name(w->rule));
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

/* The names are those of BuildKit's lint results: {"warnings":[{"ruleName":…,"detail":…,"location":{…}}],"sources":[…]}
 */
static void write_json(const struct build *b, struct json_out *o)
{
	json_begin(o, '{');
	json_put_key(o, "warnings");
	json_begin(o, '[');
	for (size_t i = 0; i < b->file.warnings.n; i++) {
		const struct df_warning *w = &b->file.warnings.v[i];
		json_begin(o, '{');
		json_kv_str(o, "ruleName", df_rule_name(w->rule));
		json_kv_str(o, "detail", w->text);
		call_write_location(o, w->line, w->line_end);
		json_end(o, '}');
	}
	json_end(o, ']');
	json_put_key(o, "sources");
	json_begin(o, '[');
	json_begin(o, '{');
	json_kv_str(o, "fileName", b->file_name);
	json_kv_str(o, "language", "Dockerfile");
	json_end(o, '}');
	json_end(o, ']');
	json_end(o, '}');
}

static void write_rules(const struct build *b, struct json_out *o)
{
	uint32_t seen = 0;
	json_put_key(o, "tool");
	json_begin(o, '{');
	json_put_key(o, "driver");
	json_begin(o, '{');
	json_kv_str(o, "name", "nacre");
	json_put_key(o, "rules");
	json_begin(o, '[');
	for (size_t i = 0; i < b->file.warnings.n; i++) {
		enum df_rule rule = b->file.warnings.v[i].rule;
		if (seen & (1u << rule))
			continue;
		seen |= 1u << rule;
		json_begin(o, '{');
		json_kv_str(o, "id", df_rule_name(rule));
		json_end(o, '}');
	}
	json_end(o, ']');
	json_end(o, '}');
	json_end(o, '}');
}

static void write_result(const struct build *b, const struct df_warning *w, const char *level, struct json_out *o)
{
	json_begin(o, '{');
	json_kv_str(o, "ruleId", df_rule_name(w->rule));
	json_kv_str(o, "level", level);
	json_put_key(o, "message");
	json_begin(o, '{');
	json_kv_str(o, "text", w->text);
	json_end(o, '}');
	json_put_key(o, "locations");
	json_begin(o, '[');
	json_begin(o, '{');
	json_put_key(o, "physicalLocation");
	json_begin(o, '{');
	json_put_key(o, "artifactLocation");
	json_begin(o, '{');
	json_kv_str(o, "uri", b->file_path);
	json_end(o, '}');
	json_put_key(o, "region");
	json_begin(o, '{');
	json_kv_int(o, "startLine", w->line);
	json_kv_int(o, "endLine", w->line_end);
	json_end(o, '}');
	json_end(o, '}');
	json_end(o, '}');
	json_end(o, ']');
	json_end(o, '}');
}

/* OASIS SARIF 2.1.0. */
static void write_sarif(const struct build *b, const struct df_check *c, struct json_out *o)
{
	json_begin(o, '{');
	json_kv_str(o, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_kv_str(o, "version", "2.1.0");
	json_put_key(o, "runs");
	json_begin(o, '[');
	json_begin(o, '{');
	write_rules(b, o);
	json_put_key(o, "results");
	json_begin(o, '[');
	for (size_t i = 0; i < b->file.warnings.n; i++)
		write_result(b, &b->file.warnings.v[i], c->as_error ? "error" : "warning", o);
	json_end(o, ']');
	json_end(o, '}');
	json_end(o, ']');
	json_end(o, '}');
}

void call_write_check(const struct build *b, const struct df_check *c, enum call_format format, struct str *out)
{
	struct json_out o;
	if (format == CALL_TEXT) {
		write_text(b, out);
		return;
	}
	json_out_init(&o);
	if (format == CALL_JSON)
		write_json(b, &o);
	else
		write_sarif(b, c, &o);
	AUTO(free_drop) char *text = json_out_take(&o);
	str_addf(out, "%s\n", text);
}
