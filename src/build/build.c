/* A build from its options to its result: reading the Dockerfile, the graph, the loop, names and outputs. */
#include "build/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/path.h"
#include "base/tree.h"
#include "attest_priv.h"
#include "build_log_priv.h"
#include "build/image_set.h"
#include "build_priv.h"
#include "call_priv.h"
#include "check_priv.h"
#include "context_reads_priv.h"
#include "depfile_priv.h"
#include "graph_priv.h"
#include "metadata_priv.h"
#include "out_file_priv.h"
#include "room_priv.h"
#include "share_priv.h"
#include "stat_index_priv.h"
#include "dockerfile/lint.h"
#include "oci/time.h"

/* ---- inputs ---- */

static int read_build_args(struct build *b, struct err *e)
{
	const struct strv *given = &b->options->build_args;
	for (size_t i = 0; i < given->n; i++) {
		const char *equals = strchr(given->v[i], '=');
		AUTO(free_drop) char *name = x_strndup(given->v[i], strcspn(given->v[i], "="));
		if (!*name)
			return err_set(e, ERR_USAGE, "--build-arg %s: NAME or NAME=VALUE is wanted", given->v[i]);
		const char *value = equals ? equals + 1 : getenv(name); /* ARG-14 */
		if (value)
			env_set(&b->build_args, name, value);
	}
	/* Clients forward it from the environment (SDE-01). */
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	if (epoch && *epoch && !env_get(&b->build_args, "SOURCE_DATE_EPOCH"))
		env_set(&b->build_args, "SOURCE_DATE_EPOCH", epoch);
	return 0;
}

/* ---- output ---- */

/* Of one error the message comes last, from main; of several each is printed here and the last line counts them. */
static void print_errors(const struct build *b, const struct err *e)
{
	const struct df_errors *all = &b->file.errors;
	for (size_t i = 0; all->list.n > 1 && i < all->list.n; i++) {
		const struct err *one = &all->list.v[i];
		AUTO(free_drop) char *text = df_excerpt(&b->file, b->file_name, one, one->msg);
		fprintf(stderr, "%s\n", text);
	}
	if (all->more)
		fprintf(stderr, "and %zu more\n", all->more);
	if (!e->line)
		return;
	AUTO(free_drop) char *text = df_excerpt(&b->file, b->file_name, e, NULL);
	fprintf(stderr, "%s", text);
}

static void print_warnings(struct build *b)
{
	if (b->options->progress == PROGRESS_QUIET || !b->file.warnings.n)
		return;
	for (size_t i = 0; i < b->file.warnings.n; i++) {
		const struct df_warning *w = &b->file.warnings.v[i];
		AUTO(str_fini) struct str out = { 0 };
		str_addf(&out, "WARNING: %s: ", df_rule_name(w->rule));
		str_add_printable(&out, w->text, strlen(w->text));
		str_addf(&out, " (%s:%d)", b->file_name, w->line);
		progress_note(b->progress, out.buf);
	}
}

static int add_name(const char *text, struct build_result *ret, struct err *e)
{
	AUTO(free_drop) char *name = NULL;
	if (image_name(text, &name, e) < 0)
		return -1;
	if (!strv_has(&ret->names, name))
		strv_push(&ret->names, name);
	return 0;
}

/*
 * Thousands of files of a large tree would take longer to sync than many steps to run, and no name leads to them. So then
 * the image alone is synced: the trees count in this boot (order 3 of store/store.h), and the sync of a later build
 * finds them written by the kernel meanwhile.
 */
static int sync_for_names(struct build *b, const struct digest *image, struct err *e)
{
	enum { LARGE = 8 << 20 };
	return b->tree_bytes < LARGE ? store_sync(b->store, e) : image_sync(b->store, image, e);
}

static int give_names(struct build *b, struct build_result *ret, struct err *e)
{
	for (size_t i = 0; i < b->options->tags.n; i++)
		if (add_name(b->options->tags.v[i], ret, e) < 0)
			return -1;
	for (size_t i = 0; i < b->outputs.n; i++)
		for (size_t k = 0; b->outputs.v[i].kind == OUTPUT_IMAGE && k < b->outputs.v[i].names.n; k++)
			if (add_name(b->outputs.v[i].names.v[k], ret, e) < 0)
				return -1;
	bool dirty = b->store_dirty;
	for (size_t i = 0; i < ret->names.n; i++)
		dirty |= !image_has_name(b->store, ret->names.v[i], &ret->image.digest);
	/* Everything the names will lead to is on disk before the names are, also what an earlier build wrote. */
	if (dirty && sync_for_names(b, &ret->image.digest, e) < 0)
		return -1;
	for (size_t i = 0; i < ret->names.n; i++)
		if (image_tag(b->store, ret->names.v[i], &ret->image, b->created, e) < 0)
			return -1;
	return 0;
}

