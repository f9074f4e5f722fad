/*
 * The text of -o, in the two dialects people know:
 *
 *   oci:DIR[:TAG]  oci-archive:FILE[:TAG]  docker-archive:FILE[:NAME]  docker://NAME   transports, as skopeo has them
 *   type=TYPE[,KEY=VALUE…]  DIR  -                                                     exporters, as docker has them
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "build/image.h"
#include "build/options.h"
#include "dockerfile/csv.h"
#include "output_priv.h"

static void output_fini(struct output *o)
{
	free(o->dest);
	strv_fini(&o->names);
	annotations_fini(&o->form.annotations);
	descriptor_fini(&o->image);
}

void outputs_fini(struct outputs *l)
{
	for (size_t i = 0; i < l->n; i++)
		output_fini(&l->v[i]);
	vec_fini(l);
	annotations_fini(&l->result.annotations);
}

/* ---- transports ---- */

/* The path ends at the first colon; skopeo has no way to write one that holds a colon either. */
static void split_place(const char *place, struct output *o, const char *otherwise)
{
	const char *colon = strchr(place, ':');
	o->dest = x_strndup(place, colon ? (size_t)(colon - place) : strlen(place));
	if (colon && colon[1])
		strv_push(&o->names, colon + 1);
	else if (otherwise)
		strv_push(&o->names, otherwise);
}

static int parse_registry(const char *name, struct output *o, struct err *e)
{
	char *full = NULL;
	if (image_name_new(name, &full, e) < 0)
		return -1;
	o->kind = OUTPUT_REGISTRY;
	strv_push_taken(&o->names, full);
	return 0;
}

static int hint_near(const char *word, const char *const *known, size_t n, struct err *e)
{
	const char *near = str_nearest(word, known, n);
	return near ? err_hint(e, "did you mean %s?", near) : -1;
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(word, words[i]))
			return true;
	return false;
}

/* "docker-achive:app.tar" is meant for a transport, not for a directory of that name. 1: it is one. */
static int refuse_transport(const char *text, struct err *e)
{
	static const char *const known[] = { "oci", "oci-archive", "docker-archive", "docker" };
	static const char *const foreign[] = { "dir", "docker-daemon", "containers-storage", "oci-dir" };
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
	AUTO(free_drop) char *word = x_strndup(text, len);
	if (text[len] != ':')
		return 1;
	if (!is_one_of(word, foreign, ARRAY_LEN(foreign)) && !str_nearest(word, known, ARRAY_LEN(known)))
		return 1;
	err_set(e, ERR_USAGE, "\"%s:\" is no transport; for a directory of that name write ./%s", word, text);
	if (str_eq(word, "docker"))
		return err_hint(e, "did you mean docker://NAME or docker-archive:FILE?");
	return hint_near(word, known, ARRAY_LEN(known), e);
}

/* 0 it is one, 1 it is none. */
static int parse_transport(const char *text, struct output *o, struct err *e)
{
	static const struct {
		const char *prefix;
		enum output_kind kind;
		bool unpacked;
		const char *name; /* when none is given */
	} transports[] = {
		{ "oci:", OUTPUT_OCI, true, "latest" },
		{ "oci-archive:", OUTPUT_OCI, false, NULL },
		{ "docker-archive:", OUTPUT_DOCKER, false, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
		if (!str_starts(text, transports[i].prefix))
			continue;
		const char *place = text + strlen(transports[i].prefix);
		if (!*place || *place == ':')
			return err_set(e, ERR_USAGE, "a path is missing");
		o->kind = transports[i].kind;
		o->unpacked = transports[i].unpacked;
		split_place(place, o, transports[i].name);
		return 0;
	}
	return str_starts(text, "docker://") ? parse_registry(text + strlen("docker://"), o, e) : refuse_transport(text, e);
}

/* ---- exporters ---- */

#define FOR(kind) (1u << (kind))
#define FOR_FILES (FOR(OUTPUT_LOCAL) | FOR(OUTPUT_TAR))
#define FOR_ARCHIVES (FOR(OUTPUT_OCI) | FOR(OUTPUT_DOCKER))
#define FOR_STORE (FOR(OUTPUT_IMAGE) | FOR(OUTPUT_REGISTRY))
#define FOR_IMAGES (FOR_ARCHIVES | FOR_STORE)
/* A docker archive has its layers uncompressed and no manifest. */
#define FOR_FORMED (FOR(OUTPUT_OCI) | FOR_STORE)

static int set_dest(struct output *o, const char *value, struct err *e)
{
	(void)e;
	free(o->dest);
	o->dest = *value ? x_strdup(value) : NULL;
	return 0;
}

static int wants_bool(const char *value, bool *ret, struct err *e)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (str_eq(value, yes[i]) || str_eq(value, no[i])) {
			*ret = str_eq(value, yes[i]);
			return 0;
		}
	return err_set(e, ERR_USAGE, "%s: true or false is wanted", value);
}

