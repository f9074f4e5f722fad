/* An answer that is no success, in words: what the server says and what the user can do. */
#ifndef NACRE_REGISTRY_REFUSAL_PRIV_H
#define NACRE_REGISTRY_REFUSAL_PRIV_H

#include "base/err.h"

struct transfer;

/* From status and body of the last answer: ERR_AUTH, ERR_NOTFOUND or ERR_NET; -1. */
int transfer_refused(const struct transfer *t, struct err *e);

#endif
