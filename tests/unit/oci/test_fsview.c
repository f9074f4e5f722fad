/*
 * The merged view: what layers make of each other, links, hard links, and that hostile layers cost little (T-A2, T-A3,
 * T-A13).
 */
#include "documents.h"

#include <errno.h>
#include <time.h>

#include "base/limits.h"
#include "oci/fsview.h"

/*
 * A layer is a text of words: KIND PATH [TARGET], KIND d f l h w o as in a listing; "f" may stand as "f4755". A view is
 * written down as one word per node in order of the walk: KIND PATH @LAYER, "D" for a directory that no entry named,
 * ">TARGET" for a link, "#GROUP" for hard links, "=PATH" where the content lies elsewhere in its layer.
 */
static char *next_word(const char **p)
{
	*p += strspn(*p, " ");
	size_t n = strcspn(*p, " ");
	char *word = x_strndup(*p, n);
	*p += n;
	return word;
}

static void read_layer(const char *text, struct listing *l)
{
	*l = (struct listing){ 0 };
	for (const char *p = text; p[strspn(p, " ")];) {
		AUTO(free_drop) char *kind = next_word(&p);
		struct list_entry *x = vec_add(l);
		x->kind = *kind == 'w' ? LIST_WHITEOUT : *kind == 'o' ? LIST_OPAQUE : LIST_ENTRY;
		x->tar.type = (enum tar_type) * kind;
		x->tar.mode = kind[1] ? (mode_t)strtoul(kind + 1, NULL, 8) : *kind == 'd' ? 0700 : 0644;
		x->tar.path = next_word(&p);
		if (*kind == 'l' || *kind == 'h')
			x->tar.link = next_word(&p);
	}
}

static void free_layer(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].tar.path);
		free(l->v[i].tar.link);
	}
	vec_fini(l);
}

/* Layers are separated by "/ "; returns what fsview_apply does for the first that fails. */
static int apply_text(struct fsview *v, const char *text, struct err *e)
{
	int r = 0;
	fsview_init(v);
	for (unsigned layer = 0; r == 0 && text; layer++) {
		const char *bar = strstr(text, " | ");
		AUTO(free_drop) char *one = bar ? x_strndup(text, (size_t)(bar - text)) : x_strdup(text);
		struct listing l;
		read_layer(one, &l);
		r = fsview_apply(v, &l, layer, e);
		free_layer(&l);
		text = bar ? bar + 3 : NULL;
	}
	return r;
}

static void write_node(struct str *out, const struct fsnode *n)
{
	AUTO(free_drop) char *path = fsnode_path(n);
	str_addf(out, "%s%c%s@%u", out->len ? " " : "", n->implied ? 'D' : n->type, path, n->layer);
	if (n->type == TAR_SYMLINK)
		str_addf(out, ">%s", n->link);
	if (n->inode)
		str_addf(out, "#%d", (int)n->inode);
	if (n->layer_path && strcmp(n->layer_path, path) != 0)
		str_addf(out, "=%s", n->layer_path);
	if (n->type == TAR_FILE && n->mode != 0644)
		str_addf(out, ":%o", n->mode);
}

static void write_below(struct fsview *v, struct fsnode *dir, struct str *out)
{
	struct err e;
	assert_int_equal(fsview_kids(v, dir, &e), 0);
	for (size_t i = 0; i < dir->n_kids; i++) {
		struct fsnode *found;
		assert_ptr_equal(dir->kids[i]->parent, dir);
		assert_true(i == 0 || strcmp(dir->kids[i - 1]->name, dir->kids[i]->name) < 0);
		assert_int_equal(fsview_child(v, dir, dir->kids[i]->name, &found, &e), 0);
		assert_ptr_equal(found, dir->kids[i]);
		write_node(out, dir->kids[i]);
		if (dir->kids[i]->type == TAR_DIR)
			write_below(v, dir->kids[i], out);
	}
}

