/*
 * Images that FROM and --from name: found in the store or fetched, once per build and platform.
 *
 * Documents are fetched first. With them the layers are known, so while a second worker downloads those, others follow it
 * and make the trees or listings that the build will want. Nothing of the build stands on the image before it is all there.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base_image_priv.h"
#include "build/image_set.h"
#include "build_priv.h"
#include "room_priv.h"
#include "share_priv.h"
#include "registry/pull.h"
#include "registry/reference.h"
#include "store/blob.h"
#include "store/record.h"

void base_image_fini(struct base_image *i)
{
	for (size_t k = 0; k < i->slots.n; k++)
		slot_unref(i->slots.v[k]);
	vec_fini(&i->slots);
	image_fini(&i->image);
	if (i->view) {
		fsview_fini(i->view);
		free(i->view);
	}
	if (i->place) {
		share_place_fini(i->place);
		free(i->place);
	}
	if (i->coming)
		fd_drop(&i->ended_fd);
	free(i->reference);
}

static struct digest_text name_hash(const char *reference, const struct platform *want)
{
	struct sha s;
	AUTO(free_drop) char *platform = want ? platform_text(want) : x_strdup("");
	sha_init(&s);
	sha_add_str(&s, reference);
	sha_add_str(&s, platform);
	struct digest d = sha_end(&s);
	return digest_hex(&d);
}

/* Which manifest a reference gave for a platform when it was last fetched: base/HEX.json. */
static char *memo_name(const char *reference, const struct platform *want)
{
	return x_asprintf("base/%s.json", name_hash(reference, want).s);
}

static char *claim_name(const char *reference, const struct platform *want)
{
	return x_asprintf("base-%s", name_hash(reference, want).s);
}

static bool is_layout(const char *reference)
{
	return str_starts(reference, "oci-layout://");
}

/* With a shared cache, what stands on the image may be known already. */
static bool is_lazy(struct build *b, const struct base_image *i)
{
	return share_is_lazy(b) && !is_layout(i->reference);
}

char *base_image_memo(const struct base_image *i)
{
	return is_layout(i->reference) ? NULL : memo_name(i->reference, i->has_want ? &i->want : NULL);
}

static bool layers_present(struct store *s, const struct image *i)
{
	uint64_t size;
	for (size_t k = 0; k < i->manifest.layers.n; k++)
		if (!blob_exists(s, &i->manifest.layers.v[k].digest, &size) || size != i->manifest.layers.v[k].size)
			return false;
	return true;
}

/* Whether the image is in the store, for that platform (NULL: any). It becomes the one of `i`. */
static bool take(struct store *s, struct base_image *i, const struct digest *manifest, bool need_layers,
		 const struct platform *want)
{
	struct err ignored;
	struct image image = { 0 };
	if (image_load(s, manifest, &image, &ignored) < 0 || (need_layers && !layers_present(s, &image)) ||
	    (want && platform_match(want, &image.config.platform) <= 0)) {
		image_fini(&image);
		return false;
	}
	image_fini(&i->image);
	i->image = image;
	i->manifest = *manifest;
	return true;
}

/* An image built here, or fetched before: no network (unless --pull). */
static bool find_local(struct build *b, struct base_image *i, bool need_layers)
{
	struct err ignored;
	AUTO(json_fini) struct json j = { 0 };
	AUTO(free_drop) char *memo = base_image_memo(i);
	AUTO(free_drop) char *name = NULL;
	/* A directory of the user's is as near as the store and may have changed: it is always read. */
	if (b->options->pull || !memo)
		return false;
	struct digest found;
	if (!strstr(i->reference, "://") && image_name(i->reference, &name, &ignored) == 0 &&
	    image_find(b->store, name, &found, &ignored) == 0 &&
	    image_choose(b->store, &found, i->has_want ? &i->want : NULL, &found, &ignored) == 0 &&
	    take(b->store, i, &found, need_layers, i->has_want ? &i->want : NULL))
		return true;
	return store_json_get(b->store, memo, &j, &ignored) == 0 && json_str(&j, "manifest") &&
	       digest_parse(json_str(&j, "manifest"), &found, &ignored) == 0 &&
	       take(b->store, i, &found, need_layers, NULL);
}

