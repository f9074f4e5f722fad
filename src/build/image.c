#include "build/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/tree.h"
#include "oci/layer.h"
#include "oci/media_type.h"
#include "registry/reference.h"
#include "store/blob.h"
#include "store/ref.h"

void image_fini(struct image *i)
{
	descriptor_fini(&i->desc);
	manifest_fini(&i->manifest);
	config_fini(&i->config);
}

int image_load(struct store *s, const struct digest *manifest, struct image *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(str_fini) struct str config = { 0 };
	AUTO(image_fini) struct image i = { 0 };
	struct digest_text name = digest_text(manifest);
	if (blob_read(s, manifest, LIMIT_MANIFEST, &text, e) < 0)
		return -1;
	if (manifest_parse(text.buf, text.len, NULL, name.s, &i.manifest, e) < 0)
		return -1;
	if (blob_read(s, &i.manifest.config.digest, LIMIT_CONFIG, &config, e) < 0)
		return -1;
	if (config_parse(config.buf, config.len, name.s, &i.config, e) < 0)
		return -1;
	if (i.config.diff_ids.n != i.manifest.layers.n)
		return err_set(e, ERR_SPEC, "image %s: its config names %zu layers, its manifest %zu", name.s,
			       i.config.diff_ids.n, i.manifest.layers.n);
	i.desc = (struct descriptor){ .media_type = x_strdup(i.manifest.media_type),
				      .digest = *manifest,
				      .size = text.len };
	*ret = i;
	i = (struct image){ 0 };
	return 0;
}

int image_name(const char *text, char **ret, struct err *e)
{
	AUTO(reference_fini) struct reference r = { 0 };
	if (reference_parse(text, &r, e) < 0) {
		e->kind = ERR_USAGE;
		return -1;
	}
	char *name = reference_familiar(&r);
	size_t n = strlen(name);
	if (!r.has_digest && str_ends(name, ":latest"))
		name[n - strlen(":latest")] = '\0';
	*ret = name;
	return 0;
}

int image_name_new(const char *text, char **ret, struct err *e)
{
	AUTO(free_drop) char *name = NULL;
	if (image_name(text, &name, e) < 0)
		return -1;
	if (strchr(name, '@'))
		return err_set(e, ERR_USAGE, "%s: an image cannot be given a name with a digest", text);
	*ret = ptr_take(&name);
	return 0;
}

static int find_by_name(struct store *s, const char *text, struct digest *ret, char **ret_name, struct err *e)
{
	struct err ignored;
	AUTO(free_drop) char *name = NULL;
	if (image_name(text, &name, &ignored) < 0)
		return 1;
	struct ref_list refs = { 0 };
	if (ref_list(s->fd, &refs, e) < 0)
		return -1;
	int r = 1;
	for (size_t i = 0; i < refs.n && r; i++)
		if (str_eq(refs.v[i].name, name)) {
			*ret = refs.v[i].digest;
			r = 0;
		}
	ref_list_fini(&refs);
	if (r == 0)
		*ret_name = ptr_take(&name);
	return r;
}

int image_names(struct store *s, const struct digest *manifest, struct strv *ret, struct err *e)
{
	struct ref_list refs = { 0 };
	if (ref_list(s->fd, &refs, e) < 0)
		return -1;
	for (size_t i = 0; i < refs.n; i++)
		if (refs.v[i].name && digest_eq(&refs.v[i].digest, manifest))
			strv_push(ret, refs.v[i].name);
	ref_list_fini(&refs);
	return 0;
}

/* Whether a blob is an image manifest or an index; config and layer blobs share the folder with them. */
static bool is_manifest(struct store *s, const struct digest *d)
{
	struct err ignored;
	uint64_t size;
	AUTO(str_fini) struct str text = { 0 };
	AUTO(manifest_fini) struct manifest m = { 0 };
	AUTO(index_fini) struct index x = { 0 };
	if (!blob_exists(s, d, &size) || size > LIMIT_MANIFEST || blob_read(s, d, LIMIT_MANIFEST, &text, &ignored) < 0)
		return false;
	return manifest_parse(str_text(&text), text.len, NULL, "", &m, &ignored) == 0 ||
	       index_parse(str_text(&text), text.len, "", &x, &ignored) == 0;
}

enum { PREFIX_MIN = 4 };

