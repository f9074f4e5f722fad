/* What a registry asks for in WWW-Authenticate: RFC 9110 11.6.1, RFC 6750 section 3, distribution-spec "token" flow. */
#ifndef NACRE_REGISTRY_CHALLENGE_PRIV_H
#define NACRE_REGISTRY_CHALLENGE_PRIV_H

#include "base/err.h"
#include "base/vec.h"

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_scheme scheme;
	char *realm, *service, *scope; /* as sent, quotes undone; NULL when absent. owned */
};
struct challenges { struct challenge *v; size_t n, cap; };

/* The values of all WWW-Authenticate headers of one answer. ERR_SPEC when one can not be read. */
int challenges_parse(const struct strv *values, struct challenges *ret, struct err *e);
void challenges_fini(struct challenges *c);
/* The one to answer: Bearer before Basic; NULL when there is neither. */
const struct challenge *challenges_pick(const struct challenges *c);

#endif
