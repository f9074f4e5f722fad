#include "archive/tar_entry.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void xattr_fini(struct tar_xattr *x)
{
	free(x->name);
	free(x->value);
}

/* Where `name` is or belongs. */
static size_t xattr_place(const struct tar_xattrs *l, const char *name, bool *found)
{
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(l->v[middle].name, name);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

void tar_xattrs_add(struct tar_xattrs *l, const char *name, const void *value, size_t len)
{
	bool found;
	size_t at = xattr_place(l, name, &found);
	struct tar_xattr x = { .name = x_strdup(name), .value = x_strndup(value, len), .len = len };
	if (found) {
		xattr_fini(&l->v[at]);
	} else {
		vec_reserve(l, 1);
		memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof *l->v);
		l->n++;
	}
	l->v[at] = x;
}

void tar_xattrs_fini(struct tar_xattrs *l)
{
	for (size_t i = 0; i < l->n; i++)
		xattr_fini(&l->v[i]);
	vec_fini(l);
}

void tar_entry_fini(struct tar_entry *t)
{
	free(t->path);
	free(t->link);
	tar_xattrs_fini(&t->xattrs);
	*t = (struct tar_entry){ 0 };
}

void tar_entry_copy(struct tar_entry *to, const struct tar_entry *from)
{
	*to = *from;
	to->path = from->path ? x_strdup(from->path) : NULL;
	to->link = from->link ? x_strdup(from->link) : NULL;
	to->xattrs = (struct tar_xattrs){ 0 };
	for (size_t i = 0; i < from->xattrs.n; i++)
		tar_xattrs_add(&to->xattrs, from->xattrs.v[i].name, from->xattrs.v[i].value, from->xattrs.v[i].len);
}
