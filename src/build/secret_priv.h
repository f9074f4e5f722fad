/* --secret: what it says, checked before anything is built, and read when a RUN wants it (MNT-19). */
#ifndef NACRE_BUILD_SECRET_PRIV_H
#define NACRE_BUILD_SECRET_PRIV_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

struct secret_spec {
	char *id;
	char *env, *path; /* one of them; owned */
};

struct secrets {
	VEC(struct secret_spec) v;
};

/* "id=ID[,src=FILE|,env=NAME][,type=file|env]" each. A file that is not there or too large is refused now: ERR_USAGE. */
int secrets_read(const struct strv *texts, struct secrets *ret, struct err *e);
/* The value of ID: 0, 1 when the user gave none of that name, -1. At most 500 KiB. */
int secret_value(const struct secrets *s, const char *id, struct str *out, struct err *e);
void secrets_fini(struct secrets *s);

#endif
