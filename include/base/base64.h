/* RFC 4648 section 4: the standard alphabet. */
#ifndef NACRE_BASE_BASE64_H
#define NACRE_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Both append to `out`; where that holds a secret the caller reserved enough, since a str that moves leaves a copy. */
void base64_encode(const char *bytes, size_t n, struct str *out);
/* Padding may be missing; false when it is not base64. */
bool base64_decode(const char *text, struct str *out);

#endif
