/* Outputs: what can be told before the build, and the worker that writes them after it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/tree.h"
#include "build/image_set.h"
#include "build/options.h"
#include "out_file_priv.h"
#include "output_priv.h"
#include "registry/push.h"
#include "registry/reference.h"
#include "rootfs_priv.h"
#include "save_priv.h"

/* ---- before the build ---- */

/* An image layout is not put among files that are none of its own. */
static int check_layout_place(const char *path, struct err *e)
{
	AUTO(strv_fini) struct strv names = { 0 };
	AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open the directory %s", path);
	if (dir_names(dir, &names, e) < 0)
		return err_in(e, "%s", path);
	if (!names.n || strv_has(&names, "oci-layout"))
		return 0;
	return err_set(e, ERR_USAGE, "%s is not empty and no image layout; name a directory that is one, or is not there", path);
}

/* Directories that are missing are made: the lowest that is there counts. */
static int check_parents(const char *path, struct err *e)
{
	AUTO(free_drop) char *at = path_clean(path);
	while (faccessat(AT_FDCWD, at, F_OK, AT_EACCESS) < 0 && errno == ENOENT && strcmp(at, "/") != 0 &&
	       strcmp(at, ".") != 0) {
		char *above = path_dir(at);
		free(at);
		at = above;
	}
	return out_place_check(at, e);
}

static int check_place(const struct output *o, struct err *e)
{
	struct stat st;
	bool there = stat(o->dest, &st) == 0, is_dir = there && S_ISDIR(st.st_mode);
	bool want_dir = o->unpacked || o->kind == OUTPUT_LOCAL;
	if (there && want_dir && !is_dir)
		return err_set(e, ERR_USAGE, "%s is not a directory", o->dest);
	if (is_dir && !want_dir)
		return err_set(e, ERR_USAGE, "%s is a directory, and a file is to be written", o->dest);
	if (o->unpacked && check_layout_place(o->dest, e) < 0)
		return -1;
	return o->kind == OUTPUT_LOCAL ? check_parents(o->dest, e) : out_place_check(o->dest, e);
}

static int check_names(const struct output *o, struct err *e)
{
	for (size_t i = 0; o->kind == OUTPUT_DOCKER && i < o->names.n; i++) {
		AUTO(free_drop) char *name = NULL;
		if (image_name(o->names.v[i], &name, e) < 0)
			return -1;
	}
	return 0;
}

bool output_is_pushed(const struct output *o)
{
	return o->push || o->kind == OUTPUT_REGISTRY;
}

static int check_one(const struct output *o, struct err *e)
{
	if (output_is_stream(o) && isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE, "standard output is a terminal; redirect it, or say where to by dest=");
	if (o->dest && check_place(o, e) < 0)
		return -1;
	if (output_is_pushed(o) && !o->names.n)
		return err_set(e, ERR_USAGE, "there is no name to push to; give one by name= or -t");
	return check_names(o, e);
}

int outputs_check(const struct outputs *l, struct err *e)
{
	size_t streams = 0, images = 0;
	for (size_t i = 0; i < l->n; i++) {
		images += l->v[i].kind == OUTPUT_IMAGE && !output_form_is_plain(&l->v[i].form);
		if (check_one(&l->v[i], e) < 0)
			return err_in(e, "-o %s", l->v[i].text);
		streams += output_is_stream(&l->v[i]);
	}
	if (images > 1)
		return err_set(e, ERR_USAGE, "-o type=image: the store's names can lead to one form of the image only");
	if (streams > 1)
		return err_set(e, ERR_USAGE, "-o: only one output can go to standard output");
	return 0;
}

int outputs_check_platforms(const struct outputs *l, size_t n_platforms, struct err *e)
{
	for (size_t i = 0; i <= l->n; i++) {
		const struct output_form *f = i < l->n ? &l->v[i].form : &l->result;
		bool on_index = annotations_have(&f->annotations, ON_INDEX) ||
				annotations_have(&f->annotations, ON_INDEX_DESCRIPTOR);
		if (on_index && n_platforms < 2)
			return err_set(e, ERR_USAGE, "an annotation of an index: the image of one platform has none");
		if (f->docker_types && n_platforms > 1)
			return err_set(e, ERR_USAGE, "-o %s: oci-mediatypes=false is for one platform", l->v[i].text);
	}
	return 0;
}

/* ---- the image as each wants it ---- */

struct layer_format outputs_format(const struct outputs *l, const struct build_options *o)
{
	const struct layer_format *wanted = NULL;
	for (size_t i = 0; i < l->n && !o->has_format; i++) {
		const struct output_form *f = &l->v[i].form;
		if (!f->compressed)
			continue;
		if (wanted && (wanted->how != f->format.how || wanted->level != f->format.level))
			return o->format;
		wanted = &f->format;
	}
	struct layer_format format = wanted ? *wanted : o->format;
	format.threads = o->format.threads;
	return format;
}

