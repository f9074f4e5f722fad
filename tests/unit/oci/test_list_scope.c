/* A view of a part answers as the whole one does, or says what it would have to show for that. */
#include "documents.h"

#include "base/vec.h"
#include "oci/fsview.h"

enum { CASES = 4000, MOST_LAYERS = 4, MOST_ENTRIES = 14 };

static uint32_t state_of_random;

static unsigned below(unsigned n)
{
	state_of_random = state_of_random * 1664525u + 1013904223u;
	return (state_of_random >> 8) % n;
}

static char *random_path(void)
{
	static const char *const names[] = { "a", "b", "c", "ab", "a b", "\\=" };
	struct str path = { 0 };
	for (unsigned i = 0, n = 1 + below(3); i < n; i++)
		str_addf(&path, "%s%s", i ? "/" : "", names[below(below(4) ? 3 : 6)]);
	return path.buf;
}

struct layer {
	struct strv dirs, files; /* named by it */
	struct str text;
};

static void add(struct layer *l, char kind, const char *path, const char *link)
{
	struct list_entry x = { .tar = { .type = (enum tar_type)kind, .path = (char *)path, .link = (char *)link } };
	x.kind = kind == 'w' ? LIST_WHITEOUT : kind == 'o' ? LIST_OPAQUE : LIST_ENTRY;
	x.tar.mode = (mode_t)below(0777);
	x.has_digest = kind == 'f' && below(2);
	listing_add_text(&l->text, &x);
	if (kind == 'd' || kind == 'f')
		strv_push(kind == 'd' ? &l->dirs : &l->files, path);
}

static void add_parents(struct layer *l, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTO(free_drop) char *dir = x_strndup(path, (size_t)(slash - path));
		if (!strv_has(&l->dirs, dir))
			add(l, 'd', dir, NULL);
	}
}

/* As writers of layers make them, each directory before what is in it, or without that. */
static void random_layer(struct layer *l)
{
	bool orderly = below(8) != 0;
	if (below(2))
		add(l, 'd', ".", NULL);
	for (unsigned i = 0, n = below(MOST_ENTRIES); i < n; i++) {
		char kind = "ffffdddllhwo"[below(12)];
		AUTO(free_drop) char *path = random_path(), *other = random_path();
		AUTO(free_drop)
		char *target = x_asprintf("%s%s", below(3) ? "" : below(3) ? "/" : "../", other);
		if (kind == 'h' && !l->files.n)
			kind = 'f';
		if (kind == 'h' && below(8)) {
			free(target);
			target = x_strdup(l->files.v[below((unsigned)l->files.n)]);
		}
		if (orderly)
			add_parents(l, path);
		if (orderly && kind != 'd' && kind != 'o' && strv_has(&l->dirs, path) && below(8))
			continue;
		if (orderly && kind == 'o' && !strv_has(&l->dirs, path))
			add(l, 'd', path, NULL);
		add(l, kind, path, kind == 'l' || kind == 'h' ? target : NULL);
	}
}

static void free_layer(struct layer *l)
{
	strv_fini(&l->dirs);
	strv_fini(&l->files);
	str_fini(&l->text);
}

static int apply(struct fsview *v, const char *text, size_t n, unsigned layer, struct err *e)
{
	struct listing l = { 0 };
	if (listing_parse(text, n, "it", &l, e) < 0)
		fail_msg("%s", e->msg);
	int r = fsview_apply(v, &l, layer, e);
	listing_fini(&l);
	return r;
}

static int make_whole(struct fsview *v, const struct layer *layers, unsigned n)
{
	struct err e;
	int r = 0;
	fsview_init(v);
	for (unsigned i = 0; i < n && r == 0; i++)
		r = layers[i].text.len ? apply(v, layers[i].text.buf, layers[i].text.len, i, &e) : 0;
	return r;
}

