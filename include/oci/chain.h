/* Chain ids: image-spec config.md, "Layer ChainID". */
#ifndef NACRE_OCI_CHAIN_H
#define NACRE_OCI_CHAIN_H

#include "base/digest.h"

/* chain_next(zero, d) = d; else sha256(text(chain) + " " + text(diffid)); image-spec config.md, "Layer ChainID". */
struct chainid chain_next(const struct chainid *below, const struct diffid *layer);

#endif
