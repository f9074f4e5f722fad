/* Texts of the files every RUN sees (RUN-06). The caller owns them. */
#ifndef NACRE_SANDBOX_NETFILES_H
#define NACRE_SANDBOX_NETFILES_H

#include "sandbox/sandbox.h"

/* extra: lines behind the usual ones */
char *sandbox_hosts_text(const char *hostname, const char *extra);
/* Follows systemd's upstream file when the host uses a stub on 127.0.0.53. */
char *sandbox_resolv_text(enum sandbox_net net);

#endif
