/* A layer blob read once, to compare: with its names, and with what its listing says. Nothing is written. */
#ifndef NACRE_OCI_LAYER_CHECK_H
#define NACRE_OCI_LAYER_CHECK_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "oci/listing.h"

struct layer_facts {
	struct digest digest;
	bool unpacks;
	struct err why_not;     /* when it does not */
	struct diffid diffid;   /* when it does */
	bool listed;            /* the listing is that of this layer */
};

/*
 * listing NULL: that is left out. -1 only when the blob cannot be read. Uses threads: only in processes that do not
 * fork meanwhile.
 */
int layer_check(int blob_fd, const struct listing *listing, struct layer_facts *ret, struct err *e);

#endif