static int put_file(const char *path, const char *text, size_t n, bool touch, struct err *e)
{
	AUTO(free_drop) char *dir = path_dir(path);
	AUTO(fd_drop) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the directory of %s", path);
	if (file_put(fd, path_base(path), text, n, false, e) < 0)
		return -1;
	if (touch && utimensat(fd, path_base(path), NULL, 0) < 0)
		return err_sys(e, "set the time of %s", path);
	return 0;
}

/* The iidfile comes last and is not older than its directory, which may be among what it depends on. */
static int write_files(struct build *b, const struct build_result *result, const struct str *depends, struct err *e)
{
	const struct build_options *o = b->options;
	struct digest_text text = digest_text(&result->image.digest);
	AUTO(free_drop) char *metadata = NULL;
	if (o->metadata_file && (metadata_make(b->store, result, &metadata, e) < 0 ||
				 put_file(o->metadata_file, metadata, strlen(metadata), false, e) < 0))
		return -1;
	if (o->depfile && put_file(o->depfile, str_text(depends), depends->len, false, e) < 0)
		return -1;
	return o->iidfile ? put_file(o->iidfile, text.s, strlen(text.s), o->depfile != NULL, e) : 0;
}

/* ---- the whole ---- */

static int check_file(const char *option, const char *path, struct err *e)
{
	if (!path)
		return 0;
	if (!*path)
		return err_set(e, ERR_USAGE, "%s: the name of a file is wanted", option);
	return out_place_check(path, e) < 0 ? err_in(e, "%s %s", option, path) : 0;
}

static int check_options(struct build *b, struct err *e)
{
	const struct build_options *o = b->options;
	for (size_t i = 0; i < o->tags.n; i++) {
		AUTO(free_drop) char *name = NULL;
		if (image_name(o->tags.v[i], &name, e) < 0)
			return err_in(e, "-t %s", o->tags.v[i]);
	}
	if (share_specs_check(o, e) < 0)
		return -1;
	if (outputs_parse(o, &b->outputs, e) < 0 || outputs_check(&b->outputs, e) < 0 || attest_check(b, e) < 0)
		return -1;
	if (check_file("--iidfile", o->iidfile, e) < 0 || check_file("--depfile", o->depfile, e) < 0 ||
	    check_file("--metadata-file", o->metadata_file, e) < 0)
		return -1;
	return depfile_check(b, e);
}

/*
 * What cannot work is refused before anything runs, and with error=true the warnings too. Without it they are looked for
 * again afterwards if a base image was not there yet.
 */
static int check_before(struct build *b, const struct df_check *check, struct err *e)
{
	check_forget_unneeded(b);
	return check_walk(b, check, check->as_error, NULL, NULL, e) < 0 ? -1 : check_verdict(b, check, e);
}

static void check_after(struct build *b, const struct df_check *check)
{
	struct err e;
	if (!b->checks_complete && !check->as_error) {
		df_lint(&b->file, check);
		check_forget_unneeded(b);
		if (check_walk(b, check, false, NULL, NULL, &e) < 0)
			log_debug("checks: %s", e.msg); /* the build went well nevertheless */
	}
	print_warnings(b);
}