static const struct {
	const char *what, *layers, *view;
} merges[] = {
	{ "one layer", "d a f a/x l b a", "da@0 fa/x@0 lb@0>a" },
	{ "order does not matter", "f b f a d c f c/z f c/y", "fa@0 fb@0 dc@0 fc/y@0 fc/z@0" },
	{ "implied parents", "f a/b/x", "Da@0 Da/b@0 fa/b/x@0" },
	{ "implied, then named", "f a/x d a", "da@0 fa/x@0" },
	{ "upper adds", "d a f a/x | f a/y", "da@0 fa/x@0 fa/y@1" },
	{ "upper replaces", "f a f b | f4755 a", "fa@1:4755 fb@0" },
	{ "upper's directory keeps what is in it", "d a f a/x | d a", "da@1 fa/x@0" },
	{ "file over directory", "d a f a/x | f a", "fa@1" },
	{ "directory over file", "f a | d a f a/x", "da@1 fa/x@1" },
	{ "link over directory", "d a f a/x d b | l a b", "la@1>b db@0" },
	{ "directory over link", "d a f a/x l b a | d b f b/y", "da@0 fa/x@0 db@1 fb/y@1" },
	{ "file in the way of a parent", "f a | f a/x", "Da@1 fa/x@1" },
	{ "whiteout of a file", "d a f a/x f a/y | w a/x", "da@0 fa/y@0" },
	{ "whiteout of a directory", "d a d a/b f a/b/x | w a/b", "da@0" },
	{ "whiteout of nothing", "f a | w b w c/d w a/x", "fa@0" },
	{ "whiteout of a link, not its target", "d a f a/x l b a | w b", "da@0 fa/x@0" },
	{ "whiteout through a link", "d a f a/x l b a | w b/x", "da@0 lb@0>a" },
	{ "whiteout, then entry", "d a f a/x | w a f a/y", "Da@1 fa/y@1" },
	{ "entry, then whiteout", "d a f a/x | f a/y w a", "Da@1 fa/y@1" },
	{ "directory, then whiteout", "d a f a/x | d a f a/y w a", "da@1 fa/y@1" },
	{ "file, then whiteout", "f a | f a w a", "fa@1" },
	{ "whiteout and back in the next layer", "f a | w a | f a", "fa@2" },
	{ "opaque before", "d a f a/x | d a o a f a/y", "da@1 fa/y@1" },
	{ "opaque after", "d a f a/x | d a f a/y o a", "da@1 fa/y@1" },
	{ "opaque twice", "d a f a/x | o a f a/y o a", "da@0 fa/y@1" },
	{ "opaque below implied", "d a d a/b f a/b/x | f a/b/y o a", "da@0 Da/b@1 fa/b/y@1" },
	{ "opaque deep first", "d a d a/b f a/b/x f a/z | f a/b/y o a/b o a", "da@0 Da/b@1 fa/b/y@1" },
	{ "opaque of nothing, of a file", "f a | o b o a", "fa@0" },
	{ "opaque root", "f a d b | o . f c", "fc@1" },
	{ "opaque does not reach the next layer", "d a | o a f a/x | f a/y", "da@0 fa/x@1 fa/y@2" },
	{ "hard links", "f a h b a h c b", "fa@0#1 fb@0#1=a fc@0#1=a" },
	{ "hard link to a lower file", "f a | h b a", "fa@0#1 fb@0#1=a" },
	{ "hard link broken by the upper", "f a h b a | f b", "fa@0#1 fb@1" },
	{ "hard link whose first name goes", "f a h b a | w a", "fb@0#1=a" },
	{ "hard link to a link is the link", "l a x h b a", "la@0>x#1 lb@0>x#1=a" },
	{ "hard link through a link", "d d f d/x l s d h y s/x", "dd@0 fd/x@0#1 ls@0>d fy@0#1=d/x" },
	{ "hard link to itself", "f a h a a", "fa@0" },
	{ "hard link again", "f a h b a h b a", "fa@0#1 fb@0#1=a" },
	{ "through a link of this layer", "d a l b a f b/x", "da@0 fa/x@0=b/x lb@0>a" },
	{ "through a link of a lower layer", "d a l b a | f b/x", "da@0 fa/x@1=b/x lb@0>a" },
	{ "through an absolute link", "d a l b /a f b/x", "da@0 fa/x@0=b/x lb@0>/a" },
	{ "through a link that leaves", "l d ../../../canary/dir f d/f",
	  "Dcanary@0 Dcanary/dir@0 fcanary/dir/f@0=d/f ld@0>../../../canary/dir" },
	{ "through a dangling link", "l d x/y f d/f", "ld@0>x/y Dx@0 Dx/y@0 fx/y/f@0=d/f" },
	{ "link replaced on the way", "d a l b a f b/x d b f b/y", "da@0 fa/x@0=b/x db@0 fb/y@0" },
	{ "link replaced through itself", "l s . d s/s f s/x", "ds@0=s/s fs/x@0" },
	{ "directory replaced on the way", "d a f a/x d b l a b f a/y", "la@0>b db@0 fb/y@0=a/y" },
	{ "root", "d1777 . f a", "fa@0" },
	{ "three layers", "d a f a/1 f a/2 | w a/1 f a/3 | f a/1", "da@0 fa/1@2 fa/2@0 fa/3@1" },
};

