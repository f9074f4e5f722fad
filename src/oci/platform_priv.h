/* The platform members of descriptors and configs. */
#ifndef NACRE_OCI_PLATFORM_PRIV_H
#define NACRE_OCI_PLATFORM_PRIV_H

#include "base/err.h"
#include "base/json.h"
#include "oci/platform.h"

/* Reads os, architecture, variant and os.version of an object, as they stand. */
int platform_from_json(const struct json *j, const char *name, struct platform *ret, struct err *e);

#endif
