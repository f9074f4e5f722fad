/* Texts of the files every RUN sees (RUN-06). The caller owns them; neither is NULL. */
#ifndef NACRE_SANDBOX_NETFILES_H
#define NACRE_SANDBOX_NETFILES_H

#include "sandbox/sandbox.h"

/* extra: lines behind the usual ones */
char *sandbox_hosts_text(const char *hostname, const char *extra);
/* Follows systemd's upstream file when the host uses a stub on 127.0.0.53; "" where the host has none. */
int sandbox_resolv_text(enum sandbox_net net, char **ret, struct err *e);

#endif
