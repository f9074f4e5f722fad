/* Which kind of document some bytes are, when several places make claims about it (T-H1). */
#ifndef NACRE_REGISTRY_DOCUMENT_PRIV_H
#define NACRE_REGISTRY_DOCUMENT_PRIV_H

#include <stddef.h>

#include "base/err.h"

/*
 * The media type of a manifest or index. header: Content-Type of the answer, descriptor: the type of the descriptor
 * that led here; each may be NULL. The body's own "mediaType" and its members speak too. All that make a claim must
 * agree; general types such as application/json make none. The caller owns *ret.
 */
int document_type(const char *bytes, size_t n, const char *header, const char *descriptor, const char *name, char **ret,
		  struct err *e);

#endif
