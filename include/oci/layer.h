/* A layer as an image has it. */
#ifndef NACRE_OCI_LAYER_H
#define NACRE_OCI_LAYER_H

#include "base/digest.h"
#include "oci/descriptor.h"

/* A layer of ours or of a base: its identity and where its bytes are. */
struct layer {
	struct diffid diffid;
	struct descriptor blob;
};

#endif
