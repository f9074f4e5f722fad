#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "oci/index.h"
#include "oci/media_type.h"
#include "registry/pull.h"
#include "document_priv.h"
#include "image_priv.h"
#include "store/blob.h"

/* image-spec image-layout.md. What stands there may be a trap: no link is followed, nothing but files is opened. */
enum { COPY_BYTES = 128 << 10, LAYOUT_FILE_MAX = 4096 };

struct layout {
	struct image_source source;   /* first: image.c hands it back to us */
	int blobs_fd;                 /* blobs/sha256; owned */
};

static void layout_fini(struct layout *l)
{
	fd_drop(&l->blobs_fd);
}

static int open_directory(int dir, const char *name, const char *where, int *ret, struct err *e)
{
	*ret = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret >= 0)
		return 0;
	if (errno == ELOOP || errno == ENOTDIR)
		return err_set(e, ERR_SPEC, "%s: %s is not a directory", where, name);
	return err_sys(e, "%s: open %s", where, name);
}

static int check_version(int dir, const char *name, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(json_fini) struct json j = { 0 };
	if (file_read(dir, "oci-layout", LAYOUT_FILE_MAX, &text, e) < 0 ||
	    json_parse(str_text(&text), text.len, "oci-layout", &j, e) < 0)
		return err_in(e, "%s is not an OCI image layout", name);
	const char *version = json_str(&j, "imageLayoutVersion");
	if (!str_eq(version, "1.0.0"))
		return err_set(e, ERR_SPEC, "%s: image layout version %.20s is not known", name,
			       version ? version : "(none)");
	return 0;
}

static int open_blob(const struct layout *l, const struct digest *d, int *ret, struct err *e)
{
	if (fd_open_regular(l->blobs_fd, digest_hex(d).s, ret, e) == 0)
		return 0;
	if (e->sysno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "%s: blob %s is missing", l->source.name, digest_text(d).s);
	return err_in(e, "%s: blob", l->source.name);
}

/* ---- what image.c asks for ---- */

static int source_document(struct image_source *src, const struct descriptor *d, struct str *out, char **ret_type,
			   struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	(void)ret_type; /* a file says nothing about its type */
	if (open_blob((struct layout *)src, &d->digest, &fd, e) < 0)
		return -1;
	return fd_read_all(fd, LIMIT_MANIFEST, digest_text(&d->digest).s, out, e);
}

/* Copies and digests in one reading, so that what was verified is what is published. */
static int copy_bytes(int from, struct blob_writer *to, const struct descriptor *d, const char *name,
		      struct digest *ret, struct err *e)
{
	AUTO(free_drop) char *buf = x_alloc(COPY_BYTES);
	AUTO(sha_drop) struct sha sha = { 0 };
	uint64_t total = 0;
	ssize_t n;
	sha_init(&sha);
	while ((n = fd_read(from, buf, COPY_BYTES)) > 0) {
		total += (uint64_t)n;
		if (total > d->size)
			break;
		sha_add(&sha, buf, (size_t)n);
		if (fd_write_all(to->fd, buf, (size_t)n, name, e) < 0)
			return -1;
	}
	if (n < 0)
		return err_sys(e, "read %s", name);
	if (total != d->size)
		return err_set(e, ERR_INTEGRITY, "%s has %s %llu bytes its descriptor says", name,
			       total > d->size ? "more than the" : "not the", (unsigned long long)d->size);
	*ret = sha_end(&sha);
	return 0;
}

static int copy_blob(struct layout *l, const char *what, const struct descriptor *d, struct err *e)
{
	AUTO(fd_drop) int from = -1;
	AUTO(free_drop) char *name = x_asprintf("%s: %s %s", l->source.name, what, digest_text(&d->digest).s);
	struct blob_writer w;
	struct digest got;
	if (open_blob(l, &d->digest, &from, e) < 0 || blob_writer_open(l->source.store, &w, e) < 0)
		return -1;
	int r = copy_bytes(from, &w, d, name, &got, e);
	if (r == 0 && !digest_eq(&got, &d->digest))
		r = err_set(e, ERR_INTEGRITY, "%s: its bytes have digest %s", name, digest_text(&got).s);
	if (r == 0)
		r = blob_writer_commit(&w, &d->digest, e);
	if (r < 0)
		blob_writer_drop(&w);
	return r;
}

static int source_blobs(struct image_source *src, const char *what, const struct descriptor *list, size_t n,
			struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t size;
		if (blob_exists(src->store, &list[i].digest, &size) && size == list[i].size)
			continue;
		if (copy_blob((struct layout *)src, what, &list[i], e) < 0)
			return -1;
	}
	return 0;
}