/* Secrets are read into this process and its workers; none may leave them in a core file (T-J5). */
static void no_core(void)
{
	struct rlimit none = { 0 };
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* What an instruction with variables comes to may hang on one that could not be read. */
static bool stands_alone(const struct df_file *f, int line)
{
	for (size_t i = 0; i < f->instructions.n; i++) {
		const struct df_instruction *in = &f->instructions.v[i];
		if (in->line <= line && line <= in->line_end)
			return !strchr(in->text, '$');
	}
	return false;
}

/* The mistakes in what could be read of a file that has others, unless they may follow from those. */
static int judge_rest(struct build *b, const struct df_check *check, struct err *e)
{
	struct df_errors known = b->file.errors, found;
	struct err ignored;
	b->file.errors = (struct df_errors){ 0 };
	if (b->file.stages.n && graphs_make(b, &ignored) == 0)
		(void)check_walk(b, check, false, NULL, NULL, &ignored);
	found = b->file.errors;
	b->file.errors = known;
	for (size_t i = 0; i < found.list.n; i++)
		if (stands_alone(&b->file, found.list.v[i].line))
			df_errors_add(&b->file.errors, &found.list.v[i]);
	vec_fini(&found.list);
	return df_errors_verdict(&b->file.errors, b->file_name, e);
}

/* Mistakes in the check directive are told with the others; what the graph finds is in the list for check_walk. */
static int read_file(struct build *b, const struct str *text, struct df_check *check, struct err *e)
{
	bool parsed = df_parse(str_text(text), text->len, &b->file, e) == 0;
	if (check_begin(b, check, e) < 0 && (!e->line || df_errors_take(&b->file.errors, e) < 0))
		return -1;
	if (!parsed)
		return judge_rest(b, check, e);
	if (graphs_make(b, e) < 0)
		return b->file.errors.list.n ? df_errors_verdict(&b->file.errors, b->file_name, e) : -1;
	return 0;
}

static int prepare(struct build *b, struct df_check *check, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	b->start_time = time(NULL);
	if (b->options->secrets.n || b->options->ssh.n)
		no_core();
	if (check_options(b, e) < 0 || run_options_read(b->options, &b->run_options, e) < 0 ||
	    secrets_read(&b->options->secrets, &b->secrets, e) < 0 ||
	    ssh_read(&b->options->ssh, &b->ssh, e) < 0 || graphs_read(b, e) < 0 || read_build_args(b, e) < 0 ||
	    outputs_check_platforms(&b->outputs, b->graphs.n, e) < 0)
		return -1;
	b->format = outputs_format(&b->outputs, b->options);
	/* What kind each context is comes first: the Dockerfile may be inside the build context. */
	if (context_main(b, e) < 0 || named_contexts_read(b, e) < 0 || ssh_start(b, &b->ssh, e) < 0 ||
	    dockerfile_read(b, &text, e) < 0)
		return -1;
	if (read_file(b, &text, check, e) < 0)
		return -1;
	for (size_t i = 0; i < b->options->squash_stages.n; i++)
		if (!stage_find(b->graphs.v[0], b->options->squash_stages.v[i]))
			return stage_unknown(b, "--squash-stage", b->options->squash_stages.v[i], e);
	if (rerun_read(b, e) < 0)
		return -1;
	return epoch_read(b, e);
}

static void save_indexes(struct build *b)
{
	struct err e;
	for (size_t i = 0; i <= b->contexts.n; i++) {
		struct context *c = i ? &b->contexts.v[i - 1]->dir : &b->context;
		/* Losing it costs time only; a work directory is not seen again. */
		if (c->opened && c->kind == CONTEXT_DIR && stat_index_save(c->index, &e) < 0)
			log_debug("stat index of %s: %s", c->path, e.msg);
	}
}

static void show_line(void *ctx, const char *text)
{
	progress_note(ctx, text);
}

static size_t root_layers(const struct graph *g)
{
	const struct stage *st = g->goal;
	while (st->base_stage)
		st = st->base_stage;
	return st->n_base_layers;
}

/* The image in the forms that outputs ask for; names then lead to the one that the store is to show. */
static int make_forms(struct build *b, struct build_result *ret, struct err *e)
{
	AUTO(free_drop) size_t *n_base = x_alloc((b->graphs.n + 1) * sizeof *n_base);
	AUTO(free_drop) struct layer_ranges *squash = x_alloc((b->graphs.n + 1) * sizeof *squash);
	const struct output_source from = {
		.n_base = n_base,
		.epoch = b->has_epoch ? &b->epoch : NULL,
		.format = b->format,
		.squash = squash,
	};
	int r = 0;
	for (size_t i = 0; i < b->graphs.n && r == 0; i++) {
		n_base[i] = root_layers(b->graphs.v[i]);
		r = squash_ranges(b->options, b->graphs.v[i], &squash[i], e);
	}
	if (r == 0)
		r = outputs_make(b->store, &b->outputs, &from, &ret->image, &b->store_dirty, e);
	for (size_t i = 0; i < b->graphs.n; i++)
		vec_fini(&squash[i]);
	return r;
}

static int finish(struct build *b, struct build_result *ret, struct err *e)
{
	AUTO(str_fini) struct str depends = { 0 };
	ret->has_stream = outputs_have_stream(&b->outputs);
	if (build_finish(b, &ret->image, e) < 0 || make_forms(b, ret, e) < 0)
		return -1;
	if (b->options->depfile && depfile_make(b, &depends, e) < 0)
		return -1;
	if (share_keep(b, e) < 0)
		return -1;
	if (outputs_want_names(&b->outputs) && give_names(b, ret, e) < 0)
		return -1;
	if (outputs_write(b->store, &b->outputs, &ret->image, show_line, b->progress, e) < 0)
		return -1;
	if (attest_write(b, ret, show_line, b->progress, e) < 0 || share_save(b, e) < 0)
		return -1;
	return write_files(b, ret, &depends, e);
}

static int clean_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct build *b = ctx;
	(void)r;
	(void)result;
	if (b->userns_open && userns_join(&b->userns, e) < 0)
		return -1;
	store_recover(b->store);
	return 0;
}