static int set_tar(struct output *o, const char *value, struct err *e)
{
	bool tar;
	if (wants_bool(value, &tar, e) < 0)
		return -1;
	o->unpacked = !tar;
	return 0;
}

static int set_push(struct output *o, const char *value, struct err *e)
{
	return wants_bool(value, &o->push, e);
}

static int set_split(struct output *o, const char *value, struct err *e)
{
	return wants_bool(value, &o->split, e);
}

/* Several names stand in one value, by commas. */
static int add_names(struct output *o, const char *value, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	if (csv_parse(value, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		char *name = NULL;
		if (image_name_new(names.v[i], &name, e) < 0)
			return -1;
		strv_push_taken(&o->names, name);
	}
	return 0;
}

/* What the reference offers besides is about a store that it has on request only, and this program always. */
static int only_true(struct output *o, const char *value, struct err *e)
{
	bool given;
	(void)o;
	if (wants_bool(value, &given, e) < 0)
		return -1;
	return given ? 0 : err_set(e, ERR_USAGE, "false: the image is in the store in any case");
}

static int either(struct output *o, const char *value, struct err *e)
{
	bool given;
	(void)o;
	return wants_bool(value, &given, e);
}

static int only_copy(struct output *o, const char *value, struct err *e)
{
	(void)o;
	return str_eq(value, "copy") ? 0 : err_set(e, ERR_USAGE, "%s: only copy is known", value);
}

static int set_compression(struct output *o, const char *value, struct err *e)
{
	static const struct {
		const char *name;
		enum compression how;
		bool lazy;
		enum lazy_format format;
	} known[] = {
		{ "gzip", COMPRESSION_GZIP, false, 0 },
		{ "zstd", COMPRESSION_ZSTD, false, 0 },
		{ "uncompressed", COMPRESSION_NONE, false, 0 },
		{ "zstd:chunked", COMPRESSION_ZSTD, true, LAZY_ZSTD_CHUNKED },
		{ "estargz", COMPRESSION_GZIP, true, LAZY_ESTARGZ },
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(value, known[i].name)) {
			o->form.compressed = true;
			o->form.format.how = known[i].how;
			o->form.lazy = known[i].lazy;
			o->form.lazy_format = known[i].format;
			return 0;
		}
	return err_set(e, ERR_USAGE, "%s: gzip, zstd, uncompressed, zstd:chunked or estargz is wanted", value);
}

static int set_level(struct output *o, const char *value, struct err *e)
{
	uint64_t level;
	if (!str_to_u64(value, 22, &level))
		return err_set(e, ERR_USAGE, "%s: a number from 0 to 22 is wanted", value);
	o->form.format.level = (int)level;
	return 0;
}

static int set_force(struct output *o, const char *value, struct err *e)
{
	return wants_bool(value, &o->form.all, e);
}

static int set_oci_types(struct output *o, const char *value, struct err *e)
{
	bool oci;
	if (wants_bool(value, &oci, e) < 0)
		return -1;
	o->form.docker_types = !oci;
	return 0;
}

static int set_clamped(struct output *o, const char *value, struct err *e)
{
	return wants_bool(value, &o->form.clamped, e);
}

static const struct key {
	const char *name;
	unsigned kinds;
	int (*set)(struct output *o, const char *value, struct err *e);
} keys[] = {
	{ "dest", FOR_FILES | FOR_ARCHIVES, set_dest },
	{ "tar", FOR_ARCHIVES, set_tar },
	{ "name", FOR_IMAGES, add_names },
	{ "push", FOR_STORE, set_push },
	{ "compression", FOR_FORMED, set_compression },
	{ "compression-level", FOR_FORMED, set_level },
	{ "force-compression", FOR_FORMED, set_force },
	{ "oci-mediatypes", FOR_FORMED, set_oci_types },
	{ "rewrite-timestamp", FOR_IMAGES, set_clamped },
	{ "platform-split", FOR_FILES, set_split },
	{ "mode", FOR(OUTPUT_LOCAL), only_copy },
	{ "store", FOR_STORE, only_true },
	{ "unpack", FOR_STORE, either },
};

static const struct {
	const char *name;
	enum output_kind kind;
} types[] = {
	{ "oci", OUTPUT_OCI },	   { "docker", OUTPUT_DOCKER },	    { "local", OUTPUT_LOCAL },
	{ "tar", OUTPUT_TAR },	   { "image", OUTPUT_IMAGE },	    { "registry", OUTPUT_REGISTRY },
	{ "cacheonly", OUTPUT_NOTHING },
};

static int set_type(struct output *o, const char *name, struct err *e)
{
	const char *known[ARRAY_LEN(types)];
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		known[i] = types[i].name;
		if (!str_eq(name, types[i].name))
			continue;
		o->kind = types[i].kind;
		return 0;
	}
	err_set(e, ERR_USAGE, "type=%s is not known", name);
	return hint_near(name, known, ARRAY_LEN(known), e);
}

