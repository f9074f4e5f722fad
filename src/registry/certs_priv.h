/*
 * Per-registry TLS files, as containers-certs.d(5) and Docker describe them: CERTS.D/HOST[:PORT]/ holds *.crt
 * (authorities trusted for this host), NAME.cert with NAME.key (our own certificate).
 */
#ifndef NACRE_REGISTRY_CERTS_PRIV_H
#define NACRE_REGISTRY_CERTS_PRIV_H

#include "base/err.h"
#include "base/str.h"

struct host_certs {
	struct str authorities; /* PEM, concatenated; empty when there are none */
	char *cert, *key;       /* paths, or NULL; owned */
};
/* authority: "host" or "host:port" as in the reference. The first directory that exists counts. */
int host_certs_load(const char *authority, struct host_certs *ret, struct err *e);
void host_certs_fini(struct host_certs *c);

#endif