/* ---- which image of the layout ---- */

static bool entry_matches(const struct index_entry *x, const char *tag, const struct digest *digest)
{
	if (digest)
		return digest_eq(&x->desc.digest, digest);
	return tag ? str_eq(x->ref_name, tag) : !x->attestation;
}

static char *list_names(const struct index *x)
{
	struct str out = { 0 };
	for (size_t i = 0; i < x->manifests.n && out.len < 200; i++)
		if (x->manifests.v[i].ref_name)
			str_addf(&out, "%s%.60s", out.len ? ", " : "", x->manifests.v[i].ref_name);
	return str_take(&out);
}

/* What was asked for of index.json, as an index that borrows it; several entries are an image for several platforms. */
static int select_entries(const struct index *x, const char *tag, const struct digest *digest, const char *name,
			  struct index *ret, struct err *e)
{
	AUTO(free_drop) char *names = list_names(x);
	const char *asked = tag ? tag : digest ? digest_text(digest).s : NULL;
	bool several = false;
	for (size_t i = 0; i < x->manifests.n; i++) {
		const struct index_entry *entry = &x->manifests.v[i];
		if (!entry_matches(entry, tag, digest))
			continue;
		vec_push(&ret->manifests, *entry);
		several |= !str_eq(entry->ref_name, ret->manifests.v[0].ref_name);
	}
	if (ret->manifests.n == 0)
		return err_set(e, ERR_NOTFOUND, "%s holds no image %s; it has %s", name, asked ? asked : "at all",
			       names[0] ? names : "no named ones");
	if (several && !digest)
		return err_set(e, ERR_NOTFOUND, "%s holds several images; name one of them: %s", name,
			       names[0] ? names : "by @DIGEST");
	return 0;
}

static void borrowed_fini(struct index *x)
{
	vec_fini(&x->manifests);
}

static int find_image(int layout_fd, const char *name, const char *tag, const struct digest *digest,
		      const struct platform *want, struct descriptor *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(index_fini) struct index all = { 0 };
	AUTO(borrowed_fini) struct index asked = { 0 };
	struct platform host;
	platform_host(&host);
	if (file_read(layout_fd, "index.json", LIMIT_MANIFEST, &text, e) < 0)
		return err_in(e, "%s", name);
	if (index_parse(str_text(&text), text.len, name, &all, e) < 0 ||
	    select_entries(&all, tag, digest, name, &asked, e) < 0)
		return -1;
	const struct index_entry *entry = &asked.manifests.v[0];
	if (asked.manifests.n > 1)
		entry = index_select(&asked, want ? want : &host);
	if (!entry) {
		AUTO(free_drop) char *wanted = platform_text(want ? want : &host);
		return err_set(e, ERR_NOTFOUND, "%s: there is no image for %s", name, wanted);
	}
	*ret = (struct descriptor){ .media_type = entry->desc.media_type ? x_strdup(entry->desc.media_type) : NULL,
				    .digest = entry->desc.digest, .size = entry->desc.size };
	return 0;
}

int pull_layout(struct store *s, int layout_fd, const char *name, const char *tag, const struct digest *digest,
		const struct platform *want, const struct pull_progress *progress, struct pulled *ret, struct err *e)
{
	AUTO(layout_fini) struct layout l = {
		.source = { .name = name, .store = s, .progress = progress, .document = source_document,
			    .blobs = source_blobs },
		.blobs_fd = -1,
	};
	AUTO(fd_drop) int blobs = -1;
	AUTO(descriptor_fini) struct descriptor first = { 0 };
	AUTO(str_fini) struct str bytes = { 0 };
	AUTO(free_drop) char *type = NULL;
	if (check_version(layout_fd, name, e) < 0 || open_directory(layout_fd, "blobs", name, &blobs, e) < 0 ||
	    open_directory(blobs, "sha256", name, &l.blobs_fd, e) < 0)
		return -1;
	if (find_image(layout_fd, name, tag, digest, want, &first, e) < 0 ||
	    source_document(&l.source, &first, &bytes, NULL, e) < 0 ||
	    bytes_verify(&bytes, &first.digest, first.size, name, e) < 0 ||
	    document_type(str_text(&bytes), bytes.len, NULL, first.media_type, name, &type, e) < 0)
		return -1;
	return image_take(&l.source, &bytes, type, &first.digest, want, true, ret, e);
}
