#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "build/image.h"
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

static uint64_t image_size(const struct image *i)
{
	uint64_t n = i->desc.size + i->manifest.config.size;
	for (size_t k = 0; k < i->manifest.layers.n; k++)
		n += i->manifest.layers.v[k].size;
	return n;
}

static void print_json(const struct ref_entry *r, const struct image *i, struct json_out *o)
{
	AUTO(free_drop) char *platform = platform_text(&i->config.platform);
	json_begin(o, '{');
	json_kv_str(o, "name", r->name);
	json_kv_str(o, "digest", digest_text(&r->digest).s);
	json_kv_int(o, "size", (int64_t)image_size(i));
	if (i->config.created)
		json_kv_str(o, "created", i->config.created);
	json_kv_str(o, "platform", platform);
	json_end(o, '}');
}

static void print_row(const struct ref_entry *r, const struct image *i)
{
	AUTO(str_fini) struct str size = { 0 };
	AUTO(str_fini) struct str name = { 0 };
	str_add_size(&size, image_size(i));
	str_add_printable(&name, r->name, strlen(r->name));
	printf("%-40s %-14.12s %-22s %10s\n", name.buf, digest_hex(&r->digest).s,
	       i->config.created ? i->config.created : "", size.buf);
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
		struct image image = { 0 };
		struct err why;
		if (!refs.v[i].name)
			continue;
		/* Other tools write names here too, and one damaged image must not hide the others. */
		if (image_load(s, &refs.v[i].digest, &image, &why) < 0)
			log_warn("%s: %s", refs.v[i].name, why.msg);
		else if (json)
			print_json(&refs.v[i], &image, &o);
		else
			print_row(&refs.v[i], &image);
		image_fini(&image);
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