static int unknown_key(const char *key, enum output_kind kind, struct err *e)
{
	const char *known[ARRAY_LEN(keys)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].kinds & FOR(kind))
			known[n++] = keys[i].name;
	err_set(e, ERR_USAGE, "this type has no %s", key);
	return hint_near(key, known, n, e);
}

static int set_key(struct output *o, const char *field, struct err *e)
{
	AUTO(free_drop) char *key = x_strndup(field, strcspn(field, "="));
	const char *value = field + strlen(key) + 1;
	if (FOR_FORMED & FOR(o->kind)) {
		int r = annotation_add_field(&o->form.annotations, key, value, e);
		if (r <= 0)
			return r;
	}
	str_lower(key);
	if (str_eq(key, "type"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_eq(key, keys[i].name) && keys[i].kinds & FOR(o->kind))
			return keys[i].set(o, value, e) < 0 ? err_in(e, "%s", key) : 0;
	return unknown_key(key, o->kind, e);
}

/* The type comes first, wherever it stands: it says which keys there are. */
static int find_type(const struct strv *fields, struct output *o, struct err *e)
{
	bool found = false;
	for (size_t i = 0; i < fields->n; i++) {
		if (!strchr(fields->v[i], '='))
			return err_set(e, ERR_USAGE, "\"%s\" is no KEY=VALUE", fields->v[i]);
		if (!str_case_starts(fields->v[i], "type="))
			continue;
		if (set_type(o, fields->v[i] + strlen("type="), e) < 0)
			return -1;
		found = true;
	}
	return found ? 0 : err_set(e, ERR_USAGE, "type=TYPE is missing");
}

/* "-" is standard output, and so is no destination where a stream can be written. */
static int settle_dest(struct output *o, struct err *e)
{
	bool directory = o->kind == OUTPUT_LOCAL || o->unpacked;
	if (o->dest && strcmp(o->dest, "-") == 0) {
		if (directory)
			return err_set(e, ERR_USAGE, "a directory cannot be written to standard output");
		set_dest(o, "", e);
		return 0;
	}
	if (directory && !o->dest)
		return err_set(e, ERR_USAGE, "dest=DIR is missing");
	/* As there it is loaded; here it is in the store already. */
	if (o->kind == OUTPUT_DOCKER && !o->dest)
		o->kind = OUTPUT_IMAGE;
	return 0;
}

/* Docker's types know gzip alone, and no annotations. */
static int settle_form(struct output_form *f, struct err *e)
{
	if (f->format.level && !f->compressed)
		return err_set(e, ERR_USAGE, "compression-level: say by compression= of which");
	if (f->format.how == COMPRESSION_GZIP && f->format.level > 9)
		return err_set(e, ERR_USAGE, "compression-level: gzip has 1 to 9");
	if (!f->docker_types)
		return 0;
	if (f->annotations.n)
		return err_set(e, ERR_USAGE, "oci-mediatypes=false: Docker's manifests have no annotations");
	if (f->compressed && f->format.how == COMPRESSION_ZSTD)
		return err_set(e, ERR_USAGE, "oci-mediatypes=false: Docker's types know no zstd");
	if (!f->compressed)
		f->format.how = COMPRESSION_GZIP;
	f->all |= !f->compressed;
	f->compressed = true;
	return 0;
}

static int parse_exporter(const char *text, struct output *o, struct err *e)
{
	AUTO(strv_fini) struct strv fields = { 0 };
	if (csv_parse(text, &fields, e) < 0) {
		e->kind = ERR_USAGE;
		return -1;
	}
	if (fields.n == 1 && str_eq(fields.v[0], text) && !str_starts(text, "type=")) {
		o->kind = strcmp(text, "-") == 0 ? OUTPUT_TAR : OUTPUT_LOCAL;
		set_dest(o, text, e);
		return settle_dest(o, e);
	}
	if (find_type(&fields, o, e) < 0)
		return -1;
	for (size_t i = 0; i < fields.n; i++)
		if (set_key(o, fields.v[i], e) < 0)
			return -1;
	return settle_dest(o, e) < 0 ? -1 : settle_form(&o->form, e);
}

/* ---- all of them ---- */

/* What has no names of its own gets those of -t, as with docker. */
static int add_tags(struct output *o, const struct build_options *options, struct err *e)
{
	if (o->names.n || !(FOR_IMAGES & FOR(o->kind)))
		return 0;
	for (size_t i = 0; i < options->tags.n; i++) {
		char *name = NULL;
		if (image_name(options->tags.v[i], &name, e) < 0)
			return -1;
		strv_push_taken(&o->names, name);
	}
	return 0;
}

static int parse_one(const char *text, const struct build_options *options, struct output *o, struct err *e)
{
	o->text = text;
	if (!*text)
		return err_set(e, ERR_USAGE, "it is empty");
	int r = parse_transport(text, o, e);
	if (r == 1)
		r = parse_exporter(text, o, e);
	return r < 0 ? -1 : add_tags(o, options, e);
}

/* As with docker: outputs that are images are pushed; where there is none, the image is. */
static void add_push(const struct build_options *options, struct outputs *l)
{
	bool found = false;
	for (size_t i = 0; i < l->n; i++) {
		found |= (FOR_STORE & FOR(l->v[i].kind)) != 0;
		l->v[i].push |= l->v[i].kind == OUTPUT_IMAGE;
	}
	if (found)
		return;
	struct output *o = vec_add(l);
	*o = (struct output){ .text = "type=registry", .kind = OUTPUT_REGISTRY };
	strv_copy(&o->names, &options->tags);
}

/* What --annotation says goes for the image itself and all that is made of it. */
static int add_annotations(const struct build_options *options, struct annotations *l, struct err *e)
{
	for (size_t i = 0; i < options->annotations.n; i++)
		if (annotation_add_option(l, options->annotations.v[i], e) < 0) {
			e->kind = ERR_USAGE;
			return err_in(e, "--annotation %s", options->annotations.v[i]);
		}
	return 0;
}

int outputs_parse(const struct build_options *options, struct outputs *ret, struct err *e)
{
	ret->squash = options->squash || options->squash_stages.n;
	if (add_annotations(options, &ret->result.annotations, e) < 0)
		return -1;
	for (size_t i = 0; i < options->outputs.n; i++) {
		const char *text = options->outputs.v[i];
		if (parse_one(text, options, vec_add(ret), e) < 0) {
			e->kind = ERR_USAGE;
			return err_in(e, "-o %s", text);
		}
	}
	if (options->push)
		add_push(options, ret);
	for (size_t i = 0; i < ret->n; i++)
		if (FOR_FORMED & FOR(ret->v[i].kind) && add_annotations(options, &ret->v[i].form.annotations, e) < 0)
			return -1;
	return 0;
}

bool output_is_stream(const struct output *o)
{
	return !o->dest && (FOR_FILES | FOR_ARCHIVES) & FOR(o->kind);
}

bool outputs_have_stream(const struct outputs *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (output_is_stream(&l->v[i]))
			return true;
	return false;
}

bool outputs_want_names(const struct outputs *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].kind != OUTPUT_NOTHING)
			return true;
	return l->n == 0;
}
