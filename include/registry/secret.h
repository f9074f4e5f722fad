/* Passwords and tokens: overwritten before their memory is given back. */
#ifndef NACRE_REGISTRY_SECRET_H
#define NACRE_REGISTRY_SECRET_H

#include "base/str.h"

/* For AUTO; each accepts empty values and leaves them empty. */
void secret_drop(char **secret);
void secret_str_fini(struct str *s); /* reserve enough before filling it: a str that moves leaves a copy behind */

#endif
