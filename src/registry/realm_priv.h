/*
 * Where a login may be sent. The realm of a challenge is text from the registry: a hostile or taken-over one names any
 * server there and is given the password, or an internal address and has us fetch from it (THREATS T-G1).
 *
 * A token server is accepted when it is reached by https and is the registry's own host, or of the same registrable
 * domain, or in a built-in list (docker.io has auth.docker.io). Addresses instead of names only when the registry was
 * given as the same one. A loopback registry may use http on its own host.
 */
#ifndef NACRE_REGISTRY_REALM_PRIV_H
#define NACRE_REGISTRY_REALM_PRIV_H

#include "base/err.h"
#include "url_priv.h"

/* registry: the name in the reference; base: its URL. ERR_AUTH naming both hosts. */
int realm_check(const char *registry, const struct url *base, const char *realm, struct url *ret, struct err *e);

#endif
