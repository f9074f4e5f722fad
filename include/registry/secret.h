/* Passwords and tokens: overwritten before their memory is given back. */
#ifndef NACRE_REGISTRY_SECRET_H
#define NACRE_REGISTRY_SECRET_H

#include "base/str.h"

/* For AUTO; each accepts empty values and leaves them empty. */
void secret_drop(char **secret);
void secret_str_fini(struct str *s); /* reserve enough before filling it: a str that moves leaves a copy behind */

/* RFC 4648 section 4: standard alphabet. Padding is written, and optional when read; false when it is not base64. */
void base64_encode(const char *bytes, size_t n, struct str *out);
bool base64_decode(const char *text, struct str *out);

#endif
