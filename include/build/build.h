/* From a Dockerfile to an image in the store. */
#ifndef NACRE_BUILD_BUILD_H
#define NACRE_BUILD_BUILD_H

#include <stdbool.h>

#include "base/err.h"
#include "build/options.h"
#include "oci/descriptor.h"
#include "store/store.h"

struct build_result {
	struct descriptor image; /* the manifest, in the store */
	struct strv names;       /* the references it got */
	bool has_stream;         /* an output took standard output */
	bool beyond;             /* it was said that cache_max was too little for it */
};

/*
 * Builds, tags, writes the output. Prints progress and warnings on stderr. A failure is one error, whose Dockerfile
 * excerpt, if it has one, was printed before.
 */
int build_run(struct store *s, const struct build_options *o, struct build_result *ret, struct err *e);
void build_result_fini(struct build_result *r);

#endif
