/*
 * Layers merged into a view. The input is words, KIND PATH for each entry (KIND f d l h w o; l and h take a TARGET),
 * "|" between layers: few bytes make deep trees, links in circles, and deletions of all of it.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/fsview.h"

static void must(bool true_of_every_view)
{
	if (!true_of_every_view)
		abort();
}

/* Every node is found by its name and by its path, once, and has a type that a tree can have. */
static void check(struct fsview *v)
{
	VEC(struct fsnode *) todo = { 0 };
	struct err e;

	vec_push(&todo, v->root);
	while (todo.n) {
		struct fsnode *dir = todo.v[--todo.n], *found;

		must(fsview_kids(v, dir, &e) == 0);
		for (size_t i = 0; i < dir->n_kids; i++) {
			struct fsnode *kid = dir->kids[i];
			AUTO(free_drop) char *path = fsnode_path(kid);

			must(kid->parent == dir && kid->place == i);
			must(i == 0 || strcmp(dir->kids[i - 1]->name, kid->name) < 0);
			must(fsview_child(v, dir, kid->name, &found, &e) == 0 && found == kid);
			must(fsview_lookup(v, path, false, &found, NULL, &e) == 0 && found == kid);
			must(fsview_lookup(v, path, true, &found, NULL, &e) == 0);
			must(kid->type != TAR_HARDLINK && (kid->type == TAR_SYMLINK) == (kid->link != NULL));
			if (kid->type == TAR_DIR)
				vec_push(&todo, kid);
			else
				must(!kid->n_kids && !kid->implied);
		}
	}
	vec_fini(&todo);
}

/* The next word of the text; "" at its end or before a "|". */
static char *next_word(char **at)
{
	*at += strspn(*at, " \n");
	size_t n = strcspn(*at, " \n|");
	char *word = x_strndup(*at, n);

	*at += n;
	return word;
}

static void read_layer(char **at, struct listing *l)
{
	for (;;) {
		AUTO(free_drop) char *kind = next_word(at);
		AUTO(free_drop) char *path = next_word(at);
		AUTO(free_drop) char *target = *kind == 'l' || *kind == 'h' ? next_word(at) : NULL;

		if (!*path || !strchr("fdlhwo", *kind) || (target && !*target))
			return;
		struct list_entry *x = vec_add(l);

		x->kind = *kind == 'w' ? LIST_WHITEOUT : *kind == 'o' ? LIST_OPAQUE : LIST_ENTRY;
		x->tar.type = (enum tar_type) * kind;
		x->tar.path = ptr_take(&path);
		x->tar.link = ptr_take(&target);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	AUTO(free_drop) char *text = x_strndup((const char *)bytes, n);
	char *at = text;
	struct fsview v;
	struct err e;
	int r = 0;

	fsview_init(&v);
	for (unsigned layer = 0; r == 0 && *at; layer++) {
		struct listing l = { 0 };

		read_layer(&at, &l);
		r = fsview_apply(&v, &l, layer, &e);
		listing_fini(&l);
		check(&v);
		at += strcspn(at, "|");
		at += *at == '|';
	}
	fsview_fini(&v);
	return 0;
}
