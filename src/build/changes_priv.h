/* What is different between two times that a step was met, each difference by the name of the input. */
#ifndef NACRE_BUILD_CHANGES_PRIV_H
#define NACRE_BUILD_CHANGES_PRIV_H

#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"

struct store;

struct change {
	const char *what;       /* a word for programs: "file", "variable", "parent" … ; static */
	char *name;             /* "src/main.c"; a sentence where neither from nor to is. owned */
	char *from, *to;        /* NULL: it was, or is, not there. owned */
};

struct changes {
	VEC(struct change) list;
	size_t more;            /* files left out of the list */
};

void change_add(struct changes *c, const char *what, const char *name, const char *from, const char *to);
void changes_fini(struct changes *c);
/* "src/main.c changed", "variable A: 1 -> 2". The first of the list and how many more there are. */
void changes_text(const struct changes *c, struct str *out);
/* An array of {"what":…,"name":…,"from":…,"to":…}; what was left out is the last, {"what":"more","name":"N more files"}. */
void changes_write(const struct changes *c, struct json_out *o);

/*
 * The differences between two keys of one step (cache.c writes them). `parent`: that member too; it is not known of a
 * step that follows one that runs. Where both file lists are in the store, the files are named.
 */
void changes_of_keys(struct store *s, const struct json *before, const struct json *now, bool parent,
		     struct changes *ret);

/* ---- file_list.c ---- */
/* Names the files of two contents; 1 when a list is missing or shows no difference. */
int changes_of_files(struct store *s, const char *before, const char *now, struct changes *ret);

#endif
