#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/str.h"
#include "build/cache_carry.h"
#include "cli/command.h"

struct options {
	const char *store, *build;
	bool all, no_mounts, replace;
};

#define AT(field) offsetof(struct options, field)

static const struct option_def table[] = {
	{ "all", 'a', OPTION_FLAG, AT(all), NULL, "export: every step and cache mount of the store" },
	{ "build", 0, OPTION_STRING, AT(build), "last", "export: what the last build used (the default without IMAGE)" },
	{ "no-mounts", 0, OPTION_FLAG, AT(no_mounts), NULL, "leave out cache mounts" },
	{ "replace", 0, OPTION_FLAG, AT(replace), NULL, "import: cache mounts replace those that are there" },
	{ "store", 0, OPTION_STRING, AT(store), "DIR", "where images and cache are kept (also $NACRE_STORE)" },
};

static void print_notes(const struct cache_report *r)
{
	for (const char *line = str_text(&r->notes); *line;) {
		size_t n = strcspn(line, "\n");
		log_warn("%.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static void print_report(FILE *to, const struct cache_report *r, const char *done)
{
	AUTO(str_fini) struct str total = { 0 };
	uint64_t sum = 0;
	size_t n = 0;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		AUTO(str_fini) struct str size = { 0 };
		if (!r->counts.n[k])
			continue;
		str_add_size(&size, r->counts.bytes[k]);
		fprintf(to, "%-20s %8zu %10s\n", object_kind_name(k), r->counts.n[k], size.buf);
		sum += r->counts.bytes[k];
		n += r->counts.n[k];
	}
	str_add_size(&total, sum);
	fprintf(to, "%zu object%s, %s, %s; %zu were there", n, n == 1 ? "" : "s", total.buf, done,
		r->counts.same);
	if (r->counts.removed)
		fprintf(to, "; %zu removed", r->counts.removed);
	fprintf(to, "\n");
}

/* /dev/stdout and pipes carry the archive itself. */
static FILE *report_place(const char *path)
{
	struct stat st;
	bool special = stat(path, &st) == 0 && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode);
	return special ? stderr : stdout;
}

static int export(struct store *s, const struct options *o, const struct strv *args, struct err *e)
{
	struct cache_report report = { 0 };
	struct cache_export_options want = {
		.path = args->v[args->n - 1],
		.build = o->build,
		.all = o->all,
		.no_mounts = o->no_mounts,
	};
	for (size_t i = 1; i + 1 < args->n; i++)
		strv_push(&want.images, args->v[i]);
	int r = cache_export(s, &want, &report, e);
	if (r == 0) {
		print_notes(&report);
		print_report(report_place(want.path), &report, "exported");
	}
	strv_fini(&want.images);
	cache_report_fini(&report);
	return r;
}

static int import(struct store *s, const struct options *o, const struct strv *args, struct err *e)
{
	struct cache_report report = { 0 };
	const struct cache_import_options want = {
		.path = args->v[1], .no_mounts = o->no_mounts, .replace = o->replace
	};
	int r = cache_import(s, &want, &report, e);
	if (r == 0) {
		print_notes(&report);
		print_report(stdout, &report, "imported");
	}
	if (r == 0 && report.counts.broken.kind != ERR_NONE) {
		*e = report.counts.broken;
		r = err_in(e, "%s is not whole", want.path);
	} else if (r == 0 && report.counts.refused) {
		r = err_set(e, ERR_INTEGRITY, "%s: %zu objects were refused; the others are imported", want.path,
			    report.counts.refused);
	}
	cache_report_fini(&report);
	return r;
}

static int check_export(const struct options *o, const struct strv *args, struct err *e)
{
	if (args->n < 2)
		return err_set(e, ERR_USAGE, "where to? usage: nacre cache export [OPTIONS] [IMAGE...] DIR|FILE");
	if (o->replace)
		return err_set(e, ERR_USAGE, "--replace is for import");
	if (o->build && strcmp(o->build, "last") != 0)
		return err_set(e, ERR_USAGE, "--build %s: only the \"last\" build is known; name its image instead",
			       o->build);
	if (o->all && (o->build || args->n > 2))
		return err_set(e, ERR_USAGE, "--all leaves nothing to choose: give no --build and no IMAGE with it");
	return 0;
}

static int check_import(const struct options *o, const struct strv *args, struct err *e)
{
	if (args->n != 2)
		return err_set(e, ERR_USAGE, "one directory or file is imported; usage: nacre cache import [OPTIONS] DIR|FILE");
	if (o->all || o->build)
		return err_set(e, ERR_USAGE, "%s is for export", o->all ? "--all" : "--build");
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct store store;
	const char *word = args->n ? args->v[0] : "";
	bool out = strcmp(word, "export") == 0;
	if (!out && strcmp(word, "import") != 0)
		return err_set(e, ERR_USAGE, "export or import? usage: nacre cache %s", cmd_cache.usage);
	if ((out ? check_export(o, args, e) : check_import(o, args, e)) < 0)
		return -1;
	const char *place = o->store ? o->store : global_store();
	if ((out ? store_open_there(place, &store, e) : store_open(place, &store, e)) < 0)
		return -1;
	int r = out ? export(&store, o, args, e) : import(&store, o, args, e);
	store_fini(&store);
	return r;
}

const struct command cmd_cache = {
	.name = "cache",
	.usage = "export [OPTIONS] [IMAGE...] DIR|FILE | import [OPTIONS] DIR|FILE",
	.summary = "Carry cached steps and cache mounts to another machine",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
