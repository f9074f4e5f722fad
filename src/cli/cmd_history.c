#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "build/image_set.h"
#include "cli/command.h"
#include "cli/format.h"
#include "store/record.h"

struct options {
	const char *store, *format;
};

static const struct option_def table[] = {
	{ "format", 0, OPTION_STRING, offsetof(struct options, format), "FORMAT", "table (default) or json" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR",
	  "where images and cache are kept (also $NACRE_STORE)" },
};

/* One line of either history. */
struct row {
	const char *image, *created, *text;
	int64_t size;
	bool has_size, cached;
};

static void put_row(const struct row *r, bool json, struct json_out *o)
{
	if (json) {
		json_begin(o, '{');
		if (r->image)
			json_kv_str(o, "image", r->image);
		if (r->created)
			json_kv_str(o, "created", r->created);
		if (r->has_size)
			json_kv_int(o, "size", r->size);
		json_kv_bool(o, "cached", r->cached);
		json_kv_str(o, "instruction", r->text);
		json_end(o, '}');
		return;
	}
	AUTO(str_fini) struct str size = { 0 };
	AUTO(str_fini) struct str text = { 0 };
	if (r->has_size)
		str_add_size(&size, (uint64_t)r->size);
	str_add_printable(&text, r->text, strlen(r->text));
	const char *id = r->image ? r->image + strlen("sha256:") : "";
	printf("%-14.12s %-22s %10s  %s\n", id, r->created ? r->created : "", str_text(&size), str_text(&text));
}

static void put_head(bool json)
{
	if (!json)
		printf("%-14s %-22s %10s  %s\n", "IMAGE", "CREATED", "SIZE", "STEP");
}

/* The steps of the last build, each with the image it left. */
static int last_build(struct store *s, bool json, struct json_out *o, struct err *e)
{
	AUTO(json_fini) struct json log = { 0 };
	int r = store_json_get(s, "log/last.json", &log, e);
	if (r < 0)
		return -1;
	if (r == 1)
		return err_set(e, ERR_NOTFOUND, "nothing was built in the store %s yet", s->path);
	put_head(json);
	const struct json *steps = json_get(&log, "steps");
	for (size_t i = 0; i < json_len(steps); i++) {
		const struct json *j = json_at(steps, i);
		const char *text = json_str(j, "title");
		struct row row = {
			.image = json_str(j, "image"),
			.created = json_str(j, "created"),
			.text = text ? text : "",
			.size = json_int(j, "size", -1),
			.cached = json_bool(j, "cached", false),
		};
		row.has_size = row.size >= 0;
		put_row(&row, json, o);
	}
	return 0;
}

static int of_image(struct store *s, const char *name, bool json, struct json_out *o, struct err *e)
{
	struct image image = { 0 };
	struct digest digest;
	if (image_find(s, name, &digest, e) < 0 || image_choose(s, &digest, NULL, &digest, e) < 0 ||
	    image_load(s, &digest, &image, e) < 0)
		return -1;
	size_t layer = 0;
	put_head(json);
	for (size_t i = 0; i < image.config.history.n; i++) {
		const struct history *h = &image.config.history.v[i];
		struct row row = { .created = h->created, .text = h->created_by ? h->created_by : "" };
		if (!h->empty_layer && layer < image.manifest.layers.n) {
			row.has_size = true;
			row.size = (int64_t)image.manifest.layers.v[layer++].size;
		}
		put_row(&row, json, o);
	}
	image_fini(&image);
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct store store;
	struct json_out out = { 0 };
	bool json;
	if (args_count(&cmd_history, args, 0, 1, e) < 0 || format_is_json(o->format, &json, e) < 0)
		return -1;
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	if (json) {
		json_out_init(&out);
		json_begin(&out, '[');
	}
	int r = args->n ? of_image(&store, args->v[0], json, &out, e) : last_build(&store, json, &out, e);
	if (json && r == 0) {
		json_end(&out, ']');
		AUTO(free_drop) char *text = json_out_take(&out);
		printf("%s\n", text);
	}
	json_out_drop(&out);
	store_fini(&store);
	return r;
}

const struct command cmd_history = {
	.name = "history",
	.usage = "[OPTIONS] [IMAGE]",
	.summary = "Show the steps of an image, or those of the last build with their intermediate images",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
