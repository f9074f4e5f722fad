/*
 * Credential helpers, docker-credential-NAME: programs that keep logins elsewhere than in a file, as
 * docker/docker-credential-helpers describes them. The verb is their argument; requests and answers are JSON.
 */
#ifndef NACRE_REGISTRY_HELPER_PRIV_H
#define NACRE_REGISTRY_HELPER_PRIV_H

#include "base/err.h"
#include "base/json.h"
#include "credentials_priv.h"

/* The helper that a login file names for a registry, or for all; NULL for none. Borrowed from the file. */
const char *helper_for(const struct json *file, const char *registry, bool *ret_is_general);

/* 0; 1 when it has no login for that registry; -1. ERR_NOTFOUND when there is no such program. */
int helper_get(const char *name, const char *registry, struct credential *ret, struct err *e);
int helper_store(const char *name, const char *registry, const char *user, const char *secret, struct err *e);
/* 1 when it had none. */
int helper_erase(const char *name, const char *registry, struct err *e);

#endif
