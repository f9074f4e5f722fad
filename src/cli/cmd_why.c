#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "build/why.h"
#include "cli/command.h"
#include "cli/format.h"

struct options {
	const char *store, *format, *from, *to;
	bool builds;
};

#define AT(field) offsetof(struct options, field)

static const struct option_def table[] = {
	{ "builds", 0, OPTION_FLAG, AT(builds), NULL, "list the builds that --from and --to can name" },
	{ "format", 0, OPTION_STRING, AT(format), "FORMAT", "table (default) or json" },
	{ "from", 0, OPTION_STRING, AT(from), "BUILD", "compare with this build instead of the one before" },
	{ "store", 0, OPTION_STRING, AT(store), "DIR", "where images and cache are kept (also $NACRE_STORE)" },
	{ "to", 0, OPTION_STRING, AT(to), "BUILD", "with --from: the build to explain (default: the last one)" },
};

static void put(struct str *out, const char *text)
{
	str_add_printable(out, text ? text : "", text ? strlen(text) : 0);
}

/* "src/main.c: mode 644 -> mode 755" */
static void put_change(struct str *out, const struct json *change)
{
	const char *from = json_str(change, "from"), *to = json_str(change, "to");
	put(out, json_str(change, "name"));
	if (from && to) {
		str_add(out, ": ");
		put(out, from);
		str_add(out, " -> ");
		put(out, to);
	} else if (from || to) {
		str_add(out, from ? " removed: " : " added: ");
		put(out, from ? from : to);
	}
}

/* The first cause as the build says it: values only where they are short. */
static void put_first(struct str *out, const struct json *why)
{
	enum { SHORT = 60 };
	const struct json *first = json_at(why, 0);
	const char *from = json_str(first, "from"), *to = json_str(first, "to");
	if ((from && strlen(from) > SHORT) || (to && strlen(to) > SHORT) || !from != !to) {
		put(out, json_str(first, "name"));
		str_add(out, !from ? " added" : !to ? " removed" : " changed");
	} else {
		put_change(out, first);
	}
	if (json_len(why) > 1)
		str_addf(out, " (and %zu more)", json_len(why) - 1);
}

/* To the width of its column, since the cause stands behind it: commands are long. Text stays whole characters. */
static void clip(struct str *title)
{
	enum { WIDTH = 50 };
	static const char more[] = "...";
	size_t n = WIDTH - strlen(more);
	if (title->len <= WIDTH)
		return;
	while (n && ((unsigned char)title->buf[n] & 0xc0) == 0x80)
		n--;
	title->buf[n] = '\0';
	title->len = n;
	str_add(title, more);
}

static void print_line(const struct json *step)
{
	const struct json *why = json_get(step, "why");
	AUTO(str_fini) struct str title = { 0 };
	AUTO(str_fini) struct str text = { 0 };
	put(&title, json_str(step, "title"));
	clip(&title);
	if (json_len(why))
		put_first(&text, why);
	else
		str_add(&text, json_bool(step, "cached", false) ? "cached" : "-");
	printf("#%-4lld %-50s %s\n", (long long)json_int(step, "number", 0), str_text(&title), text.buf);
}

static void print_details(const struct json *step)
{
	const struct json *why = json_get(step, "why");
	AUTO(str_fini) struct str title = { 0 };
	put(&title, json_str(step, "title"));
	printf("#%lld %s (line %lld)\n", (long long)json_int(step, "number", 0), str_text(&title),
	       (long long)json_int(step, "line", 0));
	if (!json_len(why))
		printf("    %s\n", json_bool(step, "cached", false) ? "cached" : "nothing that could be cached");
	for (size_t i = 0; i < json_len(why); i++) {
		AUTO(str_fini) struct str text = { 0 };
		put_change(&text, json_at(why, i));
		printf("    %s\n", text.buf);
	}
}

static int print_json(const struct json *array, const char *word)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '[');
	for (size_t i = 0; i < json_len(array); i++)
		if (!word || why_means(json_at(array, i), word))
			json_put_raw(&o, json_at(array, i));
	json_end(&o, ']');
	AUTO(free_drop) char *text = json_out_take(&o);
	printf("%s\n", text);
	return 0;
}

static int print_steps(const struct json *steps, const char *word, bool json, struct err *e)
{
	size_t found = 0;
	for (size_t i = 0; i < json_len(steps); i++)
		found += !word || why_means(json_at(steps, i), word);
	if (word && !found) {
		err_set(e, ERR_NOTFOUND, "the build has no step \"%s\"", word);
		return err_hint(e, "`nacre why` lists them: \"#4\", \"2/7\", \"line 12\" or the name of a stage is wanted");
	}
	if (json)
		return print_json(steps, word);
	for (size_t i = 0; i < json_len(steps); i++) {
		if (!word)
			print_line(json_at(steps, i));
		else if (why_means(json_at(steps, i), word))
			print_details(json_at(steps, i));
	}
	return 0;
}

static int print_builds(struct store *s, bool json, struct err *e)
{
	AUTO(json_fini) struct json builds = { 0 };
	if (why_builds(s, &builds, e) < 0)
		return -1;
	if (json)
		return print_json(&builds, NULL);
	printf("%-14s %-22s %s\n", "BUILD", "STARTED", "DOCKERFILE");
	for (size_t i = 0; i < json_len(&builds); i++) {
		const struct json *b = json_at(&builds, i);
		const char *started = json_str(b, "started"), *target = json_str(b, "target");
		AUTO(str_fini) struct str file = { 0 };
		put(&file, json_str(b, "dockerfile"));
		if (target) {
			str_add(&file, " ");
			put(&file, target);
		}
		printf("%-14s %-22.19s %s\n", json_str(b, "id"), started ? started : "", str_text(&file));
	}
	return 0;
}

static int show(struct store *s, const struct options *o, const char *word, bool json, struct err *e)
{
	AUTO(json_fini) struct json steps = { 0 };
	if (o->builds)
		return print_builds(s, json, e);
	if ((o->from ? why_compare(s, o->from, o->to, &steps, e) : why_last(s, &steps, e)) < 0)
		return -1;
	return print_steps(&steps, word, json, e);
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct store store;
	bool json;
	if (args_count(&cmd_why, args, 0, o->builds ? 0 : 1, e) < 0 || format_is_json(o->format, &json, e) < 0)
		return -1;
	if (o->to && !o->from)
		return err_set(e, ERR_USAGE, "--to %s: --from says what to compare it with", o->to);
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = show(&store, o, args->n ? args->v[0] : NULL, json, e);
	store_fini(&store);
	return r;
}

const struct command cmd_why = {
	.name = "why",
	.usage = "[OPTIONS] [STEP]",
	.summary = "Tell why steps of the last build ran, or what differs between two builds",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
