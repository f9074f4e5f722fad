#include "build/verify.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/ref.h"
#include "store/use.h"
#include "store/where.h"
#include "store_job_priv.h"
#include "verify_priv.h"

bool verify_digest_of(const char *object, const char *ending, struct digest *ret)
{
	const char *slash = strrchr(object, '/');
	struct err ignored;
	char text[DIGEST_TEXT + 1] = "sha256:";
	if (!slash || strlen(slash + 1) != DIGEST_HEX + strlen(ending) || !str_ends(object, ending))
		return false;
	memcpy(text + strlen(text), slash + 1, DIGEST_HEX);
	return digest_parse(text, ret, &ignored) == 0;
}

__attribute__((format(printf, 1, 0))) static char *format(const char *fmt, va_list ap)
{
	/* The size of err.msg: names and reasons in it are as long as those of errors. */
	struct err text;
	err_setv(&text, ERR_SPEC, fmt, ap);
	return x_strdup(text.msg);
}

struct problem *verify_add(struct verify *v, char *object, char *what)
{
	struct problem *p = vec_add(&v->problems);
	p->object = object;
	p->what = what;
	return p;
}

void verify_bad(struct verify *v, enum object_kind kind, const char *object, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *what = format(fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&v->lock);
	struct problem *p = verify_add(v, x_strdup(object), what);
	p->repair = repair_object;
	p->speaker = (struct speaker){ .kind = kind, .name = x_strdup(object) };
	pthread_mutex_unlock(&v->lock);
}

static bool still_says(struct verify *v, const struct speaker *by)
{
	struct ref_list refs = { 0 };
	struct err ignored;
	bool found = false;
	if (by->kind != OBJECT_KINDS)
		return faccessat(v->store->fd, by->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (ref_list(v->store->fd, &refs, &ignored) < 0)
		return true;
	for (size_t i = 0; i < refs.n; i++)
		found |= str_eq(refs.v[i].name, by->name) && digest_eq(&refs.v[i].digest, &by->image);
	ref_list_fini(&refs);
	return found;
}

void verify_wrong(struct verify *v, const struct speaker *by, const char *fmt, ...)
{
	va_list ap;
	if (!still_says(v, by))
		return;
	va_start(ap, fmt);
	char *what = format(fmt, ap);
	va_end(ap);
	bool is_name = by->kind == OBJECT_KINDS;
	const char *name = by->name ? by->name : digest_text(&by->image).s;
	struct problem *p = verify_add(v, is_name ? x_asprintf("image %s", name) : x_strdup(name), what);
	p->repair = is_name ? repair_name : repair_object;
	p->speaker = (struct speaker){ .kind = by->kind,
				       .name = by->name ? x_strdup(by->name) : NULL,
				       .image = by->image };
}

/* ---- after everything was read ---- */

/* A record that leads to a bad blob is not bad itself; it goes with the blob (verify_repair). */
static void follow(struct verify *v, const struct lead *l)
{
	const struct blob_check *b = verify_blob(v, &l->blob);
	struct digest_text name = digest_text(&l->blob);
	if (!b || b->state == BLOB_GONE)
		return;
	if (b->state == BLOB_BAD) {
		if (l->speaker.kind == OBJECT_KINDS)
			verify_wrong(v, &l->speaker, "its blob %s is damaged", name.s);
		return;
	}
	if (l->size != UINT64_MAX && l->size != b->object->size)
		verify_wrong(v, &l->speaker, "gives blob %s another size", name.s);
	if (!l->has_diffid || (b->unpacks && digest_eq(&l->diffid.d, &b->diffid.d)))
		return;
	if (b->unpacks)
		verify_wrong(v, &l->speaker, "takes blob %s for the layer %s, but it unpacks to %s", name.s,
			     digest_text(&l->diffid.d).s, digest_text(&b->diffid.d).s);
	else
		verify_wrong(v, &l->speaker, "takes blob %s for a layer, which it is not", name.s);
}

static int by_object(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;
	int r = strcmp(x->object, y->object);
	return r ? r : strcmp(x->what, y->what);
}

/* Two layers of an image may be damaged; its name is one problem. */
static void one_for_each(struct verify *v)
{
	size_t n = 0;
	if (v->problems.n)
		qsort(v->problems.v, v->problems.n, sizeof *v->problems.v, by_object);
	for (size_t i = 0; i < v->problems.n; i++) {
		struct problem *p = &v->problems.v[i];
		if (n && str_eq(v->problems.v[n - 1].object, p->object)) {
			free(p->object);
			free(p->what);
			free(p->speaker.name);
		} else {
			v->problems.v[n++] = *p;
		}
	}
	v->problems.n = n;
}

static int verify(struct verify *v, struct err *e)
{
	if (store_use_since(v->store, false, &v->since, e) < 0)
		return -1;
	store_recover(v->store);
	v->xattrs = store_has_xattrs(v->store);
	if (objects_read(v->store, &v->objects, e) < 0)
		return -1;
	verify_blobs(v);
	if (verify_names(v, e) < 0 || verify_leads(v, e) < 0 || verify_tasks(v, e) < 0)
		return -1;
	for (size_t i = 0; i < v->leads.n; i++)
		follow(v, &v->leads.v[i]);
	one_for_each(v);
	if (v->repair)
		verify_repair(v);
	return 0;
}

static void verify_fini(struct verify *v)
{
	for (size_t i = 0; i < v->leads.n; i++)
		free(v->leads.v[i].speaker.name);
	for (size_t i = 0; i < v->problems.n; i++) {
		free(v->problems.v[i].object);
		free(v->problems.v[i].what);
		free(v->problems.v[i].speaker.name);
	}
	vec_fini(&v->leads);
	vec_fini(&v->tops);
	vec_fini(&v->blobs);
	vec_fini(&v->problems);
	objects_fini(&v->objects);
}

static int verify_work(struct store *s, void *ctx, struct str *result, struct err *e)
{
	const struct verify_options *o = ctx;
	struct verify v = {
		.store = s, .repair = o->repair, .progress = o->progress, .lock = PTHREAD_MUTEX_INITIALIZER
	};
	int r = verify(&v, e);
	if (r == 0) {
		struct verify_result counts = { .problems = v.problems.n };
		for (size_t i = 0; i < v.problems.n; i++)
			counts.left += v.problems.v[i].state != PROBLEM_REPAIRED;
		str_addn(result, &counts, sizeof counts);
		verify_write(&v, o->json, result);
	}
	verify_fini(&v);
	return r;
}

int store_verify(struct store *s, const struct verify_options *o, struct str *out, struct verify_result *ret,
		 struct err *e)
{
	AUTO(str_fini) struct str result = { 0 };
	if (store_job(s, "nacre-verify", verify_work, (void *)o, &result, e) < 0)
		return -1;
	if (result.len < sizeof *ret)
		return err_set(e, ERR_SYS, "a worker sent a broken report");
	memcpy(ret, result.buf, sizeof *ret);
	str_addn(out, result.buf + sizeof *ret, result.len - sizeof *ret);
	return 0;
}
