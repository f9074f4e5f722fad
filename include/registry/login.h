/*
 * Logins: tried out at a registry, and kept where podman keeps them. containers-auth.json(5)
 *
 *   $REGISTRY_AUTH_FILE, else $XDG_RUNTIME_DIR/containers/auth.json, else ~/.config/containers/auth.json
 *   { "auths": { "HOST[:PORT][/NAMESPACE…]": { "auth": base64(user:password) } } }
 *
 * The file has mode 0600 and is replaced as a whole; everything in it that is about something else stays. Where it
 * names a credential helper for the registry, that is what keeps the login.
 */
#ifndef NACRE_REGISTRY_LOGIN_H
#define NACRE_REGISTRY_LOGIN_H

#include <stdbool.h>

#include "base/err.h"

struct pull_progress;

/* What a login is for: "HOST[:PORT]", also with a namespace of repositories after it. ERR_USAGE. */
struct login_place {
	char *registry; /* owned, like key */
	char *key;      /* in files */
};
int login_place_parse(const char *text, struct login_place *ret, struct err *e);
void login_place_fini(struct login_place *p);

/* Tries it out; in worker processes only. *ret_asked: the registry wanted a login at all. ERR_AUTH. */
int login_check(const struct login_place *p, const char *user, const char *secret, const struct pull_progress *progress,
		bool *ret_asked, struct err *e);

/* *ret_where: the file or helper that has it now; the caller owns it. */
int login_keep(const struct login_place *p, const char *user, const char *secret, char **ret_where, struct err *e);
/* 1 when there was none; *ret_where is then the file that has one which is not ours to change, or NULL. */
int login_forget(const struct login_place *p, char **ret_where, struct err *e);

#endif