/*
 * Work directories and trees hold files of subordinate ids: only from inside the namespace can they be removed. A build
 * that needed no namespace opens one for what a killed one left.
 */
void build_clean(struct build *b)
{
	struct err e;
	struct worker w;
	if (b->tmp_fd < 0 && !b->store->left)
		return;
	if (b->tmp_fd >= 0)
		store_tmp_discard(b->store, b->tmp_id);
	fd_drop(&b->tmp_fd);
	if (b->store->left && build_userns(b, &e) < 0)
		log_debug("clean up: %s", e.msg);
	if (worker_start(&w, "nacre-clean", clean_work, b, &e) < 0 || worker_wait(&w, NULL, NULL, NULL, &e) < 0)
		log_debug("clean up: %s", e.msg);
}

static void forget_stages(struct build *b)
{
	for (size_t i = 0; i < b->stages.n; i++)
		stage_free(b->stages.v[i]);
	vec_fini(&b->stages);
	for (size_t i = 0; i < b->images.n; i++) {
		base_image_fini(b->images.v[i]);
		free(b->images.v[i]);
	}
	vec_fini(&b->images);
	for (size_t i = 0; i < b->graphs.n; i++)
		vec_fini(&b->graphs.v[i]->stages);
	rerun_fini(&b->rerun);
}

static void build_fini(struct build *b)
{
	forget_stages(b);
	share_free(b->share);
	ssh_fini(&b->ssh);
	build_clean(b);
	for (size_t i = 0; i < b->contexts.n; i++) {
		context_fini(&b->contexts.v[i]->dir);
		free(b->contexts.v[i]->name);
		free(b->contexts.v[i]->value);
		free(b->contexts.v[i]);
	}
	vec_fini(&b->contexts);
	context_fini(&b->context);
	if (b->userns_open)
		userns_fini(&b->userns);
	vec_fini(&b->jobs);
	outputs_fini(&b->outputs);
	strv_fini(&b->build_args);
	graphs_free(b);
	free(b->file_name);
	free(b->file_path);
	free(b->created);
	run_options_fini(&b->run_options);
	json_fini(&b->earlier);
	secrets_fini(&b->secrets);
	build_room_free(b->room);
	free(b->hosts_text);
	free(b->resolv_text[SANDBOX_NET_HOST]);
	free(b->resolv_text[SANDBOX_NET_NONE]);
	progress_free(b->progress);
	df_file_fini(&b->file);
	arena_fini(&b->arena);
}