static void test_merges(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(merges); i++) {
		struct fsview v;
		AUTO(str_fini) struct str got = { 0 };
		struct err e;
		if (apply_text(&v, merges[i].layers, &e) < 0)
			fail_msg("%s: %s", merges[i].what, e.msg);
		write_below(&v, v.root, &got);
		if (strcmp(str_text(&got), merges[i].view) != 0)
			fail_msg("%s: [%s] gives\n  %s, not\n  %s", merges[i].what, merges[i].layers, str_text(&got),
				 merges[i].view);
		fsview_fini(&v);
	}
}

static void test_metadata(void **state)
{
	struct fsview v;
	struct err e;
	struct tar_xattr xattr = { .name = (char *)"user.x", .value = (char *)"a\0b", .len = 3 };
	struct list_entry entries[] = {
		{ .tar = { .type = TAR_DIR, .path = (char *)".", .mode = 01777, .uid = 1, .mtime = 5 } },
		{ .tar = { .type = TAR_FILE,
			   .path = (char *)"f",
			   .mode = 04755,
			   .uid = 7,
			   .gid = 8,
			   .size = 9,
			   .mtime = -10,
			   .mtime_ns = 11,
			   .xattrs = { .v = &xattr, .n = 1 } },
		  .has_digest = true,
		  .digest = { .b = { 12 } } },
		{ .tar = { .type = TAR_CHAR, .path = (char *)"c", .major = 1, .minor = 3 } },
		{ .tar = { .type = TAR_HARDLINK, .path = (char *)"h", .link = (char *)"f", .mode = 0, .uid = 99 } },
	};
	struct listing l = { .v = entries, .n = ARRAY_LEN(entries) };
	struct fsnode *n;
	fsview_init(&v);
	assert_true(v.root->implied);
	assert_int_equal(fsview_apply(&v, &l, 0, &e), 0);
	assert_int_equal(v.root->mode, 01777);
	assert_int_equal(v.root->uid, 1);
	assert_false(v.root->implied);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fsview_child(&v, v.root, i ? "h" : "f", &n, &e), 0);
		assert_int_equal(n->type, TAR_FILE);
		assert_int_equal(n->mode, 04755);
		assert_int_equal(n->uid, 7);
		assert_int_equal(n->gid, 8);
		assert_int_equal(n->size, 9);
		assert_int_equal(n->mtime, -10);
		assert_int_equal(n->mtime_ns, 11);
		assert_true(n->has_digest);
		assert_int_equal(n->digest.b[0], 12);
		assert_int_equal(n->xattrs->n, 1);
		assert_string_equal(n->xattrs->v[0].name, "user.x");
		assert_memory_equal(n->xattrs->v[0].value, "a\0b", 3);
		assert_string_equal(n->layer_path, "f");
	}
	assert_int_equal(fsview_child(&v, v.root, "c", &n, &e), 0);
	assert_int_equal(n->major, 1);
	assert_int_equal(n->minor, 3);
	fsview_fini(&v);
}