static int make(struct store *s, const struct output_form *f, const struct output_source *from, struct descriptor *ret,
		bool *made, struct err *e)
{
	struct descriptor d;
	if (output_form_is_plain(f))
		return 0;
	if (f->clamped && !from->epoch)
		log_warn("rewrite-timestamp: without SOURCE_DATE_EPOCH there is no time to write");
	if (output_form_run(s, f, from, &d, e) < 0)
		return -1;
	descriptor_fini(ret);
	*ret = d;
	*made = true;
	return 0;
}

int outputs_make(struct store *s, struct outputs *l, const struct output_source *from, struct descriptor *result,
		 bool *made, struct err *e)
{
	struct output_source source = *from;
	const struct output_form squash = { .squash = true, .format = from->format };
	source.image = *result;
	if (l->squash && make(s, &squash, &source, result, made, e) < 0)
		return err_in(e, "--squash");
	source.image = *result;
	for (size_t i = 0; i < l->n; i++) {
		struct output *o = &l->v[i];
		if (make(s, &o->form, &source, &o->image, made, e) < 0)
			return err_in(e, "-o %s", o->text);
	}
	if (make(s, &l->result, &source, result, made, e) < 0)
		return err_in(e, "--annotation");
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].kind == OUTPUT_IMAGE && l->v[i].image.media_type) {
			descriptor_fini(result);
			*result = l->v[i].image;
			result->media_type = x_strdup(l->v[i].image.media_type);
			break;
		}
	return 0;
}

/* ---- after it ---- */

static enum save_format format_of(const struct output *o)
{
	if (o->unpacked)
		return SAVE_OCI_DIR;
	return o->kind == OUTPUT_DOCKER ? SAVE_DOCKER_ARCHIVE : SAVE_OCI_ARCHIVE;
}

/* The image under each of its names, or under none. A docker archive has one for this machine. */
static int write_images(struct store *s, const struct output *o, const struct digest *image, struct err *e)
{
	AUTO(image_set_fini) struct image_set set = { 0 };
	struct save_images images = { 0 }; /* all in it is borrowed */
	AUTO(json_fini) struct json annotations = { 0 };
	struct digest chosen = *image;
	if (format_of(o) == SAVE_DOCKER_ARCHIVE && image_choose(s, image, NULL, &chosen, e) < 0)
		return -1;
	if (image_set_load(s, &chosen, &set, e) < 0)
		return -1;
	annotations_put(&o->form.annotations, set.is_index ? ON_INDEX_DESCRIPTOR : ON_MANIFEST_DESCRIPTOR,
			set.is_index ? NULL : &set.members.v[0].platform, &annotations);
	for (size_t i = 0; i < (o->names.n ? o->names.n : 1); i++)
		vec_push(&images, ((struct save_image){
					  .set = set,
					  .name = o->names.n ? o->names.v[i] : NULL,
					  .annotations = &annotations,
				  }));
	int r = save_write(s, format_of(o), &images, o->dest, e);
	vec_fini(&images);
	return r;
}

static void report_line(void *ctx, const char *text)
{
	worker_line(ctx, text);
}

static int push(struct store *s, const struct output *o, const struct digest *image, struct worker_report *r,
		struct err *e)
{
	const struct pull_progress progress = { .line = report_line, .ctx = r };
	for (size_t i = 0; i < o->names.n; i++) {
		AUTO(reference_fini) struct reference to = { 0 };
		if (reference_parse(o->names.v[i], &to, e) < 0 || push_image(s, image, &to, &progress, e) < 0)
			return -1;
	}
	return 0;
}

static int write_one(struct store *s, const struct output *o, const struct digest *image, struct worker_report *r,
		     struct err *e)
{
	switch (o->kind) {
	case OUTPUT_OCI:
	case OUTPUT_DOCKER:
		return write_images(s, o, image, e);
	case OUTPUT_LOCAL:
		return rootfs_write_dir(s, o, image, e);
	case OUTPUT_TAR:
		return rootfs_write_tar(s, o, image, e);
	case OUTPUT_IMAGE:
	case OUTPUT_REGISTRY:
		return output_is_pushed(o) ? push(s, o, image, r, e) : 0;
	case OUTPUT_NOTHING:
		break;
	}
	return 0;
}

struct write_job {
	struct store *store;
	const struct outputs *list;
	const struct descriptor *image;
};

static int write_all(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	const struct write_job *j = ctx;
	(void)result;
	for (size_t i = 0; i < j->list->n; i++) {
		const struct output *o = &j->list->v[i];
		const struct descriptor *image = o->image.media_type ? &o->image : j->image;
		if (write_one(j->store, o, &image->digest, r, e) < 0)
			return err_in(e, "-o %s", o->text);
	}
	return 0;
}

int outputs_write(struct store *s, const struct outputs *l, const struct descriptor *image,
		  void (*line)(void *ctx, const char *text), void *ctx, struct err *e)
{
	struct write_job j = { .store = s, .list = l, .image = image };
	struct worker w;
	if (!l->n)
		return 0;
	if (worker_start(&w, "nacre-output", write_all, &j, e) < 0)
		return -1;
	return worker_wait(&w, line, ctx, NULL, e);
}