/* Nothing is built that would stop later for want of an --allow. */
static int check_allowed(const struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->stages.n; i++) {
		const struct stage *st = b->stages.v[i];
		for (size_t k = st->df->first; st->needed && k < st->df->end; k++) {
			const struct df_instruction *in = &b->file.instructions.v[k];
			if (in->op == DF_RUN && run_options_allow(&b->run_options, in, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* Contexts stay as they are: one that came on standard input comes only once. What steps made is in the cache by now. */
static int begin_again(struct build *b, struct err *e)
{
	b->share->broken = false;
	forget_stages(b);
	return graphs_make(b, e) < 0 ? -1 : rerun_read(b, e);
}

static int run_stages(struct build *b, struct err *e)
{
	int r = share_open(b, e);
	if (r == 0)
		r = schedule_run(b, e);
	/* Each time there is one cache less that is believed. */
	while (r == 0 && share_is_broken(b)) {
		r = begin_again(b, e);
		if (r == 0)
			r = schedule_run(b, e);
	}
	return r;
}

int build_run(struct store *s, const struct build_options *o, struct build_result *ret, struct err *e)
{
	struct build b = { .store = s, .options = o, .tmp_fd = -1 };
	struct df_check check = { 0 };
	b.context.fd = -1;
	b.progress = progress_new(o->progress);
	int r = build_room_new(o->cache_max, &b.room, e);
	if (r == 0)
		r = prepare(&b, &check, e);
	if (r == 0)
		r = check_allowed(&b, e);
	if (r == 0)
		r = check_before(&b, &check, e);
	if (r == 0)
		r = run_stages(&b, e);
	progress_end(b.progress);
	if (r == 0)
		r = finish(&b, ret, e);
	if (r == 0) {
		rerun_report(&b);
		check_after(&b, &check);
	} else {
		print_errors(&b, e);
	}
	ret->beyond = build_room_is_beyond(b.room);
	save_indexes(&b);
	build_log_write(&b, r == 0 ? ret : NULL);
	build_fini(&b);
	return r;
}

/* Without a target every stage is checked, reached by the last one or not. */
static void look_wide(struct build *b)
{
	if (b->options->target)
		check_forget_unneeded(b);
	for (size_t i = 0; i < b->graphs.n && !b->options->target; i++)
		graph_need_all(b->graphs.v[i]);
}

/* Names of rules that do not exist are let pass by a build; who checks wants to know. */
static void print_hints(const struct build *b)
{
	AUTO(strv_fini) struct strv hints = { 0 };
	df_check_hints(&b->file, b->file_name, env_get(&b->build_args, "BUILDKIT_DOCKERFILE_CHECK"), &hints);
	for (size_t i = 0; i < hints.n; i++)
		fprintf(stderr, "%s\n", hints.v[i]);
}

static int answer(struct build *b, const struct df_check *check, enum call_method method, enum call_format format,
		  struct str *out, size_t *ret_count, struct err *e)
{
	struct outline outline = { 0 };
	*ret_count = 0;
	if (b->graphs.n > 1 && (method == CALL_CONTEXT || method == CALL_OUTLINE))
		return err_set(e, ERR_USAGE, "--platform: %zu were given; this tells of one at a time", b->graphs.n);
	if (method == CALL_CONTEXT)
		return context_list(b, check, format == CALL_JSON, out, ret_count, e);
	if (method == CALL_TARGETS) {
		if (df_errors_verdict(&b->file.errors, b->file_name, e) < 0)
			return -1;
		call_write_targets(b, format, out);
		return 0;
	}
	if (method == CALL_CHECK)
		look_wide(b);
	int r = check_walk(b, check, method == CALL_CHECK, &outline, NULL, e);
	if (r == 0 && method == CALL_OUTLINE)
		call_write_outline(b, &outline, format, out);
	else if (r == 0)
		call_write_check(b, check, format, NULL, out);
	outline_fini(&outline);
	*ret_count = b->file.warnings.n;
	return r;
}

int build_call(struct store *s, const struct build_options *o, enum call_method method, enum call_format format,
	       struct str *out, size_t *ret_count, struct err *e)
{
	struct build b = { .store = s, .options = o, .tmp_fd = -1 };
	struct df_check check = { 0 };
	b.context.fd = -1;
	b.progress = progress_new(PROGRESS_QUIET); /* a context may have to be fetched */
	int r = prepare(&b, &check, e);
	if (r == 0)
		r = answer(&b, &check, method, format, out, ret_count, e);
	if (method == CALL_CHECK && b.file_name)
		print_hints(&b);
	if (r < 0) {
		print_errors(&b, e);
		if (method == CALL_CHECK && format != CALL_TEXT && b.file.errors.list.n)
			call_write_check(&b, &check, format, e, out);
	}
	build_fini(&b);
	return r;
}

void build_result_fini(struct build_result *r)
{
	descriptor_fini(&r->image);
	strv_fini(&r->names);
}
