#include "oci/layer_tar.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/blob.h"

int layer_tar_open(struct store *s, const struct descriptor *blob, int *ret_fd, struct source **ret, struct err *e)
{
	if (blob_open(s, &blob->digest, ret_fd, e) < 0)
		return -1;
	AUTO(free_drop) char *name = x_asprintf("layer %s", digest_text(&blob->digest).s);
	*ret = source_limit(source_decompress(source_fd(*ret_fd, name), name), LIMIT_LAYER_BYTES, name);
	return 0;
}
