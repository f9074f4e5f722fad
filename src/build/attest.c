#include "attest_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/tree.h"
#include "build/image_set.h"
#include "export_priv.h"
#include "oci/media_type.h"
#include "out_file_priv.h"
#include "registry/pull.h"
#include "registry/push.h"
#include "registry/reference.h"
#include "sbom_priv.h"
#include "store/blob.h"
#include "store/ref.h"

#define MT_STATEMENT "application/vnd.in-toto+json"
#define MT_EMPTY     "application/vnd.oci.empty.v1+json" /* image-spec manifest.md, "Guidance for an Empty Descriptor" */

struct attest {
	bool sbom, provenance;
	bool full;       /* provenance, mode=max: with build arguments, labels and instructions */
	const char *dir; /* --attest-dir, or NULL; borrowed */
};

enum attest_kind { ATTEST_SBOM, ATTEST_PROVENANCE };

static const char *const predicate_types[] = {
	[ATTEST_SBOM] = "https://spdx.dev/Document",
	[ATTEST_PROVENANCE] = "https://slsa.dev/provenance/v1",
};
static const char *const file_names[] = {
	[ATTEST_SBOM] = "sbom.spdx.json",
	[ATTEST_PROVENANCE] = "provenance.json",
};

/* ---- options ---- */

static int wrong(const char *option, const char *text, struct err *e)
{
	const char *wanted = "type=sbom or type=provenance[,mode=min|max]";
	if (str_eq(option, "--sbom"))
		wanted = "true or false";
	else if (str_eq(option, "--provenance"))
		wanted = "true, false, mode=min or mode=max";
	return err_set(e, ERR_USAGE, "%s %s: %s is wanted", option, text, wanted);
}

/* What --attest says besides its type, or what a short form says: "true", "false", "disabled=BOOL", "mode=MODE". */
static int take_word(enum attest_kind kind, const char *word, struct attest *a, bool *ret_on)
{
	if (strcmp(word, "true") == 0 || strcmp(word, "disabled=false") == 0)
		*ret_on = true;
	else if (strcmp(word, "false") == 0 || strcmp(word, "disabled=true") == 0)
		*ret_on = false;
	else if (kind == ATTEST_PROVENANCE && (strcmp(word, "mode=min") == 0 || strcmp(word, "mode=max") == 0))
		a->full = strcmp(word, "mode=max") == 0;
	else
		return -1;
	return 0;
}

static int take_words(enum attest_kind kind, const char *option, const char *text, const char *skip, struct attest *a,
		      struct err *e)
{
	AUTO(free_drop) char *words = x_strdup(text);
	bool on = true;
	for (char *next = words; next;) {
		const char *word = strsep(&next, ",");
		if (!(skip && strcmp(word, skip) == 0) && take_word(kind, word, a, &on) < 0)
			return wrong(option, text, e);
	}
	*(kind == ATTEST_SBOM ? &a->sbom : &a->provenance) = on;
	return 0;
}

static int take_attest(const char *text, struct attest *a, struct err *e)
{
	static const char *const types[] = { [ATTEST_SBOM] = "type=sbom", [ATTEST_PROVENANCE] = "type=provenance" };
	AUTO(free_drop) char *padded = x_asprintf(",%s,", text);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		AUTO(free_drop) char *want = x_asprintf(",%s,", types[i]);
		if (strstr(padded, want))
			return take_words((enum attest_kind)i, "--attest", text, types[i], a, e);
	}
	return wrong("--attest", text, e);
}

static bool is_layout(const struct output *o)
{
	return o->kind == OUTPUT_OCI && o->unpacked;
}

/* Whether it is where the store's own image can have something beside it. */
static bool has_place(const struct output *o)
{
	return (is_layout(o) || output_is_pushed(o)) && output_form_is_plain(&o->form);
}

static int attest_parse(const struct build_options *o, struct attest *ret, struct err *e)
{
	struct attest a = { .dir = o->attest_dir };
	for (size_t i = 0; i < o->attests.n; i++)
		if (take_attest(o->attests.v[i], &a, e) < 0)
			return -1;
	if (o->sbom && take_words(ATTEST_SBOM, "--sbom", o->sbom, NULL, &a, e) < 0)
		return -1;
	if (o->provenance && take_words(ATTEST_PROVENANCE, "--provenance", o->provenance, NULL, &a, e) < 0)
		return -1;
	*ret = a;
	return 0;
}

