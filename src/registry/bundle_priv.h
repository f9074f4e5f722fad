/* What the files about archives of images share. */
#ifndef NACRE_REGISTRY_BUNDLE_PRIV_H
#define NACRE_REGISTRY_BUNDLE_PRIV_H

#include "registry/bundle.h"
#include "store/store.h"

struct bundle {
	struct store *store; /* borrowed */
	char *name;          /* for messages; owned */
	char id[33];         /* of the directory in tmp/; "" when there is none */
	int dir;             /* that directory; file N of the list is "N"; owned */
	struct {
		struct bundle_file *v;
		size_t n, cap;
	} files;
};

#endif