static int find_by_prefix(struct store *s, const char *hex, struct digest *ret, struct err *e)
{
	size_t len = strlen(hex), found = 0;
	if (len < PREFIX_MIN || len > DIGEST_HEX || strspn(hex, "0123456789abcdef") != len)
		return 1;
	AUTO(fd_drop) int dir = openat(s->fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(strv_fini) struct strv names = { 0 };
	if (dir < 0 && errno == ENOENT)
		return 1;
	if (dir < 0)
		return err_sys(e, "open %s/blobs/sha256", s->path);
	if (dir_names(dir, &names, e) < 0)
		return err_in(e, "%s/blobs/sha256", s->path);
	for (size_t i = 0; i < names.n; i++) {
		struct err ignored;
		struct digest d;
		AUTO(free_drop) char *text = x_asprintf("sha256:%s", names.v[i]);
		if (!str_starts(names.v[i], hex) || digest_parse(text, &d, &ignored) < 0 || !is_manifest(s, &d))
			continue;
		*ret = d;
		found++;
	}
	if (found > 1)
		return err_set(e, ERR_NOTFOUND, "%s is the beginning of %zu image ids; give more of it", hex, found);
	return found ? 0 : 1;
}

/* Adds the name of the store that was perhaps meant, also one whose tag is missing, or else where to look. -1. */
static int hint_name(struct store *s, const char *text, struct err *e)
{
	AUTO(strv_fini) struct strv known = { 0 };
	AUTO(free_drop) char *name = NULL;
	struct ref_list refs = { 0 };
	struct err ignored;
	if (image_name(text, &name, &ignored) < 0)
		name = x_strdup(text);
	if (ref_list(s->fd, &refs, &ignored) < 0)
		return -1;
	for (size_t i = 0; i < refs.n; i++) {
		const char *full = refs.v[i].name ? refs.v[i].name : "", *colon = strrchr(full, ':');
		bool tagged = colon && !strchr(colon, '/');
		strv_push(&known, full);
		strv_push_taken(&known, x_strndup(full, tagged ? (size_t)(colon - full) : strlen(full)));
	}
	const char *near = str_nearest(name, (const char *const *)known.v, known.n);
	size_t at = 0;
	while (near && known.v[at] != near)
		at++;
	int r = near ? err_hint(e, "did you mean %s?", known.v[at - at % 2])
		     : err_hint(e, "`nacre images` lists what is there");
	ref_list_fini(&refs);
	return r;
}

int image_find(struct store *s, const char *text, struct digest *ret, struct err *e)
{
	AUTO(free_drop) char *name = NULL;
	return image_find_named(s, text, ret, &name, e);
}

int image_find_named(struct store *s, const char *text, struct digest *ret, char **ret_name, struct err *e)
{
	*ret_name = NULL;
	int r = find_by_name(s, text, ret, ret_name, e);
	if (r == 1)
		r = find_by_prefix(s, str_starts(text, "sha256:") ? text + 7 : text, ret, e);
	if (r == 1)
		err_set(e, ERR_NOTFOUND, "no image \"%.100s\" in the store %s", text, s->path);
	return r == 1 ? hint_name(s, text, e) : r;
}

int image_write(struct store *s, const struct image_config *config, const struct layer *layers, size_t n,
		struct descriptor *ret, struct descriptor *ret_config, struct err *e)
{
	AUTO(free_drop) char *text = config_write(config);
	struct descriptor d = { .media_type = (char *)MT_CONFIG, .size = strlen(text) };
	if (blob_put(s, text, strlen(text), &d.digest, e) < 0)
		return -1;
	if (image_write_manifest(s, &d, layers, n, ret, e) < 0)
		return -1;
	*ret_config = d;
	return 0;
}

int image_write_manifest(struct store *s, const struct descriptor *config, const struct layer *layers, size_t n,
			 struct descriptor *ret, struct err *e)
{
	AUTO(manifest_fini) struct manifest m = { .media_type = x_strdup(MT_MANIFEST), .config = *config };
	m.config.media_type = x_strdup(config->media_type);
	for (size_t i = 0; i < n; i++) {
		struct descriptor *d = vec_add(&m.layers);
		*d = (struct descriptor){
			.media_type = x_strdup(media_type_oci(layers[i].blob.media_type)),
			.digest = layers[i].blob.digest,
			.size = layers[i].blob.size,
		};
	}
	AUTO(free_drop) char *text = manifest_write(&m);
	struct digest digest;
	if (blob_put(s, text, strlen(text), &digest, e) < 0)
		return -1;
	*ret = (struct descriptor){ .media_type = x_strdup(MT_MANIFEST), .digest = digest, .size = strlen(text) };
	return 0;
}

int image_write_index(struct store *s, const struct index *x, struct descriptor *ret, struct err *e)
{
	AUTO(free_drop) char *text = index_write(x);
	struct digest digest;
	if (blob_put(s, text, strlen(text), &digest, e) < 0)
		return -1;
	*ret = (struct descriptor){ .media_type = x_strdup(MT_INDEX), .digest = digest, .size = strlen(text) };
	return 0;
}

bool image_has_name(struct store *s, const char *name, const struct digest *d)
{
	struct err ignored;
	struct ref_list refs = { 0 };
	bool found = false;
	if (ref_list(s->fd, &refs, &ignored) < 0)
		return false;
	for (size_t i = 0; i < refs.n; i++)
		found |= str_eq(refs.v[i].name, name) && digest_eq(&refs.v[i].digest, d);
	ref_list_fini(&refs);
	return found;
}

int image_tag(struct store *s, const char *name, const struct descriptor *image, const char *created, struct err *e)
{
	if (image_has_name(s, name, &image->digest))
		return 0;
	struct ref_entry entry = {
		.name = (char *)name,
		.media_type = image->media_type,
		.digest = image->digest,
		.size = image->size,
		.created = (char *)created,
	};
	return ref_put(s->fd, &entry, e);
}
