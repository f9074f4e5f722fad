/* What the files that read listings share. */
#ifndef NACRE_OCI_LISTING_PRIV_H
#define NACRE_OCI_LISTING_PRIV_H

#include "base/str.h"

/* As paths, targets of links and names stand in a listing; there is no other way to write one. */
void listing_escape(struct str *out, const char *s);

#endif
