/* Names of images as people type them, and what they mean. */
#ifndef NACRE_REGISTRY_REFERENCE_H
#define NACRE_REGISTRY_REFERENCE_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"

/* registry/repository:tag@digest as typed, after parsing: "alpine" is docker.io/library/alpine:latest. */
struct reference {
	char *registry;    /* host[:port], lower case; "docker.io" for Docker Hub. owned, like all */
	char *repository;
	char *tag;         /* NULL when only a digest was given; "latest" when neither */
	bool unqualified;  /* typed without a registry */
	bool has_digest;   /* the digest wins over the tag (FROM-04) */
	struct digest digest;
};
/* distribution/reference grammar; ERR_SPEC for anything else. */
int reference_parse(const char *text, struct reference *ret, struct err *e);
char *reference_text(const struct reference *r);     /* full form; caller owns */
char *reference_familiar(const struct reference *r); /* as docker prints it: "alpine:latest"; caller owns */
void reference_fini(struct reference *r);

#endif