struct fetch {
	struct build *build;
	struct base_image *image;
	bool want_layers; /* an image in the store counts only with them */
	bool only_looks;
};

/* oci-layout://DIR[:TAG|@DIGEST] */
static int fetch_layout(struct store *s, const char *spec, const struct platform *want,
			const struct pull_progress *progress, struct pulled *ret, struct err *e)
{
	AUTO(free_drop) char *dir = x_strdup(spec);
	struct digest digest;
	char *at = strrchr(dir, '@');
	char *slash = strrchr(dir, '/');
	char *colon = strrchr(slash ? slash : dir, ':');
	const char *tag = NULL;
	if (at) {
		*at = '\0';
		if (digest_parse(at + 1, &digest, e) < 0)
			return -1;
	} else if (colon) {
		*colon = '\0';
		tag = colon + 1;
	}
	AUTO(fd_drop) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the OCI layout %s", dir);
	return pull_layout(s, fd, dir, tag, at ? &digest : NULL, want, progress, ret, e);
}

static int remember(struct build *b, const char *reference, const struct platform *want, const struct digest *manifest,
		    struct err *e)
{
	AUTO(free_drop) char *memo = memo_name(reference, want);
	AUTO(free_drop) char *text = x_asprintf("{\"manifest\":\"%s\"}", digest_text(manifest).s);
	return store_json_put(b->store, memo, text, e);
}

/* Waits while another build fetches the same. True: it is here now, or what that build found has layers to be fetched. */
static bool found_after_claim(struct fetch *f, struct worker_report *r, struct claim *ret)
{
	struct base_image *i = f->image;
	bool waited = false;
	AUTO(free_drop) char *name = claim_name(i->reference, i->has_want ? &i->want : NULL);
	if (!claim_try(f->build->store, name, ret)) {
		worker_line(r, "another build is fetching it; waiting");
		claim_take(f->build->store, name, ret);
		waited = true;
	}
	return find_local(f->build, i, f->want_layers && !waited);
}

static int parse_reference(const char *text, struct reference *ret, struct err *e)
{
	if (str_starts(text, "docker-image://"))
		text += strlen("docker-image://");
	if (reference_parse(text, ret, e) == 0)
		return 0;
	e->kind = ERR_BUILD;
	return err_in(e, "failed to parse the image name \"%s\"", text);
}

static int fetch(struct fetch *f, struct worker_report *r, struct str *result, struct err *e)
{
	struct room_fetch way;
	const struct platform *want = f->image->has_want ? &f->image->want : NULL;
	const char *reference = f->image->reference;
	struct pulled got = { 0 };
	int rc;
	room_fetch_init(&way, f->build, r);
	way.progress.once = f->only_looks;
	if (is_layout(reference)) {
		rc = fetch_layout(f->build->store, reference + strlen("oci-layout://"), want, &way.progress, &got, e);
	} else {
		AUTO(reference_fini) struct reference ref = { 0 };
		rc = parse_reference(reference, &ref, e);
		if (rc == 0)
			rc = pull_image(f->build->store, &ref, want, false, &way.progress, &got, e);
	}
	room_fetch_end(&way, rc == 0);
	if (rc == 0 && !is_layout(f->image->reference))
		rc = remember(f->build, f->image->reference, want, &got.manifest.digest, e);
	if (rc == 0)
		str_add(result, digest_text(&got.manifest.digest).s);
	pulled_fini(&got);
	return rc;
}

static int fetch_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct fetch *f = ctx;
	AUTO(claim_drop) struct claim claim = { 0 };
	/* With --pull every build asks for itself; a directory is read by each. */
	if (!f->build->options->pull && !is_layout(f->image->reference) && found_after_claim(f, r, &claim)) {
		str_add(result, digest_text(&f->image->manifest).s);
		return 0;
	}
	return fetch(f, r, result, e);
}

static int fetch_failed(struct build *b, const struct job *j, const struct err *failed, struct err *e)
{
	const struct base_image *i = j->ctx;
	*e = *failed;
	const char *stage = stage_near(b, i->reference);
	if (stage)
		err_hint(e, "did you mean the stage \"%s\"?", stage);
	return j->step ? df_err_at(e, j->step->in, NULL) : -1;
}

