/* Which files of an image name packages: found in the listings of its layers, read out of the layers. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "copy_priv.h"
#include "oci/layer_apply.h"
#include "oci/listing.h"
#include "sbom_priv.h"

struct scan {
	struct build *b;
	struct copy_from from;
	struct fsview view;
	VEC(struct fsnode *) files;
	VEC(enum sbom_source) sources; /* of each of them */
	VEC(struct fsnode *) programs;
	struct sbom *sbom;
};

void sbom_fini(struct sbom *s)
{
	sbom_packages_fini(&s->packages);
	free(s->system);
	free(s->system_version);
	*s = (struct sbom){ 0 };
}

/* ---- which files ---- */

static bool is_module(const struct fsnode *package)
{
	const struct fsnode *above = package->parent;
	if (above && above->name[0] == '@')
		above = above->parent;
	return above && strcmp(above->name, "node_modules") == 0;
}

/* Its name in rpm's directory, or NULL when it is elsewhere. */
static const char *rpm_file(const char *path)
{
	static const char *const places[] = { "var/lib/rpm/", "usr/lib/sysimage/rpm/" };
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (str_starts(path, places[i]))
			return path + strlen(places[i]);
	return NULL;
}

static bool is_source(const struct fsnode *n, const char *path, enum sbom_source *ret)
{
	const char *name = n->name, *dir = n->parent ? n->parent->name : "";
	if (strcmp(path, "var/lib/dpkg/status") == 0)
		*ret = SBOM_DPKG;
	else if (str_starts(path, "var/lib/dpkg/status.d/") && !str_ends(name, ".md5sums"))
		*ret = SBOM_DPKG_PART;
	else if (strcmp(path, "lib/apk/db/installed") == 0 || strcmp(path, "usr/lib/apk/db/installed") == 0)
		*ret = SBOM_APK;
	else if ((strcmp(name, "METADATA") == 0 && str_ends(dir, ".dist-info")) ||
		 (strcmp(name, "PKG-INFO") == 0 && str_ends(dir, ".egg-info")))
		*ret = SBOM_PYTHON;
	else if (strcmp(name, "package.json") == 0 && n->parent && is_module(n->parent))
		*ret = SBOM_NPM;
	else if (strcmp(name, "Cargo.lock") == 0)
		*ret = SBOM_CARGO;
	else if (str_eq(rpm_file(path), "rpmdb.sqlite"))
		*ret = SBOM_RPM;
	else
		return false;
	return true;
}

/* The older forms, of Berkeley DB and of rpm itself; a log with what SQLite has not written to its file yet; a large file. */
static bool is_unread(const struct fsnode *n, const char *path)
{
	const char *name = rpm_file(path);
	if (!name || !n->size)
		return false;
	if (strcmp(name, "rpmdb.sqlite") == 0)
		return n->size > LIMIT_SBOM_FILE;
	return strcmp(name, "Packages") == 0 || strcmp(name, "Packages.db") == 0 || strcmp(name, "rpmdb.sqlite-wal") == 0;
}

static int find_files(struct scan *s, struct err *e)
{
	VEC(struct fsnode *) dirs = { 0 };
	int r = 0;
	vec_push(&dirs, s->view.root);
	for (size_t i = 0; r == 0 && i < dirs.n; i++) {
		struct fsnode *dir = dirs.v[i];
		r = fsview_kids(&s->view, dir, e);
		for (size_t k = 0; r == 0 && k < dir->n_kids; k++) {
			struct fsnode *n = dir->kids[k];
			enum sbom_source source;
			if (n->type == TAR_DIR)
				vec_push(&dirs, n);
			if (n->type != TAR_FILE)
				continue;
			AUTO(free_drop) char *path = fsnode_path(n);
			s->sbom->has_unread |= is_unread(n, path);
			if (n->mode & 0111 && n->size && n->size <= LIMIT_SBOM_PROGRAM)
				vec_push(&s->programs, n);
			if (n->size > LIMIT_SBOM_FILE || !is_source(n, path, &source))
				continue;
			vec_push(&s->files, n);
			vec_push(&s->sources, source);
		}
	}
	vec_fini(&dirs);
	return r;
}

/* ---- their contents ---- */

static int read_node(struct scan *s, struct fsnode *n, struct str *out, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	if (content_open(s->b, &s->from, n, &fd, e) < 0)
		return -1;
	str_reserve(out, n->size);
	/* What follows in the spool belongs to other files. */
	while (out->len < n->size) {
		ssize_t got = fd_read(fd, out->buf + out->len, n->size - out->len);
		if (got <= 0)
			return err_set(e, ERR_SPEC, "%s of the image is shorter than its layer says", n->name);
		out->len += (size_t)got;
	}
	out->buf[out->len] = '\0';
	return 0;
}

static int take_file(struct scan *s, enum sbom_source source, const char *path, struct str *text, struct err *e)
{
	struct sbom_packages *l = &s->sbom->packages;
	if (source != SBOM_RPM)
		return sbom_parse(source, path, text->buf, text->len, l, e);
	if (sbom_read_rpmdb(path, text->buf, text->len, l, e) == 0)
		return 0;
	if (e->kind == ERR_LIMIT)
		return -1;
	log_warn("the SBOM lacks packages of rpm: %s", e->msg);
	s->sbom->has_unread = true;
	return 0;
}