static const char *const refused[] = {
	"h a b", "d a h b a", "f a h b a/x",       "f .", "l . /", "h . a", "f ..", "f a/..",
	"f a/.", "f a/",      "l a b l b a f a/x",
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct fsview v;
		struct err e = { 0 };
		if (apply_text(&v, refused[i], &e) == 0)
			fail_msg("accepted: %s", refused[i]);
		assert_int_equal(e.kind, ERR_SPEC);
		fsview_fini(&v);
	}
}

static const char world[] =
	"d a d a/b f a/b/f l abs /a l rel a/b l up ../../a l a/back .. l loop loop l ping pong l pong ping "
	"l file a/b/f l dangling nowhere l a/self . l empty/x ../a/b/f";

/* Found: the path of the node. Not found: NULL and why. */
static const struct {
	const char *path;
	bool follow;
	const char *found;
	int why;
} lookups[] = {
	{ "", true, "", 0 },
	{ "/", true, "", 0 },
	{ ".", false, "", 0 },
	{ "..", false, "", 0 },
	{ "../..", true, "", 0 },
	{ "a", true, "a", 0 },
	{ "/a/", true, "a", 0 },
	{ "//a//b//f", true, "a/b/f", 0 },
	{ "a/./b/../b/f", true, "a/b/f", 0 },
	{ "a/../../../a/b", true, "a/b", 0 },
	{ "abs", false, "abs", 0 },
	{ "abs", true, "a", 0 },
	{ "abs/", false, "a", 0 },
	{ "abs/b/f", false, "a/b/f", 0 },
	{ "rel/f", true, "a/b/f", 0 },
	{ "up/b", true, "a/b", 0 },
	{ "a/back/a/back/abs/b/f", true, "a/b/f", 0 },
	{ "rel/..", true, "a", 0 },
	{ "a/self/self/self/b", true, "a/b", 0 },
	{ "file", true, "a/b/f", 0 },
	{ "file", false, "file", 0 },
	{ "file/", false, NULL, ENOTDIR },
	{ "file/.", true, NULL, ENOTDIR },
	{ "a/b/f/", true, NULL, ENOTDIR },
	{ "a/b/f/..", true, NULL, ENOTDIR },
	{ "a/b/f/x", true, NULL, ENOTDIR },
	{ "x", true, NULL, ENOENT },
	{ "x/..", true, NULL, ENOENT },
	{ "a/x/b", true, NULL, ENOENT },
	{ "dangling", true, NULL, ENOENT },
	{ "dangling", false, "dangling", 0 },
	{ "loop", true, NULL, ELOOP },
	{ "loop", false, "loop", 0 },
	{ "loop/x", false, NULL, ELOOP },
	{ "ping", true, NULL, ELOOP },
	{ "empty/x", true, "a/b/f", 0 },
	{ "ab", true, NULL, ENOENT },
};