/* 0, or -1 with v->missed. */
static int fill_part(struct fsview *v, const struct layer *layers, unsigned n, const char *dest)
{
	static const char head[] = "nacre-listing 1\n";
	struct err e;
	for (unsigned i = 0; i < n; i++) {
		AUTO(str_fini) struct str part = { 0 };
		const struct str *text = &layers[i].text;
		if (!text->len)
			continue;
		str_add(&part, head);
		if (!list_scope_select(&v->scope, text->buf + part.len, text->len - part.len, &part))
			return fsview_miss(v, "", &e);
		if (apply(v, part.buf, part.len, i, &e) < 0) {
			if (!v->missed)
				fail_msg("%s", e.msg);
			return -1;
		}
	}
	return fsview_check(v, dest, &e);
}

/* False: only the whole would do. */
static bool make_part(struct fsview *v, const struct layer *layers, unsigned n, const char *dest)
{
	struct list_scope scope = { 0 };
	list_scope_add(&scope, dest);
	for (;;) {
		fsview_init(v);
		fsview_narrow(v, &scope);
		if (fill_part(v, layers, n, dest) == 0)
			return true;
		assert_non_null(v->missed);
		assert_false(*v->missed && list_scope_covers(&v->scope, v->missed));
		if (!*v->missed)
			return false;
		scope = v->scope;
		v->scope = (struct list_scope){ 0 };
		list_scope_add(&scope, v->missed);
		fsview_fini(v);
	}
}

static void write_node(const struct fsnode *n, struct str *out)
{
	AUTO(free_drop) char *path = fsnode_path(n);
	str_addf(out, "%c%s@%u:%o%s%s=%s%s\n", n->type, path, n->layer, n->mode, n->type == TAR_SYMLINK ? ">" : "",
		 n->type == TAR_SYMLINK ? n->link : "", n->layer_path ? n->layer_path : "", n->implied ? " implied" : "");
}

/* All that can be seen at and below a path, and the directories above it. */
static void write_seen(struct fsview *v, const char *dest, struct str *out)
{
	VEC(struct fsnode *) todo = { 0 };
	struct fsnode *n;
	struct err e;
	int why = 0;
	assert_int_equal(fsview_lookup(v, dest, true, &n, &why, &e), 0);
	str_addf(out, "%d\n", why);
	for (const struct fsnode *up = n; up; up = up->parent)
		write_node(up, out);
	if (n)
		vec_push(&todo, n);
	while (todo.n) {
		struct fsnode *at = todo.v[--todo.n];
		write_node(at, out);
		if (at->type != TAR_DIR)
			continue;
		assert_int_equal(fsview_kids(v, at, &e), 0);
		for (size_t i = 0; i < at->n_kids; i++)
			vec_push(&todo, at->kids[i]);
	}
	vec_fini(&todo);
}

static bool compare(const struct layer *layers, unsigned n, const char *dest, struct fsview *whole, unsigned seed)
{
	AUTO(str_fini) struct str want = { 0 };
	AUTO(str_fini) struct str got = { 0 };
	struct fsview part;
	bool narrow = make_part(&part, layers, n, dest);
	if (narrow) {
		write_seen(whole, dest, &want);
		write_seen(&part, dest, &got);
		if (strcmp(want.buf, got.buf) != 0) {
			for (unsigned i = 0; i < n; i++)
				print_error("%s\n", str_text(&layers[i].text));
			fail_msg("seed %u, %s: the whole shows\n%sthe part\n%s", seed, dest, want.buf, got.buf);
		}
	}
	fsview_fini(&part);
	return narrow;
}

