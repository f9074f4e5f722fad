/*
 * Libraries that few runs need, opened at first use. Linked, each would cost every start and every fork the time to map
 * and relocate what it pulls in (libcurl brings thirty others: 4 ms, more than a cached build).
 */
#ifndef NACRE_BASE_LIBRARY_H
#define NACRE_BASE_LIBRARY_H

#include <stddef.h>

#include "base/err.h"

struct library_function {
	const char *name;
	void *pointer;   /* to a pointer to a function of its type */
};

/*
 * Opens the first of `sonames` (NULL at the end) that is installed and fills the pointers. Never closed. ERR_SYS when
 * there is none, or when it lacks one of them; the message says which library is to be installed.
 */
int library_load(const char *const *sonames, const struct library_function *functions, size_t n, struct err *e);

#endif
