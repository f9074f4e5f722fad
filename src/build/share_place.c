/* Where a shared cache is: one repository of a registry, or an OCI layout. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/log.h"
#include "export_priv.h"
#include "oci/media_type.h"
#include "registry/repository.h"
#include "share_priv.h"
#include "store/blob.h"
#include "store/ref.h"

void share_place_fini(struct share_place *p)
{
	repository_free(p->repository);
	reference_fini(&p->ref);
	free(p->name);
	free(p->dir);
	free(p->tag);
	*p = (struct share_place){ 0 };
}

int share_place_of_image(const char *reference, struct share_place *ret, struct err *e)
{
	struct share_place p = { .kind = SHARE_REGISTRY };
	if (reference_parse(reference, &p.ref, e) < 0)
		return -1;
	p.name = reference_text(&p.ref);
	*ret = p;
	return 0;
}

int share_place_of(const struct share_spec *spec, struct share_place *ret, struct err *e)
{
	if (spec->kind == SHARE_REGISTRY)
		return share_place_of_image(spec->ref, ret, e);
	*ret = (struct share_place){
		.kind = SHARE_LOCAL,
		.name = x_asprintf("%s:%s", spec->dir, spec->tag),
		.dir = x_strdup(spec->dir),
		.tag = x_strdup(spec->tag),
	};
	return 0;
}

bool share_place_eq(const struct share_place *a, const struct share_place *b)
{
	return a->kind == b->kind && str_eq(a->name, b->name);
}

/* ---- a registry ---- */

/* `push`: the first to open it says whether it will be written. */
static int open_repository(struct share_place *p, bool push, const struct pull_progress *progress, struct err *e)
{
	return p->repository ? 0 : repository_open(&p->ref, push, progress, &p->repository, e);
}

static int registry_document(struct share_place *p, const struct digest *d, struct str *out, struct err *e)
{
	AUTO(free_drop) char *type = NULL;
	const struct digest *want = d ? d : p->ref.has_digest ? &p->ref.digest : NULL;
	if (open_repository(p, p->writes, NULL, e) < 0)
		return -1;
	return repository_get(p->repository, want ? digest_text(want).s : p->ref.tag, 0, out, &type, e);
}

/* ---- a layout ---- */