static void test_as_the_whole(void **state)
{
	unsigned compared = 0;
	(void)state;
	for (unsigned seed = 0; seed < CASES; seed++) {
		struct layer layers[MOST_LAYERS] = { 0 };
		struct fsview whole;
		state_of_random = seed;
		unsigned n = 1 + below(MOST_LAYERS);
		for (unsigned i = 0; i < n; i++)
			random_layer(&layers[i]);
		if (make_whole(&whole, layers, n) == 0) {
			for (unsigned i = 0; i < 4; i++) {
				AUTO(free_drop) char *dest = random_path();
				compared += compare(layers, n, dest, &whole, seed);
			}
		}
		fsview_fini(&whole);
		for (unsigned i = 0; i < n; i++)
			free_layer(&layers[i]);
	}
	/* A test that always gave up would find no difference. */
	assert_true(compared > CASES);
}

#define DIR(path) "d 0755 0 0 0 0 - - " path "\n"
#define FILE_(path) "f 0644 0 0 3 0 - " HEX1 " " path "\n"
#define LINK(path, target) "l 0777 0 0 0 0 - - " path " " target "\n"
#define HIDE(path) "w 0000 0 0 0 0 - - " path "\n"
#define EMPTY(path) "o 0000 0 0 0 0 - - " path "\n"

static const struct {
	const char *lines, *scope, *selected; /* NULL: it cannot be told */
} selections[] = {
	{ DIR(".") DIR("a") FILE_("a/x") DIR("b") FILE_("b/x"), "b", DIR(".") DIR("b") FILE_("b/x") },
	{ DIR("a") DIR("a/b") FILE_("a/b/c") FILE_("a/bc"), "a/b", DIR("a") DIR("a/b") FILE_("a/b/c") },
	{ DIR("a") FILE_("a/x") LINK("b", "a"), "c", "" },
	{ DIR("a") HIDE("a/x") HIDE("b") EMPTY("a"), "a/y/z", DIR("a") EMPTY("a") },
	{ DIR("a") HIDE("a/y"), "a/y/z", DIR("a") HIDE("a/y") },
	{ DIR("a\\040b") FILE_("a\\040b/x"), "a b", DIR("a\\040b") FILE_("a\\040b/x") },
	{ FILE_("a/x"), "b", NULL },
	{ HIDE("a/x"), "b", NULL },
	{ EMPTY("a"), "b", NULL },
	{ DIR("a") LINK("a", "b") FILE_("a/x"), "b", NULL },
	{ DIR("a") FILE_("a"), "b", NULL },
	{ DIR("a") FILE_("a/"), "b", NULL },
	{ DIR("a") FILE_("a/.."), "b", NULL },
	{ DIR("/a"), "b", NULL },
	{ "d 0755\n", "b", NULL },
	{ "d 0755 0 0 0 0 - - a", "b", NULL },
};

static void test_selections(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(selections); i++) {
		AUTO(str_fini) struct str got = { 0 };
		struct list_scope scope = { 0 };
		list_scope_add(&scope, selections[i].scope);
		bool told = list_scope_select(&scope, selections[i].lines, strlen(selections[i].lines), &got);
		list_scope_fini(&scope);
		if (told != (selections[i].selected != NULL) ||
		    (told && strcmp(str_text(&got), selections[i].selected) != 0))
			fail_msg("of\n%s for %s: %s", selections[i].lines, selections[i].scope,
				 told ? str_text(&got) : "cannot be told");
	}
}

static void test_paths(void **state)
{
	struct list_scope s = { 0 };
	(void)state;
	assert_true(list_scope_covers(&s, "a"));
	list_scope_add(&s, "/a/b/");
	list_scope_add(&s, "c/d");
	assert_true(list_scope_covers(&s, "a/b/x"));
	assert_false(list_scope_covers(&s, "a"));
	assert_false(list_scope_covers(&s, "a/bc"));
	assert_true(list_scope_reaches(&s, "a"));
	assert_true(list_scope_reaches(&s, ""));
	assert_false(list_scope_reaches(&s, "a/c"));
	list_scope_add(&s, "a");
	assert_int_equal(s.paths.n, 2);
	assert_true(list_scope_covers(&s, "a/c"));
	list_scope_add(&s, "/");
	assert_int_equal(s.paths.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_selections),
		cmocka_unit_test(test_as_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
