/*
 * A part of a root filesystem, by paths: what a COPY, ADD or WORKDIR looks at is where it leads to, which is a few lines
 * of the many that the listings of a large image have.
 */
#ifndef NACRE_OCI_LIST_SCOPE_H
#define NACRE_OCI_LIST_SCOPE_H

#include "base/str.h"
#include "base/vec.h"

struct list_scope {
	struct strv paths; /* with all below them; "a/b", none is below another. None at all: everything */
};

/* The root ("" or "/") is everything. */
void list_scope_add(struct list_scope *s, const char *path);
void list_scope_fini(struct list_scope *s);
/* True when the path and all below it are in the scope. */
bool list_scope_covers(const struct list_scope *s, const char *path);
/* True when it is, or something below it. */
bool list_scope_reaches(const struct list_scope *s, const char *path);

/*
 * Appends the lines of a listing (behind its head) that are about the scope's paths and the directories above them.
 * False where that could miss something, because the layer itself does not say that what its paths lead through are
 * directories: a link of a layer below could lead into the scope.
 */
bool list_scope_select(const struct list_scope *s, const char *lines, size_t n, struct str *out);

#endif