/* 0, 1 there is none, -1. What stands there may be anybody's: no link is followed below it. */
static int open_layout(const struct share_place *p, int *ret_dir, int *ret_blobs, struct err *e)
{
	AUTO(fd_drop) int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 1 : err_sys(e, "open %s", p->dir);
	if (layout_check_marker(dir, e) < 0)
		return faccessat(dir, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT ? 1 : -1;
	AUTO(fd_drop) int outer = openat(dir, "blobs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO(fd_drop) int blobs = openat(outer, "sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (outer < 0 || blobs < 0)
		return err_sys(e, "open %s/blobs/sha256", p->dir);
	*ret_dir = fd_take(&dir);
	*ret_blobs = fd_take(&blobs);
	return 0;
}

static int find_tag(int dir, const char *tag, struct digest *ret, struct err *e)
{
	struct ref_list refs = { 0 };
	int r = 1;
	if (faccessat(dir, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 1; /* somebody is just making the layout */
	if (ref_list(dir, &refs, e) < 0)
		return -1;
	for (size_t i = 0; i < refs.n && r == 1; i++)
		if (str_eq(refs.v[i].name, tag)) {
			*ret = refs.v[i].digest;
			r = 0;
		}
	ref_list_fini(&refs);
	return r;
}

static int layout_document(const struct share_place *p, const struct digest *d, struct str *out, struct err *e)
{
	AUTO(fd_drop) int dir = -1;
	AUTO(fd_drop) int blobs = -1;
	struct digest want;
	int r = open_layout(p, &dir, &blobs, e);
	if (r == 0 && d)
		want = *d;
	else if (r == 0)
		r = find_tag(dir, p->tag, &want, e);
	if (r)
		return r;
	if (file_read(blobs, digest_hex(&want).s, LIMIT_MANIFEST, out, e) < 0)
		return -1;
	struct digest got = digest_of(str_text(out), out->len);
	if (!digest_eq(&got, &want))
		return err_set(e, ERR_INTEGRITY, "%s: blob %s has another digest", p->name, digest_text(&want).s);
	return 0;
}

static int layout_fetch(const struct share_place *p, struct store *s, const struct descriptor *list, size_t n,
			struct err *e)
{
	AUTO(fd_drop) int dir = -1;
	AUTO(fd_drop) int blobs = -1;
	int r = open_layout(p, &dir, &blobs, e);
	if (r)
		return r < 0 ? -1 : err_set(e, ERR_NOTFOUND, "%s is no longer there", p->dir);
	for (size_t i = 0; i < n; i++) {
		AUTO(fd_drop) int fd = -1;
		struct digest_text hex = digest_hex(&list[i].digest);
		uint64_t there;
		/* One of another size was cut short by a power cut. */
		if (blob_exists(s, &list[i].digest, &there) && there == list[i].size)
			continue;
		if (fd_open_regular(blobs, hex.s, &fd, e) < 0)
			return err_in(e, "%s", p->name);
		AUTO(source_drop) struct source *in = source_limit(source_fd(fd, hex.s), list[i].size, hex.s);
		if (blob_take(s, &list[i].digest, in, list[i].size, e) < 0)
			return err_in(e, "%s: blob %s", p->name, hex.s);
	}
	return 0;
}

/* Makes it when it is not there. */
static int layout_open_to_write(const struct share_place *p, int *ret_dir, struct blob_place *ret, struct err *e)
{
	if (mkdir(p->dir, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "create %s", p->dir);
	AUTO(fd_drop) int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s", p->dir);
	ret->fd = layout_blobs(dir, e);
	if (ret->fd < 0 || layout_init(dir, p->dir, e) < 0)
		return err_in(e, "write %s", p->dir);
	*ret_dir = fd_take(&dir);
	return 0;
}

static int layout_put(const struct share_place *p, struct store *s, const struct descriptor *list, size_t n,
		      struct err *e)
{
	AUTO(fd_drop) int dir = -1;
	struct blob_place to = { .fd = -1 };
	int r = layout_open_to_write(p, &dir, &to, e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = export_blob(s, &to, &list[i], e);
	if (r == 0 && fd_sync(to.fd) < 0)
		r = err_sys(e, "sync %s", p->dir);
	fd_drop(&to.fd);
	return r;
}

static int layout_name(const struct share_place *p, struct store *s, const char *text, struct err *e)
{
	AUTO(fd_drop) int dir = -1;
	AUTO(fd_drop) int blobs = -1;
	struct descriptor d = { .media_type = (char *)(uintptr_t)MT_MANIFEST, .size = strlen(text) };
	if (blob_put(s, text, strlen(text), &d.digest, e) < 0 || layout_put(p, s, &d, 1, e) < 0)
		return -1;
	int r = open_layout(p, &dir, &blobs, e);
	if (r)
		return r < 0 ? -1 : err_set(e, ERR_NOTFOUND, "%s is no longer there", p->dir);
	const struct ref_entry entry = { .name = p->tag, .media_type = d.media_type, .digest = d.digest, .size = d.size };
	return ref_put(dir, &entry, e);
}

static int layout_has(const struct share_place *p, const struct descriptor *list, size_t n, bool *ret, struct err *e)
{
	AUTO(fd_drop) int dir = -1;
	AUTO(fd_drop) int blobs = -1;
	int r = open_layout(p, &dir, &blobs, e);
	if (r < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		ret[i] = r == 0 && fstatat(blobs, digest_hex(&list[i].digest).s, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 S_ISREG(st.st_mode) && (uint64_t)st.st_size == list[i].size;
	}
	return 0;
}

/* On the directory of the blobs, since layout_init and ref_put lock others. Where that is not possible the next look tells,
 * as in a registry. */
int share_place_lock(const struct share_place *p)
{
	AUTO(fd_drop) int dir = -1;
	struct blob_place blobs = { .fd = -1 };
	struct err why;
	if (p->kind != SHARE_LOCAL)
		return -1;
	if (layout_open_to_write(p, &dir, &blobs, &why) < 0 || lock_fd(blobs.fd, true, true, p->dir, &why) < 0) {
		log_debug("%s", why.msg);
		fd_drop(&blobs.fd);
	}
	return blobs.fd;
}

/* ---- both ---- */

int share_place_document(struct share_place *p, const struct digest *d, struct str *out, struct err *e)
{
	str_clear(out);
	return p->kind == SHARE_REGISTRY ? registry_document(p, d, out, e) : layout_document(p, d, out, e);
}

int share_place_fetch(struct share_place *p, struct store *s, const char *what, const struct descriptor *list, size_t n,
		      const struct pull_progress *progress, struct err *e)
{
	if (p->kind == SHARE_LOCAL)
		return layout_fetch(p, s, list, n, e);
	if (open_repository(p, p->writes, progress, e) < 0)
		return -1;
	return repository_fetch(p->repository, s, what, list, n, e);
}

int share_place_has(struct share_place *p, const struct descriptor *list, size_t n, bool *ret, struct err *e)
{
	if (p->kind == SHARE_LOCAL)
		return layout_has(p, list, n, ret, e);
	return open_repository(p, p->writes, NULL, e) < 0 ? -1 : repository_has(p->repository, list, n, ret, e);
}

int share_place_put(struct share_place *p, struct store *s, const struct descriptor *list, size_t n, struct err *e)
{
	if (p->kind == SHARE_LOCAL)
		return layout_put(p, s, list, n, e);
	return open_repository(p, true, NULL, e) < 0 ? -1 : repository_send(p->repository, s, "cache", list, n, e);
}

int share_place_name(struct share_place *p, struct store *s, const char *text, struct err *e)
{
	if (p->kind == SHARE_LOCAL)
		return layout_name(p, s, text, e);
	if (open_repository(p, true, NULL, e) < 0)
		return -1;
	return repository_put(p->repository, p->ref.tag, MT_MANIFEST, text, strlen(text), e);
}
