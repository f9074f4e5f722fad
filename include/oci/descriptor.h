/* Media type, digest and size of a blob: image-spec descriptor.md. */
#ifndef NACRE_OCI_DESCRIPTOR_H
#define NACRE_OCI_DESCRIPTOR_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"

struct descriptor {
	char *media_type; /* owned */
	struct digest digest;
	uint64_t size;
};
void descriptor_fini(struct descriptor *d);
int descriptor_parse(const struct json *j, const char *name, struct descriptor *ret, struct err *e);
void descriptor_members(struct json_out *o, const struct descriptor *d); /* into an open object */
void descriptor_write(struct json_out *o, const struct descriptor *d); /* the whole object */

#endif
