/*
 * What is said about a finished image, as in-toto statements: what is installed in it (--sbom) and how it was made
 * (--provenance). They stand beside the image, in files or as OCI artifacts that name it as their subject, in image layouts and
 * registries, and never in its index, where other programs would take them for images of a strange platform.
 */
#ifndef NACRE_BUILD_ATTEST_PRIV_H
#define NACRE_BUILD_ATTEST_PRIV_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "build/build.h"
#include "build_priv.h"

/* Before the build: what --attest, --sbom, --provenance and --attest-dir say. ERR_USAGE, also when there is no place to write to. */
int attest_check(const struct build *b, struct err *e);
/* After the build and its outputs: writes what was asked for, of each platform, in a worker. line: told what is pushed. */
int attest_write(struct build *b, const struct build_result *result, void (*line)(void *ctx, const char *text), void *ctx,
		 struct err *e);

/* provenance.c: the predicate. https://slsa.dev/spec/v1.0/provenance */
void provenance_write(const struct graph *g, bool full, struct json_out *o);

#endif