/* ---- layers ---- */

/* That this process is gone is how those who follow it learn that nothing more comes. */
static int layers_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct fetch *f = ctx;
	struct room_fetch way;
	AUTO(reference_fini) struct reference ref = { 0 };
	(void)result;
	if (parse_reference(f->image->reference, &ref, e) < 0)
		return -1;
	room_fetch_init(&way, f->build, r);
	int rc = pull_layers(f->build->store, &ref, &f->image->manifest, &way.progress, e);
	room_fetch_end(&way, rc == 0);
	return rc;
}

static int layers_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct base_image *i = j->ctx;
	(void)result;
	i->job = NULL;
	i->coming = false;
	fd_drop(&i->ended_fd);
	for (size_t k = 0; k < i->slots.n; k++) {
		struct layer_slot *s = i->slots.v[k];
		s->ended_fd = -1;
		if (s->job && s->follows)
			s->job->idle = false;
	}
	if (failed)
		return fetch_failed(b, j, failed, e);
	i->ready = true;
	return 0;
}

static int start_layers(struct build *b, struct step *step, struct base_image *i, struct err *e)
{
	struct fetch f = { .build = b, .image = i };
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	i->job = job_worker(b, step, "nacre-pull", layers_work, &f, e);
	fd_drop(&ends[1]);
	if (!i->job) {
		fd_drop(&ends[0]);
		return -1;
	}
	i->job->done = layers_done;
	i->job->ctx = i;
	i->coming = true;
	i->ended_fd = ends[0];
	return base_image_load(b, i, e);
}

enum use { USE_NONE, USE_LISTINGS, USE_TREES };

static enum use use_by(enum df_op op)
{
	if (op == DF_RUN)
		return USE_TREES;
	return op == DF_COPY || op == DF_ADD || op == DF_WORKDIR ? USE_LISTINGS : USE_NONE;
}

static bool stands_on(const struct stage *st, const struct stage *base)
{
	while (st && st != base)
		st = st->base_stage;
	return st;
}

/* What is done with the image that a step names: by the step, or by all that stands on a FROM. */
static enum use use_of(const struct build *b, const struct step *step)
{
	enum use most = use_by(step->in->op);
	for (size_t k = 0; step->in->op == DF_FROM && k < b->stages.n; k++) {
		const struct stage *st = b->stages.v[k];
		if (!st->needed || !stands_on(st, step->stage))
			continue;
		for (size_t n = st->df->first; n < stage_end(st); n++) {
			enum use use = use_by(b->file.instructions.v[n].op);
			most = use > most ? use : most;
		}
	}
	return most;
}

/* What will be wanted of the layers begins while they come. */
static int prepare(struct build *b, struct step *step, struct base_image *i, struct err *e)
{
	struct err refused;
	switch (use_of(b, step)) {
	case USE_TREES:
		/* Where no namespace is to be had, it is the RUN that has to stop. */
		return build_userns(b, &refused) < 0 ? 0 : slots_need_trees(b, step, i->slots.v, i->slots.n, e);
	case USE_LISTINGS:
		return view_prepare(b, step, i->slots.v, i->slots.n, e);
	case USE_NONE:
		break;
	}
	return 0;
}

/* ---- the whole ---- */

static int fetch_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	struct base_image *i = j->ctx;
	i->job = NULL;
	if (failed)
		return fetch_failed(b, j, failed, e);
	if (digest_parse(result->buf, &i->manifest, e) < 0)
		return -1;
	i->ready = is_lazy(b, i) || take(b->store, i, &i->manifest, true, NULL);
	return i->ready ? 0 : start_layers(b, j->step, i, e);
}

static struct base_image *image_entry(struct build *b, const char *reference, const struct platform *want)
{
	for (size_t k = 0; k < b->images.n; k++) {
		struct base_image *i = b->images.v[k];
		if (strcmp(i->reference, reference) == 0 && i->has_want == (want != NULL) &&
		    (!want || platform_eq(&i->want, want)))
			return i;
	}
	struct base_image *i = x_alloc(sizeof *i);
	i->reference = x_strdup(reference);
	i->has_want = want != NULL;
	if (want)
		i->want = *want;
	vec_push(&b->images, i);
	return i;
}