static int read_files(struct scan *s, struct err *e)
{
	if (content_fetch(s->b, &s->from, s->files.v, s->files.n, e) < 0)
		return -1;
	for (size_t i = 0; i < s->files.n; i++) {
		AUTO(str_fini) struct str text = { 0 };
		AUTO(free_drop) char *path = fsnode_path(s->files.v[i]);
		if (!s->files.v[i]->size)
			continue;
		if (read_node(s, s->files.v[i], &text, e) < 0 ||
		    take_file(s, s->sources.v[i], path, &text, e) < 0)
			return -1;
	}
	return 0;
}

static int read_release(struct scan *s, struct err *e)
{
	static const char *const places[] = { "etc/os-release", "usr/lib/os-release" };
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		AUTO(str_fini) struct str text = { 0 };
		int r = content_text(s->b, &s->from, places[i], LIMIT_SBOM_VALUE * 16, &text, e);
		if (r < 0 && e->kind != ERR_LIMIT)
			return -1;
		if (r != 0)
			continue;
		sbom_parse_release(str_text(&text), text.len, &s->sbom->system, &s->sbom->system_version);
		return 0;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct sbom_package *x = a, *y = b;
	if (x->source != y->source)
		return (int)x->source - (int)y->source;
	int c = strcmp(x->name, y->name);
	c = c ? c : strcmp(x->version, y->version);
	c = c ? c : strcmp(x->epoch ? x->epoch : "", y->epoch ? y->epoch : "");
	c = c ? c : strcmp(x->arch ? x->arch : "", y->arch ? y->arch : "");
	return c ? c : strcmp(x->path, y->path);
}

static bool same_package(const struct sbom_package *x, const struct sbom_package *y)
{
	return x->source == y->source && strcmp(x->name, y->name) == 0 && strcmp(x->version, y->version) == 0 &&
	       str_eq(x->epoch, y->epoch) && str_eq(x->arch, y->arch);
}

/* A module may lie in many places. */
static void sort_packages(struct sbom_packages *l)
{
	struct sbom_packages kept = { 0 }, doubled = { 0 };
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_name);
	for (size_t i = 0; i < l->n; i++) {
		bool known = kept.n && same_package(&kept.v[kept.n - 1], &l->v[i]);
		vec_push(known ? &doubled : &kept, l->v[i]);
	}
	vec_fini(l);
	*l = kept;
	sbom_packages_fini(&doubled);
}

/* ---- layers ---- */

/* One that was fetched and never unpacked here has no listing yet. */
static int load_listing(struct store *s, const struct layer *layer, struct listing *ret, struct err *e)
{
	struct diffid got;
	struct layer_apply a = { .store = s, .blob = &layer->blob, .want = &layer->diffid, .tree_fd = -1 };
	int r = listing_load(s, &layer->diffid, ret, e);
	if (r != 1)
		return r;
	if (layer_apply(&a, &got, e) < 0)
		return -1;
	r = listing_load(s, &layer->diffid, ret, e);
	return r == 1 ? err_set(e, ERR_SPEC, "layer %s has no listing", digest_text(&layer->diffid.d).s) : r;
}

static int add_layers(struct scan *s, const struct image *image, struct err *e)
{
	size_t n = image->manifest.layers.n;
	s->from.slots = x_alloc((n + 1) * sizeof(struct layer_slot *));
	for (; s->from.n_slots < n; s->from.n_slots++) {
		size_t i = s->from.n_slots;
		struct listing listing = { 0 };
		struct layer_slot *slot = slot_new();
		s->from.slots[i] = slot;
		slot->layer.diffid = image->config.diff_ids.v[i];
		slot->layer.blob = image->manifest.layers.v[i];
		slot->layer.blob.media_type = x_strdup(image->manifest.layers.v[i].media_type);
		int r = load_listing(s->b->store, &slot->layer, &listing, e);
		if (r == 0)
			r = fsview_apply(&s->view, &listing, (unsigned)i, e);
		listing_fini(&listing);
		if (r < 0) {
			s->from.n_slots++;
			return -1;
		}
	}
	return 0;
}

int sbom_scan(struct build *b, const struct image *image, struct sbom *ret, struct err *e)
{
	struct scan s = { .b = b, .sbom = ret, .from = { .view = &s.view, .spool_fd = -1 } };
	fsview_init(&s.view);
	int r = add_layers(&s, image, e);
	if (r == 0)
		r = read_release(&s, e);
	if (r == 0)
		r = find_files(&s, e);
	if (r == 0)
		r = read_files(&s, e);
	if (r == 0)
		r = sbom_read_programs(b, s.from.slots, s.programs.v, s.programs.n, &ret->packages, e);
	if (r == 0)
		sort_packages(&ret->packages);
	content_drop(&s.from);
	for (size_t i = 0; i < s.from.n_slots; i++)
		slot_unref(s.from.slots[i]);
	free(s.from.slots);
	fsview_fini(&s.view);
	vec_fini(&s.files);
	vec_fini(&s.sources);
	vec_fini(&s.programs);
	return r;
}