int attest_check(const struct build *b, struct err *e)
{
	struct attest a;
	if (attest_parse(b->options, &a, e) < 0)
		return -1;
	bool place = a.dir != NULL;
	for (size_t i = 0; i < b->outputs.n; i++) {
		const struct output *o = &b->outputs.v[i];
		place |= has_place(o);
		/* What is said is said of the image in the store, which that output then does not have. */
		if ((a.sbom || a.provenance) && !a.dir && (is_layout(o) || output_is_pushed(o)) && !has_place(o))
			return err_set(e, ERR_USAGE, "-o %s: an SBOM or provenance cannot stand beside another form of the image; "
				       "give --attest-dir DIR", o->text);
	}
	if ((a.sbom || a.provenance) && !place)
		return err_set(e, ERR_USAGE, "there is no place for an SBOM or provenance; give --attest-dir DIR, --push, or -o oci:DIR");
	return a.dir ? out_place_check(a.dir, e) : 0;
}

/* ---- statements ---- */

struct subject {
	struct build *b;
	const struct attest *a;
	const struct graph *graph;
	const struct image *image;
	const char *name;  /* of the image, or its digest */
	const struct pull_progress *progress;
};

static int write_predicate(const struct subject *s, enum attest_kind kind, struct json_out *o, struct err *e)
{
	struct sbom sbom = { 0 };
	if (kind == ATTEST_PROVENANCE) {
		provenance_write(s->graph, s->a->full, o);
		return 0;
	}
	int r = sbom_scan(s->b, s->image, &sbom, e);
	if (r == 0)
		sbom_write_spdx(&sbom, s->image, s->name, o);
	sbom_fini(&sbom);
	return r;
}

/* https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md; the caller owns *ret. */
static int statement(const struct subject *s, enum attest_kind kind, char **ret, struct err *e)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_str(&o, "_type", "https://in-toto.io/Statement/v1");
	json_put_key(&o, "subject");
	json_begin(&o, '[');
	json_begin(&o, '{');
	json_kv_str(&o, "name", s->name);
	json_put_key(&o, "digest");
	json_begin(&o, '{');
	json_kv_str(&o, "sha256", digest_hex(&s->image->desc.digest).s);
	json_end(&o, '}');
	json_end(&o, '}');
	json_end(&o, ']');
	json_kv_str(&o, "predicateType", predicate_types[kind]);
	json_put_key(&o, "predicate");
	if (write_predicate(s, kind, &o, e) < 0) {
		json_out_drop(&o);
		return -1;
	}
	json_end(&o, '}');
	*ret = json_out_take(&o);
	return 0;
}

/* ---- as files ---- */

/* As BuildKit's: below a directory named after the platform when there are several. */
static int put_file(const struct subject *s, enum attest_kind kind, const char *text, struct err *e)
{
	AUTO(free_drop) char *platform = platform_text(&s->graph->target);
	AUTO(free_drop) char *below = NULL;
	for (char *c = platform; *c; c++)
		*c = *c == '/' ? '_' : *c;
	below = s->b->graphs.n > 1 ? x_asprintf("%s/%s", s->a->dir, platform) : x_strdup(s->a->dir);
	if ((mkdir(s->a->dir, 0777) < 0 && errno != EEXIST) || (mkdir(below, 0777) < 0 && errno != EEXIST))
		return err_sys(e, "create the directory %s", below);
	AUTO(fd_drop) int dir = open(below, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open the directory %s", below);
	return file_put(dir, file_names[kind], text, strlen(text), false, e) < 0 ? err_in(e, "%s", below) : 0;
}

/* ---- as artifacts: image-spec manifest.md, "Guidelines for Artifact Usage" ---- */

struct artifact {
	struct descriptor parts[3]; /* the empty config, the statement, the manifest; media types are not owned */
};

static char *artifact_manifest(const struct artifact *a, const struct image *subject, enum attest_kind kind)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "schemaVersion", 2);
	json_kv_str(&o, "mediaType", MT_MANIFEST);
	json_kv_str(&o, "artifactType", MT_STATEMENT);
	json_put_key(&o, "config");
	descriptor_write(&o, &a->parts[0]);
	json_put_key(&o, "layers");
	json_begin(&o, '[');
	json_begin(&o, '{');
	json_kv_str(&o, "mediaType", MT_STATEMENT);
	json_kv_str(&o, "digest", digest_text(&a->parts[1].digest).s);
	json_kv_int(&o, "size", (int64_t)a->parts[1].size);
	json_put_key(&o, "annotations");
	json_begin(&o, '{');
	json_kv_str(&o, "in-toto.io/predicate-type", predicate_types[kind]);
	json_end(&o, '}');
	json_end(&o, '}');
	json_end(&o, ']');
	json_put_key(&o, "subject");
	descriptor_write(&o, &subject->desc);
	json_end(&o, '}');
	return json_out_take(&o);
}

static int put_part(struct store *s, const char *media_type, const char *text, struct descriptor *ret, struct err *e)
{
	*ret = (struct descriptor){ .media_type = (char *)media_type, .size = strlen(text) };
	return blob_put(s, text, ret->size, &ret->digest, e);
}