static void test_lookups(void **state)
{
	struct fsview v;
	struct err e;
	if (apply_text(&v, world, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
		struct fsnode *n = NULL;
		int why = 0;
		assert_int_equal(fsview_lookup(&v, lookups[i].path, lookups[i].follow, &n, &why, &e), 0);
		AUTO(free_drop) char *path = n ? fsnode_path(n) : NULL;
		if (!str_eq(path, lookups[i].found) || why != lookups[i].why)
			fail_msg("%s: %s (%d)", lookups[i].path, path ? path : "none", why);
		assert_int_equal(fsview_lookup(&v, lookups[i].path, lookups[i].follow, &n, NULL, &e), 0);
	}
	fsview_fini(&v);
}

/* 40 links are followed, 41 are not. */
static void test_link_limit(void **state)
{
	AUTO(str_fini) struct str layer = { 0 };
	struct fsview v;
	struct fsnode *n;
	struct err e;
	int why;
	str_add(&layer, "f l0");
	for (unsigned i = 1; i <= LIMIT_SYMLINKS + 1; i++)
		str_addf(&layer, " l l%u l%u", i, i - 1);
	assert_int_equal(apply_text(&v, layer.buf, &e), 0);
	for (unsigned i = LIMIT_SYMLINKS - 1; i <= LIMIT_SYMLINKS + 1; i++) {
		char name[16];
		snprintf(name, sizeof name, "l%u", i);
		assert_int_equal(fsview_lookup(&v, name, true, &n, &why, &e), 0);
		assert_int_equal(n != NULL, i <= LIMIT_SYMLINKS);
	}
	assert_int_equal(why, ELOOP);
	fsview_fini(&v);
}

/* Finds "1" and "3" one by one; the loader then keeps them. */
static int find_odd(struct fsview *v, struct fsnode *dir, const char *name, struct fsnode **ret, struct err *e)
{
	(void)e;
	*ret = NULL;
	if (strcmp(name, "1") == 0 || strcmp(name, "3") == 0)
		*ret = fsview_add(v, dir, name);
	return 0;
}

static int load_rest(struct fsview *v, struct fsnode *dir, struct err *e)
{
	(void)e;
	fsview_add(v, dir, "2");
	return 0;
}

static void test_one_by_one(void **state)
{
	struct fsview v;
	struct fsnode *three, *one, *n;
	struct err e;
	(void)state;
	fsview_init(&v);
	v.load = load_rest;
	v.find = find_odd;
	assert_int_equal(fsview_child(&v, v.root, "3", &three, &e), 0);
	assert_int_equal(fsview_lookup(&v, "/1", true, &one, NULL, &e), 0);
	assert_int_equal(fsview_child(&v, v.root, "2", &n, &e), 0);
	assert_null(n);
	assert_int_equal(fsview_child(&v, v.root, "3", &n, &e), 0);
	assert_ptr_equal(n, three);
	assert_int_equal(fsview_kids(&v, v.root, &e), 0);
	assert_int_equal(v.root->n_kids, 3);
	assert_ptr_equal(v.root->kids[0], one);
	assert_ptr_equal(v.root->kids[2], three);
	assert_int_equal(fsview_child(&v, v.root, "2", &n, &e), 0);
	assert_ptr_equal(n, v.root->kids[1]);
	fsview_fini(&v);
}

/* A view that is read on demand. */
static int load_numbers(struct fsview *v, struct fsnode *dir, struct err *e)
{
	int *calls = v->load_ctx;
	(*calls)++;
	if (strcmp(dir->name, "2") == 0)
		return err_set(e, ERR_SYS, "unreadable");
	for (int i = 3; i > 0; i--) {
		char name[8];
		snprintf(name, sizeof name, "%d", i);
		struct fsnode *n = fsview_add(v, dir, name);
		n->type = TAR_DIR;
	}
	return 0;
}

static void test_on_demand(void **state)
{
	struct fsview v;
	struct fsnode *n;
	struct err e;
	int calls = 0;
	fsview_init(&v);
	v.load = load_numbers;
	v.load_ctx = &calls;
	assert_int_equal(fsview_lookup(&v, "1/3/1", true, &n, NULL, &e), 0);
	assert_non_null(n);
	assert_int_equal(calls, 3);
	assert_int_equal(fsview_lookup(&v, "1/3/9", true, &n, NULL, &e), 0);
	assert_null(n);
	assert_int_equal(calls, 3);
	assert_int_equal(fsview_lookup(&v, "1/2/1", true, &n, NULL, &e), -1);
	assert_string_equal(e.msg, "unreadable");
	assert_int_equal(fsview_kids(&v, v.root, &e), 0);
	assert_int_equal(v.root->n_kids, 3);
	assert_string_equal(v.root->kids[0]->name, "1");
	fsview_fini(&v);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_entry(struct listing *l, enum list_kind kind, enum tar_type type, char *path)
{
	struct list_entry *x = vec_add(l);
	x->kind = kind;
	x->tar.type = type;
	x->tar.path = path;
}

/* Two layers of 100 000 entries: the order of a distribution, then the reverse. */
static void test_large(void **state)
{
	enum { N = 100000 };
	struct listing l = { 0 };
	struct fsview v;
	struct fsnode *n;
	struct err e;
	for (int i = 0; i < N; i++)
		add_entry(&l, LIST_ENTRY, TAR_FILE, x_asprintf("usr/share/package%d/file%d", i / 20, i));
	fsview_init(&v);
	double start = seconds();
	assert_int_equal(fsview_apply(&v, &l, 0, &e), 0);
	for (int i = 0; i < N / 2; i++) {
		struct list_entry swap = l.v[i];
		l.v[i] = l.v[N - 1 - i];
		l.v[N - 1 - i] = swap;
	}
	assert_int_equal(fsview_apply(&v, &l, 1, &e), 0);
	double took = seconds() - start;
	print_message("%d entries merged in %.0f ms\n", 2 * N, took * 1e3);
	assert_true(took < 5); /* some 0.1 s; quadratic would be minutes */
	assert_int_equal(fsview_lookup(&v, "usr/share/package4999/file99999", true, &n, NULL, &e), 0);
	assert_int_equal(n->layer, 1);
	fsview_fini(&v);
	free_layer(&l);
}

/* T-A13: as many opaque markers as files below them. */
static void test_many_markers(void **state)
{
	enum { N = 100000 };
	struct listing below = { 0 }, markers = { 0 };
	struct fsview v;
	struct err e;
	for (int i = 0; i < N; i++) {
		add_entry(&below, LIST_ENTRY, TAR_FILE, x_asprintf("d/f%d", i));
		add_entry(&markers, LIST_ENTRY, TAR_FILE, x_asprintf("d/g%d", i));
		add_entry(&markers, LIST_OPAQUE, TAR_FILE, x_strdup("d"));
		add_entry(&markers, LIST_WHITEOUT, TAR_FILE, x_strdup("d"));
	}
	fsview_init(&v);
	double start = seconds();
	assert_int_equal(fsview_apply(&v, &below, 0, &e), 0);
	assert_int_equal(fsview_apply(&v, &markers, 1, &e), 0);
	assert_true(seconds() - start < 5);
	assert_int_equal(v.root->kids[0]->n_kids, N);
	fsview_fini(&v);
	free_layer(&below);
	free_layer(&markers);
}

/* No recursion: a path of as many directories as LIMIT_TAR_PATH allows, then its removal. */
static void test_deep(void **state)
{
	AUTO(str_fini) struct str path = { 0 };
	struct listing l = { 0 };
	struct fsview v;
	struct fsnode *n;
	struct err e;
	while (path.len + 2 < LIMIT_TAR_PATH)
		str_add(&path, "d/");
	str_add(&path, "f");
	add_entry(&l, LIST_ENTRY, TAR_FILE, x_strdup(path.buf));
	add_entry(&l, LIST_OPAQUE, TAR_FILE, x_strdup("."));
	fsview_init(&v);
	assert_int_equal(fsview_apply(&v, &l, 0, &e), 0);
	assert_int_equal(fsview_apply(&v, &l, 1, &e), 0);
	assert_int_equal(fsview_lookup(&v, path.buf, true, &n, NULL, &e), 0);
	assert_non_null(n);
	AUTO(free_drop) char *found = fsnode_path(n);
	assert_string_equal(found, path.buf);
	fsview_fini(&v);
	free_layer(&l);
}

/* Few bytes of an archive can name many directories: T-H7. */
static void test_node_limit(void **state)
{
	static const char *const layers[] = { "f 1/2/3/4/5", "f 1 f 2 f 3 f 4 f 5" };
	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		for (size_t room = 4; room <= 6; room++) {
			struct listing l;
			struct fsview v;
			struct err e = { 0 };
			read_layer(layers[i], &l);
			fsview_init(&v);
			v.n_nodes = LIMIT_TREE_NODES - room;
			assert_int_equal(fsview_apply(&v, &l, 0, &e), room < 5 ? -1 : 0);
			assert_int_equal(e.kind, room < 5 ? ERR_LIMIT : ERR_NONE);
			fsview_fini(&v);
			free_layer(&l);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merges),     cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_refused),    cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_link_limit), cmocka_unit_test(test_on_demand),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_large),      cmocka_unit_test(test_many_markers),
		cmocka_unit_test(test_deep),       cmocka_unit_test(test_node_limit),
	};
	return cmocka_run_group_tests_name("oci/fsview", tests, NULL, NULL);
}