/* Where the layers of an image are that was looked at only. */
static int find_place(struct base_image *i, struct err *e)
{
	const char *reference = i->reference;
	if (str_starts(reference, "docker-image://"))
		reference += strlen("docker-image://");
	i->place = x_alloc(sizeof *i->place);
	return share_place_of_image(reference, i->place, e);
}

int base_image_load(struct build *b, struct base_image *i, struct err *e)
{
	struct image image = { 0 };
	if (image_load(b->store, &i->manifest, &image, e) < 0)
		return -1;
	image_fini(&i->image);
	i->image = image;
	if (!i->coming && !layers_present(b->store, &i->image) && find_place(i, e) < 0)
		return -1;
	for (size_t k = 0; k < i->image.manifest.layers.n; k++) {
		const struct descriptor *d = &i->image.manifest.layers.v[k];
		struct layer_slot *s = slot_new();
		s->layer.diffid = i->image.config.diff_ids.v[k];
		s->layer.blob = (struct descriptor){ .media_type = x_strdup(d->media_type),
						     .digest = d->digest,
						     .size = d->size };
		s->resolved = s->of_base = true;
		if (i->place && !blob_exists(b->store, &d->digest, NULL))
			s->origin = i->place;
		if (i->coming && !blob_exists(b->store, &d->digest, NULL))
			s->ended_fd = i->ended_fd;
		vec_push(&i->slots, s);
	}
	i->loaded = true;
	return slots_settle(b, i->slots.v, i->slots.n, e);
}

int base_image_need(struct build *b, struct step *step, const char *reference, const struct platform *want,
		    struct base_image **ret, struct err *e)
{
	struct base_image *i = image_entry(b, reference, want);
	if (i->job)
		return i->coming && step && prepare(b, step, i, e) < 0 ? -1 : 1;
	if (!i->ready && find_local(b, i, !is_lazy(b, i)))
		i->ready = true;
	if (!i->ready) {
		struct fetch f = { .build = b, .image = i, .want_layers = !is_lazy(b, i) };
		if (step)
			progress_step_start(b->progress, step);
		i->job = job_worker(b, step, "nacre-pull", fetch_work, &f, e);
		if (!i->job)
			return -1;
		i->job->done = fetch_done;
		i->job->ctx = i;
		return 1;
	}
	if (!i->loaded && base_image_load(b, i, e) < 0)
		return -1;
	*ret = i;
	return 0;
}

/* Waits for it: for checks, which have nothing else to do, and say what they can without it. */
static bool fetch_documents(struct build *b, struct base_image *i)
{
	struct err e;
	struct worker w;
	struct fetch f = { .build = b, .image = i, .only_looks = true };
	AUTO(str_fini) struct str result = { 0 };
	if (worker_start(&w, "nacre-pull", fetch_work, &f, &e) < 0 || worker_wait(&w, NULL, NULL, &result, &e) < 0 ||
	    digest_parse(str_text(&result), &i->manifest, &e) < 0) {
		log_debug("check: %s: %s", i->reference, e.msg);
		return false;
	}
	return true;
}

/* One of that name for whatever platform. */
static bool find_named(struct build *b, struct base_image *i)
{
	struct err ignored;
	return !strstr(i->reference, "://") && image_find(b->store, i->reference, &i->manifest, &ignored) == 0 &&
	       image_choose(b->store, &i->manifest, i->has_want ? &i->want : NULL, &i->manifest, &ignored) == 0;
}

bool base_image_peek(struct build *b, const char *reference, const struct platform *want, bool fetch, struct image *ret)
{
	struct err ignored;
	struct base_image *i = image_entry(b, reference, want);
	if (!i->ready && !find_local(b, i, false) && !(fetch && fetch_documents(b, i)) && !find_named(b, i))
		return false;
	return image_load(b->store, &i->manifest, ret, &ignored) == 0;
}
