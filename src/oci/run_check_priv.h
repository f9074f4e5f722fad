/* Compares the bytes of a tar, as they come, with the entries they should hold. */
#ifndef NACRE_SRC_OCI_RUN_CHECK_PRIV_H
#define NACRE_SRC_OCI_RUN_CHECK_PRIV_H

#include "base/digest.h"
#include "base/str.h"
#include "oci/listing.h"

struct run_check {
	const struct list_entry *entry, *end; /* borrowed; the present one, and after the last */
	bool begun;                           /* the present one */
	struct str head;                      /* its header, and how much of that has been there: */
	size_t at;
	uint64_t left, padding;               /* of it, still to come */
	struct sha sha;                       /* of its content */
};
void run_check_init(struct run_check *c, const struct list_entry *entries, size_t n);
/* False: they are something else. */
bool run_check_add(struct run_check *c, const void *raw, size_t n);
/* All entries have been there. */
bool run_check_is_done(const struct run_check *c);
void run_check_fini(struct run_check *c);

#endif
