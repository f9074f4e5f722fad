/*
 * Logins the user made with nacre, podman or docker, found where these keep them. What writes them: registry/login.h.
 *
 *   $REGISTRY_AUTH_FILE (alone when set), $XDG_RUNTIME_DIR/containers/auth.json, $XDG_CONFIG_HOME/containers/auth.json,
 *   $DOCKER_CONFIG/config.json or ~/.docker/config.json
 *
 * { "auths": { "HOST[:PORT][/NAMESPACE…]" or "https://index.docker.io/v1/": { "auth": base64(user:password),
 *                                                                            "identitytoken": … } },
 *   "credHelpers": { "HOST": NAME }, "credsStore": NAME }
 *
 * containers-auth.json(5); docker/cli, cli/config/configfile.
 *
 * Host and port must be equal; nothing is matched by prefix or suffix but whole path components of the repository
 * (T-G5).
 */
#ifndef NACRE_REGISTRY_CREDENTIALS_PRIV_H
#define NACRE_REGISTRY_CREDENTIALS_PRIV_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"

struct credential {
	char *user, *secret;      /* or NULL both */
	char *identity_token;     /* OAuth 2 refresh token, or NULL */
	char *source;             /* file or helper, for messages */
	bool exposed;             /* other users can read that file (T-J4) */
};

/* 0 found; 1 the user has no login there; -1. */
int credential_find(const char *registry, const char *repository, struct credential *ret, struct err *e);
void credential_fini(struct credential *c); /* overwrites the secrets */

/* The files above that may exist, in their order. */
void credential_files(struct strv *out);
/* Reads one; 1 when there is none that we may read. *ret_exposed: other users can read it. */
int credential_file_read(const char *path, struct json *ret, bool *ret_exposed, struct err *e);
/* For AUTO: overwrites what may be secret in such a file, then frees all. */
void credentials_wipe(struct json *file);

/* Docker Hub has had several names; its key in docker's files is none of the name in references. */
bool credential_same_registry(const char *host, const char *registry);
/* The host of "https://HOST/v1/" and "HOST/v2/", which old versions of docker wrote; else NULL. The caller owns it. */
char *credential_key_host(const char *key);
/* Whether the key of an "auths" entry is for this registry and repository: 0 is no, higher is more exact. */
unsigned credential_key_match(const char *key, const char *registry, const char *repository);

#endif
