#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "build/image_set.h"
#include "cli/command.h"
#include "cli/format.h"
#include "store/ref.h"

struct options {
	const char *store, *format;
};

static const struct option_def table[] = {
	{ "format", 0, OPTION_STRING, offsetof(struct options, format), "FORMAT", "table (default) or json" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

static void put_platforms(const struct image_set *set, struct json_out *o)
{
	AUTO(strv_fini) struct strv platforms = { 0 };
	for (size_t i = 0; i < set->members.n; i++)
		if (!set->members.v[i].attestation)
			strv_push_taken(&platforms, platform_text(&set->members.v[i].platform));
	if (set->is_index)
		json_kv_strv(o, "platforms", &platforms);
	else
		json_kv_str(o, "platform", platforms.v[0]);
}

static void print_json(const struct ref_entry *r, const struct image_set *set, struct json_out *o)
{
	const char *created = image_set_created(set);
	json_begin(o, '{');
	json_kv_str(o, "name", r->name);
	json_kv_str(o, "digest", digest_text(&r->digest).s);
	json_kv_int(o, "size", (int64_t)image_set_size(set));
	if (created)
		json_kv_str(o, "created", created);
	put_platforms(set, o);
	json_end(o, '}');
}

static void print_row(const struct ref_entry *r, const struct image_set *set)
{
	const char *created = image_set_created(set);
	AUTO(str_fini) struct str size = { 0 };
	AUTO(str_fini) struct str name = { 0 };
	str_add_size(&size, image_set_size(set));
	str_add_printable(&name, r->name, strlen(r->name));
	printf("%-40s %-14.12s %-22s %10s\n", name.buf, digest_hex(&r->digest).s,
	       created ? created : "", size.buf);
}

static int list(struct store *s, bool json, struct err *e)
{
	struct ref_list refs = { 0 };
	struct json_out o = { 0 };
	if (ref_list(s->fd, &refs, e) < 0)
		return -1;
	if (json) {
		json_out_init(&o);
		json_begin(&o, '[');
	} else {
		printf("%-40s %-14s %-22s %10s\n", "NAME", "ID", "CREATED", "SIZE");
	}
	for (size_t i = 0; i < refs.n; i++) {
		AUTO(image_set_fini) struct image_set set = { 0 };
		struct err why;
		if (!refs.v[i].name)
			continue;
		/* Other tools write names here too, and one damaged image must not hide the others. */
		if (image_set_load(s, &refs.v[i].digest, &set, &why) < 0)
			log_warn("%s: %s", refs.v[i].name, why.msg);
		else if (json)
			print_json(&refs.v[i], &set, &o);
		else
			print_row(&refs.v[i], &set);
	}
	if (json) {
		json_end(&o, ']');
		AUTO(free_drop) char *text = json_out_take(&o);
		printf("%s\n", text);
	}
	json_out_drop(&o);
	ref_list_fini(&refs);
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct store store;
	bool json;
	if (args_count(&cmd_images, args, 0, 0, e) < 0 || format_is_json(o->format, &json, e) < 0)
		return -1;
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = list(&store, json, e);
	store_fini(&store);
	return r;
}

const struct command cmd_images = {
	.name = "images",
	.usage = "[OPTIONS]",
	.summary = "List the images of the store",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