static int make_artifact(const struct subject *s, enum attest_kind kind, const char *text, struct artifact *ret,
			 struct err *e)
{
	struct store *store = s->b->store;
	if (put_part(store, MT_EMPTY, "{}", &ret->parts[0], e) < 0 || put_part(store, MT_STATEMENT, text, &ret->parts[1], e) < 0)
		return -1;
	AUTO(free_drop) char *manifest = artifact_manifest(ret, s->image, kind);
	return put_part(store, MT_MANIFEST, manifest, &ret->parts[2], e);
}

/* Without a name, in the index.json of the layout that has the image. */
static int put_artifact(struct store *s, const struct artifact *a, const char *path, struct err *e)
{
	AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd_drop) int blobs = dir < 0 ? -1 : openat(dir, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct blob_place to = { .fd = blobs };
	if (blobs < 0)
		return err_sys(e, "open the image layout %s", path);
	for (size_t i = 0; i < ARRAY_LEN(a->parts); i++)
		if (export_blob(s, &to, &a->parts[i], e) < 0)
			return -1;
	const struct descriptor *d = &a->parts[2];
	const struct ref_entry entry = { .media_type = d->media_type, .digest = d->digest, .size = d->size,
					 .artifact_type = MT_STATEMENT };
	return fd_sync(blobs) < 0 ? err_sys(e, "sync %s", path) : ref_put(dir, &entry, e);
}

/* Under no tag, wherever the image was sent. */
static int push_artifact(const struct subject *s, const struct artifact *a, const struct output *o, struct err *e)
{
	for (size_t i = 0; i < o->names.n; i++) {
		AUTO(reference_fini) struct reference to = { 0 };
		if (reference_parse(o->names.v[i], &to, e) < 0)
			return -1;
		free(to.tag);
		to.tag = NULL;
		if (push_image(s->b->store, &a->parts[2].digest, &to, s->progress, e) < 0)
			return -1;
	}
	return 0;
}

static int put_artifacts(const struct subject *s, enum attest_kind kind, const char *text, struct err *e)
{
	struct artifact a;
	const struct outputs *l = &s->b->outputs;
	bool made = false;
	for (size_t i = 0; i < l->n; i++) {
		const struct output *o = &l->v[i];
		if (!has_place(o))
			continue;
		if (!made && make_artifact(s, kind, text, &a, e) < 0)
			return -1;
		if (is_layout(o) ? put_artifact(s->b->store, &a, o->dest, e) < 0 : push_artifact(s, &a, o, e) < 0)
			return err_in(e, "-o %s", o->text);
		made = true;
	}
	return 0;
}

/* ---- the worker ---- */

struct attest_job {
	struct build *b;
	const struct attest *a;
	const struct build_result *result;
};

static int attest_image(const struct subject *s, struct err *e)
{
	const bool wanted[] = { [ATTEST_SBOM] = s->a->sbom, [ATTEST_PROVENANCE] = s->a->provenance };
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		AUTO(free_drop) char *text = NULL;
		enum attest_kind kind = (enum attest_kind)i;
		if (!wanted[i])
			continue;
		if (statement(s, kind, &text, e) < 0 || (s->a->dir && put_file(s, kind, text, e) < 0) ||
		    put_artifacts(s, kind, text, e) < 0)
			return err_in(e, i == ATTEST_SBOM ? "--sbom" : "--provenance");
	}
	return 0;
}

static void report_line(void *ctx, const char *text)
{
	worker_line(ctx, text);
}

/* Images are in the order of the graphs. */
static int attest_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	const struct attest_job *j = ctx;
	AUTO(image_set_fini) struct image_set set = { 0 };
	const struct descriptor *top = &j->result->image;
	const struct pull_progress progress = { .line = report_line, .ctx = r };
	(void)result;
	if (image_set_load(j->b->store, &top->digest, &set, e) < 0)
		return -1;
	for (size_t i = 0; i < set.members.n; i++) {
		const struct image *image = &set.members.v[i].image;
		struct digest_text id = digest_text(&image->desc.digest);
		struct subject s = { .b = j->b, .a = j->a, .graph = j->b->graphs.v[i], .image = image, .name = id.s,
				     .progress = &progress };
		if (j->result->names.n)
			s.name = j->result->names.v[0];
		if (attest_image(&s, e) < 0)
			return -1;
	}
	return 0;
}

int attest_write(struct build *b, const struct build_result *result, void (*line)(void *ctx, const char *text), void *ctx,
		 struct err *e)
{
	struct attest a;
	struct attest_job j = { .b = b, .a = &a, .result = result };
	struct worker w;
	if (attest_parse(b->options, &a, e) < 0)
		return -1;
	if (!a.sbom && !a.provenance)
		return 0;
	if (worker_start(&w, "nacre-attest", attest_work, &j, e) < 0)
		return -1;
	return worker_wait(&w, line, ctx, NULL, e);
}
