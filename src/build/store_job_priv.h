/*
 * Work on the store as a whole, in a process inside a user namespace: only there can trees that belong to subordinate
 * ids be read and removed. What it reads does not count as used.
 */
#ifndef NACRE_BUILD_STORE_JOB_PRIV_H
#define NACRE_BUILD_STORE_JOB_PRIV_H

#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

typedef int store_job_fn(struct store *s, void *ctx, struct str *result, struct err *e);
int store_job(struct store *s, const char *name, store_job_fn *fn, void *ctx, struct str *result, struct err *e);

#endif
